"""What a chat's listeners may ask of the rest of the house: take an event, and the few things that cannot wait.

Everything else happens in a worker, after the platform was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

from domain.chat_ports import Events
from domain.errors import UserError
from domain.intents import Incoming, Press
from domain.people import Actor, Member, Place, Role
from domain.replies import Card, PreviewReady, SettingsShown
from domain.rows import AuditEntry
from domain.tokens import Token
from handlers import decide, dispatch
from handlers.card import card_of
from handlers.desk import Desk
from handlers.teams import is_private


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """One team's desk for one chat; `bot/chats.py` fills it.

    `hold` is a lock by name that dies with the process: it gives True while this process has it.
    """

    desk: Desk
    events: Events
    team_id: str
    hold: Callable[[str], AbstractAsyncContextManager[bool]]

    async def take(self, incoming: Incoming) -> bool:
        """Make an event durable, its first word with it; False when it was known before.

        Only after this may the platform hear that we have it. Raises Fault when the database is away:
        then the platform must not be told so, and will deliver it again.
        """
        working = dispatch.first_word(incoming)
        if working is not None:  # else nobody's role matters yet, and the platform waits
            member = await self.member(incoming.actor)
            working = dispatch.provisional(incoming, member) if member else None
        return await self.events.take(incoming, working=working)

    async def at(self, place: Place, actor: Actor, *, message_id: str = "", settles: bool = False) -> ChatDesk:
        """Return the desk of the team that something said here belongs to, where one bot serves several.

        A group is its team's, whoever speaks. In a private talk it is the team of the message it is about, else the
        one the talk was switched to, else the person's own; a stranger's is the deployment's first. `settles`: the
        first member who speaks to us in a group makes it their team's.
        """
        async with self.desk.work.reading() as rows:
            home = await rows.teams.home(place, actor, message_id)
        if is_private(place):
            likely = (home.message_team, home.place_team, *home.teams)
            team_id = next((team for team in likely if team in home.teams), self.team_id)
        else:
            team_id = home.place_team or next(iter(home.teams), self.team_id)
            if settles and home.teams and not home.place_team:
                async with self.desk.work() as work:
                    await work.teams.settle(place, team_id, now=self.desk.clock(), moves=False)
        return self if team_id == self.team_id else replace(self, team_id=team_id)

    async def member(self, actor: Actor) -> Member | None:
        """Return who somebody is to us, None for a stranger."""
        async with self.desk.work.reading() as rows:
            return await rows.people.find_member(self.team_id, actor)

    async def foresee(self, incoming: Incoming) -> str:
        """Return the sentence for a press that will not count (stale, decided, not allowed), else "".

        For a chat that must answer a press within seconds; the event itself is taken all the same, and
        what counts is decided there.
        """
        member = await self.member(incoming.actor)
        try:
            intent = dispatch.read(incoming)
            if isinstance(intent, Press):
                async with self.desk.work.reading() as rows:
                    await decide.foresee(rows, member, intent)
        except UserError as error:
            return error.sentence
        return ""

    async def card(self, token: Token) -> Card | None:
        """Return what a card's button is about, None where there is no such card (any more)."""
        async with self.desk.work.reading() as rows:
            enhancement = await rows.enhancements.get(self.team_id, token.subject_id)
        return card_of(enhancement) if enhancement else None

    async def waiting(self, member: Member, *, limit: int = 10) -> Sequence[PreviewReady]:
        """Return the previews that wait for a decision, the oldest first, for a home page."""
        return await decide.waiting(self.desk, member.team_id, limit=limit)

    async def settings(self, place: Place) -> SettingsShown:
        """Return what holds in a place."""
        async with self.desk.work.reading() as rows:
            return await rows.places.settings(self.team_id, place)

    async def admit(self, actor: Actor, role: Role) -> Member | None:
        """Make somebody a member whom their workspace vouches for; a member already keeps their role.

        None for somebody whom an admin removed: they stay a stranger.
        """
        async with self.desk.work.reading() as rows:
            member = await rows.people.find_member(self.team_id, actor)
            if member is not None and await rows.people.is_vouched_for(self.team_id, actor):
                return member
        async with self.desk.work() as work:
            return await work.people.admit(self.team_id, actor, member.role if member else role, now=self.desk.clock())

    async def is_vouched_for(self, actor: Actor) -> bool:
        """Whether somebody's membership hangs on what their workspace says of them."""
        async with self.desk.work.reading() as rows:
            return await rows.people.is_vouched_for(self.team_id, actor)

    async def suspend(self, actor: Actor, *, even_invited: bool) -> None:
        """Take the membership of somebody whose workspace no longer vouches for them; a stranger stays one."""
        member = await self.member(actor)
        if member is None or not (even_invited or await self.is_vouched_for(actor)):
            return
        async with self.desk.work() as work:
            if await work.people.suspend(self.team_id, actor, even_invited=even_invited):
                now = self.desk.clock()
                await work.audit(
                    AuditEntry(self.team_id, now, "Packshot", "suspended", "", member.member_id, "", about=member.name)
                )
