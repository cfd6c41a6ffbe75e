"""What the minute brings: surveys that are due, digests whose time has come, and what has just run out.

Each of the three looks at rows and may be missed, repeated or run by two workers at once: a digest is one row a place
and local date, and what is told at once is a compare-and-set a place and SKU.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.alert_rows import Survey
from domain.alerts import COOL_DOWN, AlertPlace, Level, due_at, latest_due, next_due
from domain.catalog import StoreId
from domain.ports import Reading
from domain.stock_alert_replies import OutNow
from handlers.desk import Desk
from handlers.digest import alert_line, local_date, make_digest, say_digest
from handlers.outlook import Prospect, count_now, look
from handlers.survey import survey_team

log = logging.getLogger("packshot.alerts")

AHEAD: Final = timedelta(minutes=30)
"""So long before a digest the stores are read again, if they were not within two hours."""
PATIENCE: Final = timedelta(minutes=15)
"""So long a digest waits for the first look at a store that nobody has read yet."""
AT_ONCE_MOST: Final = 3
"""More that run out in one minute are a store's trouble or an import: the costliest are said, the rest by the digest."""


async def places_by_team(desk: Desk) -> Mapping[str, Sequence[AlertPlace]]:
    """Return the places that want to hear, by team."""
    found: dict[str, list[AlertPlace]] = {}
    async with desk.work.reading() as rows:
        for place in await rows.alerts.places():
            found.setdefault(place.team_id, []).append(place)
    return found


async def survey_due(desk: Desk) -> None:
    """Read what is due of the stores of every team that has alerts on."""
    now = desk.clock()
    for team_id, places in (await places_by_team(desk)).items():
        is_urgent = any(next_due(place, now) - now <= AHEAD for place in places)
        await survey_team(team_id, desk, is_urgent=is_urgent)


async def send_due(desk: Desk) -> int:
    """Say every digest that is due and not said, and return how many this call has said."""
    sent = 0
    for places in (await places_by_team(desk)).values():
        for place in places:
            sent += await _send(place, desk)
    return sent


async def _send(place: AlertPlace, desk: Desk) -> bool:
    now = desk.clock()
    day = latest_due(place, now)
    if day is None:
        return False
    stores = [store.store.store_id for store in await desk.stores.of_team(place.team_id)]
    async with desk.work.reading() as rows:
        last = await rows.alerts.last_date(place.team_id, place.place)
        if last is not None and last >= day:
            return False
        surveys = await rows.alerts.surveys(place.team_id)
        language = (await rows.places.settings(place.team_id, place.place)).language
    if now - due_at(day, place.wall_time, place.timezone) < PATIENCE and not _were_read(stores, surveys):
        return False
    # It speaks of this morning, though a worker that was down says it later.
    today = max(day, local_date(now, place.timezone))
    made = await make_digest(place.team_id, place.place, today, desk, timezone=place.timezone, language=language)
    async with desk.work() as work:
        if not await work.alerts.take_date(place.team_id, place.place, day, now=now):
            log.info("somebody else has said this digest", extra={"team": place.team_id, "day": day.isoformat()})
            return False
        await work.alerts.put_states(place.team_id, made.states)
        await work.alerts.put_told(place.team_id, place.place, made.told, now=now)
        await say_digest(work, place.place, made.reply, team_id=place.team_id)
    return True


def _were_read(stores: Sequence[StoreId], surveys: Mapping[StoreId, Survey]) -> bool:
    """Whether every store was read once, or failed to be."""
    return all((known := surveys.get(store)) is not None and (known.goods_at or known.trouble) for store in stores)


# ---------------------------------------------------------------- at once


async def tell_what_ran_out(desk: Desk) -> int:
    """Say at once what sells and has just run out, once a place; return how many messages that were."""
    said = 0
    for team_id, places in (await places_by_team(desk)).items():
        async with desk.work.reading() as rows:
            if not await _has_newly_out(rows, team_id):
                continue
            ahead = await look(rows, team_id, desk.clock())
        said += await _tell(team_id, places, ahead, desk)
    return said


async def _has_newly_out(rows: Reading, team_id: str) -> bool:
    """Whether any SKU has none left that was not known to be out; cheap enough for each minute."""
    states = await rows.alerts.states(team_id)
    on_hand = await count_now(rows, team_id)
    return any(left <= 0 and (key not in states or states[key].level is not Level.OUT) for key, left in on_hand.items())


async def _tell(team_id: str, places: Sequence[AlertPlace], ahead: Sequence[Prospect], desk: Desk) -> int:
    now = desk.clock()
    gone = [one for one in ahead if one.level is Level.OUT and (one.was is None or one.was.level is not Level.OUT)]
    missed = sorted(
        (one for one in gone if one.is_recent and not one.is_quiet(now)),
        key=lambda one: (-one.lost_per_day, one.sku.key),
    )[:AT_ONCE_MOST]
    said = 0
    async with desk.work() as work:
        await work.alerts.put_states(team_id, [one.state(now) for one in gone])
        for place in places:
            levels = {one.sku.key: Level.OUT for one in missed}
            news = await work.alerts.put_told(team_id, place.place, levels, now=now, unless_since=now - COOL_DOWN)
            for one in missed:
                if one.sku.key in news:
                    await work.say_in(place.place, _out_now(one, ahead, now, place, team_id), team_id=team_id)
                    said += 1
    return said


def _out_now(one: Prospect, ahead: Sequence[Prospect], now: datetime, place: AlertPlace, team_id: str) -> OutNow:
    variants = sum(1 for other in ahead if other.product_key == one.product_key)
    was = one.was.level if one.was else Level.OK
    line = alert_line(team_id, [one], variants, was, local_date(now, place.timezone))
    return OutNow(line, one.sold_lately)
