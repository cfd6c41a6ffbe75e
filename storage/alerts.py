"""Who is told what about stock, and what was: the port `AlertRows`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, select, update

from domain.alerts import AlertPlace, AlertState, Level, Quiet, Snooze, Told
from domain.catalog import Sku
from domain.people import ChatName, Place
from storage.alert_tables import AlertPlaceRow, AlertStateRow, AlertToldRow, DigestRow
from storage.codec import clean_text
from storage.statements import change, insert_once, table_of
from storage.surveys import ROWS_A_STATEMENT, SqlSurveys
from storage.tables import PlaceRow

PLACE: Final[Table] = table_of(AlertPlaceRow)
STATE: Final[Table] = table_of(AlertStateRow)
TOLD: Final[Table] = table_of(AlertToldRow)
DIGEST: Final[Table] = table_of(DigestRow)
SETTINGS: Final[Table] = table_of(PlaceRow)
_SET_ZONE: Final = (
    select(SETTINGS.c.timezone)
    .where(
        SETTINGS.c.team_id == PLACE.c.team_id,
        SETTINGS.c.chat == PLACE.c.chat,
        SETTINGS.c.place_id == PLACE.c.place_id,
    )
    .scalar_subquery()
)
_PLACES: Final = select(PLACE, _SET_ZONE.label("set_zone"))


class SqlAlerts(SqlSurveys):
    """The alerts' rows, seen by one transaction."""

    async def places(self, team_id: str | None = None) -> Sequence[AlertPlace]:
        """Return those that are on."""
        statement = _PLACES.where(PLACE.c.is_on).order_by(PLACE.c.team_id, PLACE.c.chat, PLACE.c.place_id)
        if team_id is not None:
            statement = statement.where(PLACE.c.team_id == team_id)
        return [_place(row) for row in await self._db_session.execute(statement)]

    async def place(self, team_id: str, place: Place) -> AlertPlace | None:
        """Return what was set in a place, on or off."""
        row = (await self._db_session.execute(_PLACES.where(*_here(PLACE, team_id, place)))).first()
        return None if row is None else _place(row)

    async def put_place(self, place: AlertPlace) -> None:
        """Set it; the thread is the one it was said in."""
        row = {
            "team_id": place.team_id,
            "chat": place.place.chat.value,
            "place_id": place.place.place_id,
            "thread_id": place.place.thread_id,
            "is_on": place.is_on,
            "at_minute": place.wall_time.hour * 60 + place.wall_time.minute,
            "timezone": place.timezone,
            "since": place.since,
            "by": place.by,
        }
        await self._upsert(PLACE, [row])

    async def place_timezone(self, team_id: str, place: Place) -> str:
        """Return what was set in the place."""
        statement = select(SETTINGS.c.timezone).where(*_here(SETTINGS, team_id, place))
        return (await self._db_session.execute(statement)).scalar_one_or_none() or ""

    async def team_timezone(self, team_id: str) -> str:
        """Return the zone most of the team's places were set to; of equally many the first by name."""
        statement = select(SETTINGS.c.timezone).where(SETTINGS.c.team_id == team_id, SETTINGS.c.timezone != "")
        zones = Counter(sorted((await self._db_session.execute(statement)).scalars()))
        return zones.most_common(1)[0][0] if zones else ""

    async def take_date(self, team_id: str, place: Place, day: date, *, now: datetime) -> bool:
        """Insert the date; somebody else's open transaction with the same one is waited for."""
        row = DigestRow(team_id=team_id, chat=place.chat.value, place_id=place.place_id, local_date=day, sent_at=now)
        return await insert_once(self._db_session, row)

    async def last_date(self, team_id: str, place: Place) -> date | None:
        """Return the newest date."""
        statement = select(func.max(DIGEST.c.local_date)).where(*_here(DIGEST, team_id, place))
        found: date | None = (await self._db_session.execute(statement)).scalar_one()
        return found

    async def states(self, team_id: str) -> Mapping[str, AlertState]:
        """Return those that are kept."""
        rows = await self._db_session.execute(select(STATE).where(STATE.c.team_id == team_id))
        return {row.sku_key: _state(row) for row in rows}

    async def put_states(self, team_id: str, states: Sequence[AlertState]) -> None:
        """Write them; one that is OK and not quiet needs no row."""
        kept = [state for state in states if state.level is not Level.OK or state.snooze is not None]
        await self._upsert(STATE, [_state_columns(team_id, state) for state in kept])
        gone = [state.sku.key for state in states if state.level is Level.OK and state.snooze is None]
        for start in range(0, len(gone), ROWS_A_STATEMENT):
            part = STATE.c.sku_key.in_(gone[start : start + ROWS_A_STATEMENT])
            await change(self._db_session, delete(STATE).where(STATE.c.team_id == team_id, part))

    async def told(self, team_id: str, place: Place) -> Mapping[str, Told]:
        """Return what the place heard last."""
        rows = await self._db_session.execute(select(TOLD).where(*_here(TOLD, team_id, place)))
        return {row.sku_key: Told(Level(row.level), row.at) for row in rows}

    async def put_told(
        self,
        team_id: str,
        place: Place,
        levels: Mapping[str, Level],
        *,
        now: datetime,
        unless_since: datetime | None = None,
    ) -> frozenset[str]:
        """Note it; with `unless_since` each is a compare-and-set, so that of two workers one tells."""
        rows = [_told_columns(team_id, place, key, level, now) for key, level in sorted(levels.items())]
        if unless_since is None:
            await self._upsert(TOLD, rows)
            return frozenset(levels)
        return frozenset([row["sku_key"] for row in rows if await self._tell_once(row, unless_since)])

    async def _tell_once(self, row: Mapping[str, Any], unless_since: datetime) -> bool:
        if await insert_once(self._db_session, AlertToldRow(**row)):
            return True
        key = [TOLD.c[name] == row[name] for name in ("team_id", "chat", "place_id", "sku_key")]
        is_other = (TOLD.c.level != row["level"]) | (TOLD.c.at < unless_since)
        statement = update(TOLD).where(*key, is_other).values(level=row["level"], at=row["at"])
        return await change(self._db_session, statement) == 1


def _here(table: Table, team_id: str, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (table.c.team_id == team_id, table.c.chat == place.chat.value, table.c.place_id == place.place_id)


def _place(row: Any) -> AlertPlace:
    return AlertPlace(
        row.team_id,
        Place(ChatName(row.chat), row.place_id, row.thread_id),
        row.is_on,
        time(row.at_minute // 60, row.at_minute % 60),
        row.set_zone or row.timezone,
        row.since,
        row.by,
    )


def _state(row: Any) -> AlertState:
    snooze = Snooze(Quiet(row.quiet), row.quiet_until, row.quiet_on_hand, row.quiet_by) if row.quiet else None
    return AlertState(Sku(row.sku), Level(row.level), row.since, snooze)


def _state_columns(team_id: str, state: AlertState) -> dict[str, Any]:
    snooze = state.snooze
    return {
        "team_id": team_id,
        "sku_key": state.sku.key,
        "sku": state.sku.value,
        "level": state.level.value,
        "since": state.since,
        "quiet": snooze.kind.value if snooze else "",
        "quiet_until": snooze.until if snooze else None,
        "quiet_on_hand": snooze.on_hand if snooze else 0,
        "quiet_by": clean_text(snooze.by) if snooze else "",
    }


def _told_columns(team_id: str, place: Place, key: str, level: Level, now: datetime) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "chat": place.chat.value,
        "place_id": place.place_id,
        "sku_key": key,
        "level": level.value,
        "at": now,
    }
