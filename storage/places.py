"""Where talks happen, and what was set there: the port `PlaceRows`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.people import ChatName, Place
from domain.ports import Clock
from domain.replies import SettingsShown
from storage.statements import change, find_all, find_one, insert_once
from storage.tables import PlaceRow, PostedMessageRow, SeenEventRow


@dataclass(frozen=True, slots=True)
class PlaceDefaults:
    """What holds where nothing was set."""

    language: str = "en"
    timezone: str = "UTC"


class SqlPlaces:
    """The places seen by one transaction."""

    def __init__(self, db_session: AsyncSession, clock: Clock, defaults: PlaceDefaults) -> None:
        self._db_session = db_session
        self._clock = clock
        self._defaults = defaults

    async def settings(self, team_id: str, place: Place) -> SettingsShown:
        """Return what holds in a place."""
        row = await find_one(self._db_session, select(PlaceRow).where(*_is(team_id, place)))
        if row is None:
            return SettingsShown(self._defaults.language, self._defaults.timezone, previews=False)
        return SettingsShown(
            row.language or self._defaults.language, row.timezone or self._defaults.timezone, row.previews
        )

    async def change(self, team_id: str, place: Place, settings: SettingsShown) -> None:
        """Set it."""
        await insert_once(
            self._db_session,
            PlaceRow(team_id=team_id, chat=place.chat.value, place_id=place.place_id, first_seen_at=self._clock()),
        )
        values = {"language": settings.language, "timezone": settings.timezone, "previews": settings.previews}
        await change(self._db_session, update(PlaceRow).where(*_is(team_id, place)).values(**values))

    async def watching(self, team_id: str) -> Sequence[Place]:
        """Return the places that want every preview."""
        statement = select(PlaceRow).where(col(PlaceRow.team_id) == team_id, col(PlaceRow.previews))
        rows = await find_all(self._db_session, statement.order_by(col(PlaceRow.chat), col(PlaceRow.place_id)))
        return [Place(ChatName(row.chat), row.place_id) for row in rows]

    async def card_under(self, team_id: str, place: Place, native_id: str) -> str | None:
        """Return the enhancement whose card the message shows, or whose request it was."""
        here = (
            col(PostedMessageRow.team_id) == team_id,
            col(PostedMessageRow.chat) == place.chat.value,
            col(PostedMessageRow.place_id) == place.place_id,
            col(PostedMessageRow.enhancement_id).is_not(None),
        )
        shown = select(PostedMessageRow).where(*here, col(PostedMessageRow.native_id) == native_id)
        asked = (
            select(PostedMessageRow)
            .join(SeenEventRow, col(SeenEventRow.event_key) == col(PostedMessageRow.event_key))
            .where(*here, col(SeenEventRow.team_id) == team_id, col(SeenEventRow.message_id) == native_id)
        )
        for statement in (shown, asked):
            newest = statement.order_by(col(PostedMessageRow.posted_at).desc())
            if (row := await find_one(self._db_session, newest)) is not None:
                return row.enhancement_id
        return None


def _is(team_id: str, place: Place) -> tuple[ColumnElement[bool], ...]:
    return (
        col(PlaceRow.team_id) == team_id,
        col(PlaceRow.chat) == place.chat.value,
        col(PlaceRow.place_id) == place.place_id,
    )
