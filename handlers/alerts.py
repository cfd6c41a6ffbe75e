"""`alerts`, `snooze` and `ordered`: when a place hears of its stock, and what it does not want to hear of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from domain.alert_intents import AlertIntent, DigestNow, SetAlerts, SnoozeSku
from domain.alerts import DEFAULT_TIME, AlertPlace, AlertState, Level, Quiet, Snooze, next_due
from domain.errors import BadInput, NotAllowed, UnknownSku
from domain.intents import Press
from domain.people import ChatName, Role
from domain.ports import Reading, UnitOfWork
from domain.rows import AuditEntry
from domain.sentences import Sentence
from domain.stock_alert_replies import AlertsShown, SnoozeAsked, Snoozed
from domain.tokens import Action
from handlers.alert_faces import AGAIN, ASK, ORDERED, RESTOCK
from handlers.desk import Asked, Desk
from handlers.digest import local_date, make_digest, subject_of, table_file
from handlers.outlook import Prospect, look
from handlers.places import read_zone
from handlers.survey import survey_team

ROLES: Final[Mapping[type, Role]] = {
    SetAlerts: Role.VIEWER,  # to see them; changing them takes an editor
    DigestNow: Role.VIEWER,
    SnoozeSku: Role.EDITOR,
}
PRESSES: Final = frozenset({Action.SNOOZE})
MOST_AHEAD: Final = timedelta(days=365)
_DAY: Final = re.compile(r"(\d{1,2})[. ]+\s*(\d{1,2}|[a-zäöü]{3,9})\.?(?:\s+(\d{4}))?", re.IGNORECASE)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_GERMAN_MONTHS: Final = {"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12}


async def answer(asked: Asked, intent: AlertIntent, desk: Desk) -> None:
    """Do what was asked about alerts."""
    match intent:
        case SetAlerts():
            await set_alerts(asked, intent, desk)
        case DigestNow():
            await digest_now(asked, desk)
        case SnoozeSku():
            await snooze_sku(asked, intent, desk)
        case _:
            assert_never(intent)


# ---------------------------------------------------------------- when


async def set_alerts(asked: Asked, intent: SetAlerts, desk: Desk) -> None:
    """Show when this place hears of its stock, after changing what was named. Raises BadInput, NotAllowed.

    The zone is the place's own; else the team's, the person's, the deployment's. Which one it is stands in the answer,
    with what its clock says now, so that a wrong one is seen before the first morning.
    """
    member, incoming, now = asked.member, asked.incoming, desk.clock()
    changes = intent.is_on is not None or intent.wall_time is not None or bool(intent.timezone)
    if changes and not member.role.covers(Role.EDITOR):
        raise NotAllowed(needs=Role.EDITOR.value, has=member.role.value, what=Sentence("Turning alerts on or off"))
    typed = read_zone(intent.timezone) if intent.timezone else ""
    async with desk.work(incoming) as work:
        if typed:
            here = await work.places.settings(member.team_id, incoming.place)
            await work.places.change(member.team_id, incoming.place, replace(here, timezone=typed))
        zone, origin = await find_zone(work, asked)
        known = await work.alerts.place(member.team_id, incoming.place)
        was = known or AlertPlace(
            member.team_id, incoming.place, is_on=False, wall_time=DEFAULT_TIME, timezone=zone, since=now
        )
        will_be = AlertPlace(
            member.team_id,
            incoming.place,
            _is_on(intent, known, changes=changes),
            intent.wall_time or was.wall_time,
            zone,
            now if changes else was.since,
            member.name,
        )
        if changes:
            await work.alerts.put_place(will_be)
            what = f"alerts {'on' if will_be.is_on else 'off'} at {will_be.wall_time:%H:%M} tz {zone}"
            await work.audit(AuditEntry(member.team_id, now, member.name, "alerts", "", "", what))
        await work.answer(
            AlertsShown(
                will_be.is_on,
                f"{will_be.wall_time.hour}:{will_be.wall_time.minute:02}",
                zone,
                origin,
                now,
                next_due(will_be, now) if will_be.is_on else None,
            )
        )


def _is_on(intent: SetAlerts, known: AlertPlace | None, *, changes: bool) -> bool:
    """Naming a time or a zone for the first time is asking for the message too."""
    if intent.is_on is not None:
        return intent.is_on
    return known.is_on if known is not None else changes


async def find_zone(rows: Reading, asked: Asked) -> tuple[str, str]:
    """Return the zone of the place, and whose it is: place, team, person or deployment."""
    team_id, place = asked.member.team_id, asked.incoming.place
    if zone := await rows.alerts.place_timezone(team_id, place):
        return zone, "place"
    if zone := await rows.alerts.team_timezone(team_id):
        return zone, "team"
    if asked.incoming.timezone:
        with suppress(BadInput):  # a profile may name a zone that this machine does not know
            return read_zone(asked.incoming.timezone), "person"
    return (await rows.places.settings(team_id, place)).timezone, "deployment"


async def digest_now(asked: Asked, desk: Desk) -> None:
    """Show the digest as it would be this minute; the morning's own still comes, and nothing counts as told by this."""
    team_id, place = asked.member.team_id, asked.incoming.place
    await survey_team(team_id, desk)
    async with desk.work.reading() as rows:
        zone, _origin = await find_zone(rows, asked)
        language = (await rows.places.settings(team_id, place)).language
    today = local_date(desk.clock(), zone)
    made = await make_digest(team_id, place, today, desk, timezone=zone, language=language, asked=True)
    async with desk.work(asked.incoming) as work:
        await work.answer(made.reply)
        if made.reply.table is not None and place.chat is not ChatName.CONSOLE:
            await work.answer(await table_file(work, made.reply, made.reply.table, team_id=team_id))


# ---------------------------------------------------------------- quiet


@dataclass(frozen=True, slots=True)
class Wish:
    """How a product shall be quiet; `kind` None ends the quiet."""

    kind: Quiet | None
    days: int = 0
    day: date | None = None


async def snooze_sku(asked: Asked, intent: SnoozeSku, desk: Desk) -> None:
    """Be quiet about one SKU, or end that. Raises UnknownSku, BadInput."""
    today = await _today(asked, desk)
    match intent.how:
        case "days":
            wish = Wish(Quiet.UNTIL, days=intent.days)
        case "restock":
            wish = Wish(Quiet.RESTOCK)
        case "ordered":
            wish = Wish(Quiet.ORDERED, day=read_day(intent.day, today) if intent.day else None)
        case _:
            wish = Wish(None)
    async with desk.work.reading() as rows:
        ahead = await look(rows, asked.member.team_id, desk.clock())
    about = [one for one in ahead if one.sku.key == intent.sku.key]
    if not about:
        raise UnknownSku(intent.sku.value)
    await _quieten(asked, about, wish, desk)


async def press_snooze(asked: Asked, pressed: Press, desk: Desk) -> None:
    """Be quiet about the product a button names, or ask how long. Raises BadInput."""
    token, team_id = pressed.token, asked.member.team_id
    async with desk.work.reading() as rows:
        ahead = await look(rows, team_id, desk.clock())
    of_product = [one for one in ahead if subject_of(team_id, one.product_key) == token.subject_id]
    # Those it spoke of; where all are well by now, or the quiet shall end, the whole product.
    about = [one for one in of_product if one.level is not Level.OK] or of_product
    if not about:
        raise BadInput("No store sells that product any more, so there is nothing to be quiet about: see `low`.")
    if token.number == ASK:
        today = await _today(asked, desk)
        lead = max(one.forecast.lead_days for one in about)
        skus = tuple(one.sku.value for one in about)
        async with desk.work(asked.incoming) as work:
            await work.answer(SnoozeAsked(token.subject_id, about[0].title, skus, today + timedelta(days=lead)))
        return
    await _quieten(asked, about, _wish_of(token.number), desk)


def _wish_of(number: int) -> Wish:
    if number == AGAIN:
        return Wish(None)
    if number == RESTOCK:
        return Wish(Quiet.RESTOCK)
    return Wish(Quiet.ORDERED) if number == ORDERED else Wish(Quiet.UNTIL, days=number)


async def _quieten(asked: Asked, about: Sequence[Prospect], wish: Wish, desk: Desk) -> None:
    now, member = desk.clock(), asked.member
    async with desk.work(asked.incoming) as work:
        zone, _origin = await find_zone(work, asked)
        states = [_quiet_state(one, wish, now, zone, member.name) for one in about]
        await work.alerts.put_states(member.team_id, states)
        until = max((state.snooze.until for state in states if state.snooze and state.snooze.until), default=None)
        skus = tuple(one.sku.value for one in about)
        kind = wish.kind.value if wish.kind else ""
        await _audit(work, asked, skus, kind, until, now)
        await work.answer(
            Snoozed(subject_of(member.team_id, about[0].product_key), about[0].title, skus, kind, until, member.name)
        )


def _quiet_state(one: Prospect, wish: Wish, now: datetime, zone: str, by: str) -> AlertState:
    state = one.state(now)
    if wish.kind is None:
        return replace(state, snooze=None)
    until = None
    if wish.kind is Quiet.UNTIL:
        until = now + timedelta(days=wish.days)
    elif wish.kind is Quiet.ORDERED:
        here = ZoneInfo(zone)
        day = wish.day or now.astimezone(here).date() + timedelta(days=one.forecast.lead_days)
        # To the end of that day: the parcel may come in the afternoon.
        until = datetime.combine(day + timedelta(days=1), time(), tzinfo=here)
    return replace(state, snooze=Snooze(wish.kind, until, one.forecast.on_hand, by))


async def _audit(
    work: UnitOfWork, asked: Asked, skus: Sequence[str], kind: str, until: datetime | None, now: datetime
) -> None:
    what = f"{kind or 'off'}{f' {until:%Y-%m-%d %H:%M} UTC' if until else ''}"
    for sku in skus:
        await work.audit(AuditEntry(asked.member.team_id, now, asked.member.name, "snoozed", sku, "", what))


async def _today(asked: Asked, desk: Desk) -> date:
    async with desk.work.reading() as rows:
        zone, _origin = await find_zone(rows, asked)
    return local_date(desk.clock(), zone)


def read_day(text: str, today: date) -> date:
    """Read `2026-12-03`, `3.12.`, `3 Dec`, `3. Dezember 2026`; without a year the next such day. Raises BadInput."""
    said = text.strip().lower().removeprefix("eta ").strip()
    found = None
    with suppress(ValueError):
        found = date.fromisoformat(said)
    if found is None and (match := _DAY.fullmatch(said.rstrip("."))):
        month = int(match[2]) if match[2].isdecimal() else _month(match[2])
        with suppress(ValueError):
            found = date(int(match[3] or today.year), month, int(match[1]))
            if match[3] is None and found < today:
                found = found.replace(year=found.year + 1)
    if found is None:
        raise BadInput("I do not know the day “{word}”: write it like 2026-12-03.", word=text[:30])
    if not today <= found <= today + MOST_AHEAD:
        raise BadInput(
            "{day} is not within the next year: write the day it comes like 2026-12-03.", day=found.isoformat()
        )
    return found


def _month(word: str) -> int:
    short = word[:3]
    return _GERMAN_MONTHS.get(short) or (_MONTHS.index(short) + 1 if short in _MONTHS else 0)
