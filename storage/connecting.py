"""Links, rights and disconnections in one transaction: the port `ConnectRows`; and the uses of rights: `ScopeUses`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import PlatformName, Store, StoreId
from domain.connect_replies import ConnectOffered
from domain.connecting import USED_EVERY, ConnectLink, GivenScope, hashed
from domain.enhancement import MOVING_PLACEMENTS
from domain.people import ChatName, Place
from storage.connect_tables import ConnectLinkRow, DisconnectedStoreRow, StoreScopeRow
from storage.database import Database
from storage.statements import change, find_all, find_one, insert, insert_once
from storage.tables import ConsoleLineRow, OutboxRow, PlacementRow, StoreHintRow, StoreNoteRow, StoreRow, StoreStateRow


class SqlConnectRows:
    """What one transaction sees of connecting."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def add_link(self, link: ConnectLink) -> None:
        """Keep a new link; what the member was given before in the same place, or has used, goes."""
        old = (
            col(ConnectLinkRow.team_id) == link.team_id,
            col(ConnectLinkRow.member_id) == link.member_id,
            or_(col(ConnectLinkRow.ended) != "", col(ConnectLinkRow.place_id) == link.place.place_id),
        )
        gone = await find_all(self._db_session, select(ConnectLinkRow).where(*old))
        await change(self._db_session, delete(ConnectLinkRow).where(*old))
        await self._blank(link.team_id, {row.link_hash for row in gone})
        row = ConnectLinkRow(
            link_hash=link.link_hash,
            team_id=link.team_id,
            member_id=link.member_id,
            chat=link.place.chat.value,
            place_id=link.place.place_id,
            thread_id=link.place.thread_id,
            platform=link.platform.value,
            store_id=link.store_id,
            given=dict(link.given),
            wanted=" ".join(link.wanted),
            expires_at=link.expires_at,
        )
        await insert(self._db_session, row)

    async def find_link(self, link_hash: str) -> ConnectLink | None:
        """Return it, whatever has become of it."""
        return _link(await find_one(self._db_session, select(ConnectLinkRow).where(_is(link_hash))))

    async def find_asked(self, state_hash: str) -> ConnectLink | None:
        """Return the link whose question a state belongs to."""
        statement = select(ConnectLinkRow).where(col(ConnectLinkRow.state_hash) == state_hash)
        return _link(await find_one(self._db_session, statement))

    async def begin(self, link_hash: str, *, browser_hash: str, now: datetime) -> bool:
        """Reserve a link for one browser; False where it is another's, has ended or is too old."""
        mine = update(ConnectLinkRow).where(
            _is(link_hash),
            col(ConnectLinkRow.browser_hash).in_(("", browser_hash)),
            col(ConnectLinkRow.ended) == "",
            col(ConnectLinkRow.expires_at) > now,
        )
        return await change(self._db_session, mine.values(browser_hash=browser_hash)) == 1

    async def ask(
        self, link_hash: str, *, browser_hash: str, state_hash: str, sealed: bytes, expires_at: datetime
    ) -> None:
        """Keep the question that was put to a vendor; an older one of the same link is forgotten."""
        mine = update(ConnectLinkRow).where(_is(link_hash), col(ConnectLinkRow.browser_hash) == browser_hash)
        await change(self._db_session, mine.values(state_hash=state_hash, sealed=sealed, expires_at=expires_at))

    async def take_answer(self, state_hash: str, *, now: datetime) -> bool:
        """Use a state up; False when it was used before or came too late."""
        mine = update(ConnectLinkRow).where(
            col(ConnectLinkRow.state_hash) == state_hash,
            col(ConnectLinkRow.ended) == "",
            col(ConnectLinkRow.expires_at) > now,
        )
        return await change(self._db_session, mine.values(state_hash=None)) == 1

    async def end_link(self, link_hash: str, outcome: str) -> bool:
        """Use a link up; False where it has ended before. What was kept for it goes."""
        mine = update(ConnectLinkRow).where(_is(link_hash), col(ConnectLinkRow.ended) == "")
        if await change(self._db_session, mine.values(ended=outcome, state_hash=None, sealed=None)) != 1:
            return False
        link = await self.find_link(link_hash)
        if link is not None:
            await self._blank(link.team_id, {link_hash})
        return True

    async def _blank(self, team_id: str, link_hashes: set[str]) -> None:
        """Blank the addresses of links in the lines and messages that told them, their only clear copies with us."""
        if not link_hashes:
            return
        for table, row_id in ((ConsoleLineRow, col(ConsoleLineRow.cursor)), (OutboxRow, col(OutboxRow.outbox_id))):
            told = select(row_id, col(table.reply)).where(
                col(table.team_id) == team_id, col(table.reply)["type"].as_string() == ConnectOffered.__name__
            )
            for number, words in (await self._db_session.execute(told.order_by(row_id))).all():
                if hashed(words["url"].partition("code=")[2]) in link_hashes:
                    blanked = {**words, "url": ""}
                    await change(self._db_session, update(table).where(row_id == number).values(reply=blanked))

    async def give_scopes(self, store: Store, scopes: Sequence[str], *, now: datetime) -> tuple[str, ...]:
        """Keep which rights a store gives now, and return the ones that are new. One that was taken away is forgotten."""
        before = {one.name for one in await self.scopes_of(store.store_id)}
        gone = delete(StoreScopeRow).where(
            col(StoreScopeRow.store_id) == store.store_id, col(StoreScopeRow.scope).not_in(list(scopes))
        )
        await change(self._db_session, gone)
        new = tuple(name for name in dict.fromkeys(scopes) if name not in before)
        for name in new:
            row = StoreScopeRow(store_id=store.store_id, scope=name, team_id=store.team_id, given_at=now)
            await insert_once(self._db_session, row)
        return new

    async def scopes_of(self, store_id: StoreId) -> Sequence[GivenScope]:
        """Return them by name."""
        statement = (
            select(StoreScopeRow).where(col(StoreScopeRow.store_id) == store_id).order_by(col(StoreScopeRow.scope))
        )
        return [GivenScope(row.scope, row.given_at, row.used_at) for row in await find_all(self._db_session, statement)]

    async def moving_at(self, store_id: StoreId) -> Sequence[str]:
        """Return the ids of the placements at a store that a job works on."""
        moving = [state.value for state in MOVING_PLACEMENTS]
        statement = (
            select(PlacementRow)
            .where(col(PlacementRow.store_id) == store_id, col(PlacementRow.state).in_(moving))
            .order_by(col(PlacementRow.placement_id))
        )
        return [row.placement_id for row in await find_all(self._db_session, statement)]

    async def disconnect(self, store_id: StoreId, *, shop: str, now: datetime) -> bool:
        """Delete a store's keys, tokens and rights and keep its row for the history; False where that was done before."""
        store = await find_one(self._db_session, select(StoreRow).where(col(StoreRow.store_id) == store_id))
        if store is None:
            return False
        gone = DisconnectedStoreRow(store_id=store_id, team_id=store.team_id, shop=shop, disconnected_at=now)
        if not await insert_once(self._db_session, gone):
            return False
        mine = update(StoreRow).where(col(StoreRow.store_id) == store_id)
        await change(self._db_session, mine.values(credentials=None))
        # The version stays and rises: who renews the old tokens at this moment must not be able to keep the new ones.
        state = update(StoreStateRow).where(col(StoreStateRow.store_id) == store_id)
        version = col(StoreStateRow.version) + 1
        await change(self._db_session, state.values(tokens=None, version=version, claimed_until=None))
        for table in (StoreHintRow, StoreNoteRow, StoreScopeRow):
            await change(self._db_session, delete(table).where(col(table.store_id) == store_id))
        links = update(ConnectLinkRow).where(col(ConnectLinkRow.store_id) == store_id, col(ConnectLinkRow.ended) == "")
        await change(self._db_session, links.values(ended="disconnected", state_hash=None, sealed=None))
        return True


class SqlScopeUses:
    """Writes down that a right was used, at most once an hour whoever asks."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def used(self, store_id: StoreId, scope: str) -> None:
        """Note it. A right nobody noted as given is not noted as used."""
        now = self._clock()
        mine = update(StoreScopeRow).where(
            col(StoreScopeRow.store_id) == store_id,
            col(StoreScopeRow.scope) == scope,
            or_(col(StoreScopeRow.used_at).is_(None), col(StoreScopeRow.used_at) <= now - USED_EVERY),
        )
        async with self._database.begin() as db_session:
            await change(db_session, mine.values(used_at=now))


def _is(link_hash: str) -> ColumnElement[bool]:
    return col(ConnectLinkRow.link_hash) == link_hash


def _link(row: ConnectLinkRow | None) -> ConnectLink | None:
    if row is None:
        return None
    return ConnectLink(
        link_hash=row.link_hash,
        team_id=row.team_id,
        member_id=row.member_id,
        place=Place(ChatName(row.chat), row.place_id, row.thread_id),
        platform=PlatformName(row.platform),
        expires_at=row.expires_at,
        store_id=row.store_id,
        given=dict(row.given),
        wanted=tuple(row.wanted.split()),
        browser_hash=row.browser_hash,
        sealed=row.sealed,
        ended=row.ended,
    )
