"""Teams, members, identities and invitations: the port `PeopleRows`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.errors import Fault
from domain.people import Actor, ChatName, Invitation, Member, Role, Team
from domain.replies import Invited
from storage.codec import clean_text
from storage.statements import change, find_all, find_one, insert, insert_once, lock_until_commit
from storage.tables import ConsoleLineRow, IdentityRow, InvitationRow, MemberRow, OutboxRow, TeamRow

CODE_BYTES = 9
"""72 random bits, 12 characters: short enough to type, far too many to guess."""

INVITED, VOUCHED, SUSPENDED = "", "vouched", "suspended"
"""An identity's standing (storage/tables.py)."""


class SqlPeople:
    """The people seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def team(self, team_id: str) -> Team:
        """Return it. Raises Fault("row_missing")."""
        row = await find_one(self._db_session, select(TeamRow).where(col(TeamRow.team_id) == team_id))
        if row is None:
            raise Fault("row_missing", f"no team {team_id}")
        return Team(row.team_id, row.name)

    async def find_member(self, team_id: str, actor: Actor) -> Member | None:
        """Return the member this actor is in this team, None for strangers."""
        row = await find_one(
            self._db_session,
            select(MemberRow)
            .join(IdentityRow, col(IdentityRow.member_id) == col(MemberRow.member_id))
            .where(
                col(IdentityRow.team_id) == team_id,
                col(IdentityRow.chat) == actor.chat.value,
                col(IdentityRow.actor_id) == actor.actor_id,
                col(IdentityRow.standing) != SUSPENDED,
                col(MemberRow.removed_at).is_(None),
            ),
        )
        return None if row is None else member_of(row)

    async def is_vouched_for(self, team_id: str, actor: Actor) -> bool:
        """Whether somebody is a member because their workspace says so, and not only by a code."""
        identity = await self._identity(team_id, actor)
        return identity is not None and identity.standing == VOUCHED

    async def suspend(self, team_id: str, actor: Actor, *, even_invited: bool) -> bool:
        """Take the membership of somebody whom their workspace vouched for; `even_invited`: of whoever it is."""
        before = (VOUCHED, INVITED) if even_invited else (VOUCHED,)
        mine = update(IdentityRow).where(*_is(team_id, actor), col(IdentityRow.standing).in_(before))
        return await change(self._db_session, mine.values(standing=SUSPENDED)) == 1

    async def members(self, team_id: str) -> Sequence[Member]:
        """Return all of a team, by name; whoever was removed is none of them."""
        statement = select(MemberRow).where(col(MemberRow.team_id) == team_id, col(MemberRow.removed_at).is_(None))
        rows = await find_all(self._db_session, statement)
        # Sorted here: the two databases do not agree on the order of letters.
        return sorted((member_of(row) for row in rows), key=lambda member: (member.name.casefold(), member.member_id))

    async def add_member(
        self, team_id: str, name: str, role: Role, actor: Actor, *, now: datetime, standing: str = INVITED
    ) -> Member:
        """Make an actor a member, or raise the role of the member the actor is already.

        A suspended one whose workspace vouches again has their old role back; one who comes by a code has the code's.
        """
        # Two codes redeemed by one person at once must not make two members of them.
        await self._lock_identity(team_id, actor)
        identity = await self._identity(team_id, actor)
        if identity is not None:
            return await self._known(identity, role, actor, standing)
        row = MemberRow(
            member_id=secrets.token_urlsafe(12),
            team_id=team_id,
            name=clean_text(name),
            role=role.value,
            created_at=now,
        )
        await insert(self._db_session, row)
        await insert_once(
            self._db_session,
            IdentityRow(
                team_id=team_id,
                chat=actor.chat.value,
                actor_id=actor.actor_id,
                member_id=row.member_id,
                standing=standing,
            ),
        )
        return member_of(row)

    async def _known(self, identity: IdentityRow, role: Role, actor: Actor, standing: str) -> Member:
        """Return the member an identity is, with a role raised or given again."""
        was = identity.standing
        row = await find_one(self._db_session, select(MemberRow).where(col(MemberRow.member_id) == identity.member_id))
        if row is None:
            raise Fault("row_missing", f"no member {identity.member_id}")
        if row.removed_at is not None:
            if standing == VOUCHED:
                raise Fault("member_removed", f"member {row.member_id} was removed, and no workspace brings them back")
            # A new invitation of an admin: they begin again, with its role and nothing of the old one.
            mine = update(IdentityRow).where(*_is(identity.team_id, actor))
            await change(self._db_session, mine.values(standing=standing))
            again = update(MemberRow).where(col(MemberRow.member_id) == row.member_id)
            await change(self._db_session, again.values(removed_at=None))
            return await self._with_role(member_of(row), role)
        if was == SUSPENDED or standing == VOUCHED:
            mine = update(IdentityRow).where(*_is(identity.team_id, actor))
            await change(self._db_session, mine.values(standing=standing))
        if was == SUSPENDED and standing == INVITED:
            return await self._with_role(member_of(row), role)
        return member_of(row) if was == SUSPENDED else await self._raised(member_of(row), role)

    async def _is_removed(self, team_id: str, actor: Actor) -> bool:
        removed = (
            select(MemberRow)
            .join(IdentityRow, col(IdentityRow.member_id) == col(MemberRow.member_id))
            .where(*_is(team_id, actor), col(MemberRow.removed_at).is_not(None))
        )
        return await find_one(self._db_session, removed) is not None

    async def _identity(self, team_id: str, actor: Actor) -> IdentityRow | None:
        return await find_one(self._db_session, select(IdentityRow).where(*_is(team_id, actor)))

    async def admit(self, team_id: str, actor: Actor, role: Role, *, now: datetime) -> Member | None:
        """Make an actor a member whom their workspace vouches for; one who is a member already keeps the higher role.

        None for somebody whom an admin removed: their workspace's word does not count against the admin's.
        """
        await self._lock_identity(team_id, actor)
        if await self._is_removed(team_id, actor):
            return None
        name = actor.name or actor.actor_id
        return await self.add_member(team_id, name, role, actor, now=now, standing=VOUCHED)

    async def invite(self, team_id: str, role: Role, *, by: str, expires_at: datetime) -> Invitation:
        """Make a one-time code; only its hash is kept."""
        code = secrets.token_urlsafe(CODE_BYTES)
        row = InvitationRow(
            code_hash=hashed(code), team_id=team_id, role=role.value, invited_by=clean_text(by), expires_at=expires_at
        )
        await insert(self._db_session, row)
        return Invitation(code, role, expires_at)

    async def join(self, code: str, actor: Actor, *, now: datetime) -> Member | None:
        """Redeem a code once; None when it is unknown, used, revoked or expired.

        Somebody who is a member already keeps the higher of the two roles; not so in the console, where
        a name is all there is to an identity: a name that is taken gets None there, and the code stays
        good. A used code is blanked wherever we told it.
        """
        mine = col(InvitationRow.code_hash) == hashed(code)
        invitation = await find_one(self._db_session, select(InvitationRow).where(mine))
        if invitation is None:
            return None
        # Before the look at who is called so: of two codes redeemed under one name at once, the later one waits here.
        await self._lock_identity(invitation.team_id, actor)
        if actor.chat is ChatName.CONSOLE and await self.find_member(invitation.team_id, actor) is not None:
            return None
        used = await change(
            self._db_session,
            update(InvitationRow)
            .where(
                mine,
                col(InvitationRow.used_at).is_(None),
                col(InvitationRow.revoked_at).is_(None),
                col(InvitationRow.expires_at) > now,
            )
            .values(used_at=now),
        )
        if used != 1:
            return None
        role = Role(invitation.role)
        member = await self.add_member(invitation.team_id, actor.name or actor.actor_id, role, actor, now=now)
        await change(self._db_session, update(InvitationRow).where(mine).values(used_by=member.member_id))
        await self._blank_code(invitation)
        return member

    async def _blank_code(self, invitation: InvitationRow) -> None:
        """Blank a used code in the lines and messages that told it, its only clear copies with us."""
        for table, row_id in ((ConsoleLineRow, col(ConsoleLineRow.cursor)), (OutboxRow, col(OutboxRow.outbox_id))):
            told = select(row_id, col(table.reply)).where(
                col(table.team_id) == invitation.team_id,
                col(table.reply)["type"].as_string() == Invited.__name__,
            )
            for number, words in (await self._db_session.execute(told.order_by(row_id))).all():
                if hashed(words["code"]) == invitation.code_hash:
                    blanked = {**words, "code": "", "telegram_url": "", "console_url": ""}
                    await change(self._db_session, update(table).where(row_id == number).values(reply=blanked))

    async def _lock_identity(self, team_id: str, actor: Actor) -> None:
        await lock_until_commit(self._db_session, f"identity:{team_id}:{actor.chat.value}:{actor.actor_id}")

    async def _raised(self, member: Member, role: Role) -> Member:
        return member if member.role.covers(role) else await self._with_role(member, role)

    async def _with_role(self, member: Member, role: Role) -> Member:
        await change(
            self._db_session,
            update(MemberRow).where(col(MemberRow.member_id) == member.member_id).values(role=role.value),
        )
        return Member(member.member_id, member.team_id, member.name, role)


def _is(team_id: str, actor: Actor) -> tuple[ColumnElement[bool], ...]:
    return (
        col(IdentityRow.team_id) == team_id,
        col(IdentityRow.chat) == actor.chat.value,
        col(IdentityRow.actor_id) == actor.actor_id,
    )


def member_of(row: MemberRow) -> Member:
    """Return a row as the domain's value."""
    return Member(row.member_id, row.team_id, row.name, Role(row.role))


def hashed(secret: str) -> str:
    """Return what we keep of a random code or cookie; it is too long to be guessed back from this."""
    return hashlib.sha256(secret.strip().encode()).hexdigest()
