"""Rules, homes, invitations, roles and removals of teams: the port `TeamRows`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.people import LOCAL_OWNER, Actor, ChatName, Member, Place, Role, Team
from domain.rules import Approval, DecisionRules
from domain.team_rows import Home, OpenInvitation
from storage.codec import clean_text
from storage.people import SUSPENDED, hashed
from storage.sessions import end_logins
from storage.statements import change, find_all, find_one, insert_once, lock_until_commit, run_made, table_of
from storage.tables import ConsoleLoginRow, IdentityRow, InvitationRow, MemberRow, PostedMessageRow, TeamRow
from storage.team_tables import ApprovalRow, PlaceHomeRow, TeamRuleRow

INVITATION_ID_CHARS = 6
"""Of the hash of a code: enough to tell a shop's open invitations apart, and of no use to redeem one."""


class SqlTeams:
    """The teams seen by one transaction."""

    def __init__(self, db_session: AsyncSession) -> None:
        self._db_session = db_session

    async def all(self) -> Sequence[Team]:
        """Return every team of the deployment, the oldest first."""
        rows = await find_all(self._db_session, select(TeamRow).order_by(col(TeamRow.created_at), col(TeamRow.team_id)))
        return [Team(row.team_id, row.name) for row in rows]

    async def teams_of(self, actor: Actor) -> Sequence[Team]:
        """Return the teams this actor is a member of, by name."""
        who = {"actor_chat": actor.chat.value, "actor_id": actor.actor_id}
        joined = [row.team_id for row in await run_made(self._db_session, _MEMBERSHIPS, who)]
        mine = select(TeamRow).where(col(TeamRow.team_id).in_(joined))
        teams = [Team(row.team_id, row.name) for row in await find_all(self._db_session, mine)]
        return sorted(teams, key=lambda team: (team.name.casefold(), team.team_id))

    async def home(self, place: Place, actor: Actor, message_id: str) -> Home:
        """Return whose a place and a message in it are (empty for nobody's), and where the actor is a member."""
        who = {
            "chat": place.chat.value,
            "place_id": place.place_id,
            "actor_chat": actor.chat.value,
            "actor_id": actor.actor_id,
        }
        found = (await run_made(self._db_session, _HOME, who)).all()
        place_team = next((row.team_id for row in found if row.is_place), "")
        joined = sorted((row.at, row.team_id) for row in found if not row.is_place)
        teams = [team_id for _, team_id in joined]
        message_team = ""
        if message_id and len(teams) > 1:
            shown = select(PostedMessageRow).where(
                col(PostedMessageRow.chat) == place.chat.value,
                col(PostedMessageRow.place_id) == place.place_id,
                col(PostedMessageRow.native_id) == message_id,
            )
            message = await find_one(self._db_session, shown)
            message_team = "" if message is None else message.team_id
        return Home(place_team, message_team, tuple(teams))

    async def settle(self, place: Place, team_id: str, *, now: datetime, moves: bool) -> bool:
        """Give a place to a team; `moves`: also where it has another. False when nothing changed."""
        row = PlaceHomeRow(chat=place.chat.value, place_id=place.place_id, team_id=team_id, since=now)
        if await insert_once(self._db_session, row):
            return True
        if not moves:
            return False
        other = update(PlaceHomeRow).where(*_is_place(place), col(PlaceHomeRow.team_id) != team_id)
        return await change(self._db_session, other.values(team_id=team_id, since=now)) == 1

    # ------------------------------------------------------------ decisions

    async def rules(self, team_id: str) -> DecisionRules:
        """Return what holds for approving."""
        row = await find_one(self._db_session, select(TeamRuleRow).where(col(TeamRuleRow.team_id) == team_id))
        return DecisionRules() if row is None else DecisionRules(row.own, row.approvals)

    async def set_rules(self, team_id: str, rules: DecisionRules) -> None:
        """Set it."""
        row = TeamRuleRow(team_id=team_id, own=rules.own, approvals=rules.approvals)
        if not await insert_once(self._db_session, row):
            mine = update(TeamRuleRow).where(col(TeamRuleRow.team_id) == team_id)
            await change(self._db_session, mine.values(own=rules.own, approvals=rules.approvals))

    async def approve(self, enhancement_id: str, revision: int, team_id: str, approval: Approval) -> bool:
        """Keep one person's yes; False when they had said it."""
        return await insert_once(
            self._db_session,
            ApprovalRow(
                enhancement_id=enhancement_id,
                revision=revision,
                member_id=approval.member_id,
                team_id=team_id,
                by_name=clean_text(approval.by_name),
                approved_at=approval.approved_at,
            ),
        )

    async def approvals(self, enhancement_id: str, revision: int) -> Sequence[Approval]:
        """Return who has said yes to a revision, the first one first."""
        return await approvals_of(self._db_session, enhancement_id, revision)

    async def take_back(self, enhancement_id: str, revision: int, member_id: str) -> bool:
        """Forget one person's yes; False when there was none."""
        mine = delete(ApprovalRow).where(
            col(ApprovalRow.enhancement_id) == enhancement_id,
            col(ApprovalRow.revision) == revision,
            col(ApprovalRow.member_id) == member_id,
        )
        return await change(self._db_session, mine) == 1

    # ------------------------------------------------------------ invitations

    async def invitations(self, team_id: str, *, now: datetime) -> Sequence[OpenInvitation]:
        """Return the codes that may still be redeemed, the next to expire first."""
        statement = select(InvitationRow).where(col(InvitationRow.team_id) == team_id, *_is_open(now))
        rows = await find_all(self._db_session, statement.order_by(col(InvitationRow.expires_at)))
        return [_open_invitation(row) for row in rows]

    async def revoke(self, team_id: str, invitation_id: str, *, now: datetime) -> OpenInvitation | None:
        """End an open invitation; None when there is none of that id (any more)."""
        mine = (
            col(InvitationRow.team_id) == team_id,
            func.substr(col(InvitationRow.code_hash), 1, INVITATION_ID_CHARS) == invitation_id.strip().lower(),
            *_is_open(now),
        )
        row = await find_one(self._db_session, select(InvitationRow).where(*mine))
        if row is None:
            return None
        ended = update(InvitationRow).where(*mine).values(revoked_at=now)
        return _open_invitation(row) if await change(self._db_session, ended) else None

    async def invited_to(self, code: str, *, now: datetime) -> Team | None:
        """Return the team a good code is for, without redeeming it."""
        statement = (
            select(TeamRow)
            .join(InvitationRow, col(InvitationRow.team_id) == col(TeamRow.team_id))
            .where(col(InvitationRow.code_hash) == hashed(code), *_is_open(now))
        )
        row = await find_one(self._db_session, statement)
        return None if row is None else Team(row.team_id, row.name)

    # ------------------------------------------------------------ members

    async def is_taken(self, team_id: str, name: str) -> bool:
        """Whether a member is called so in the console, in any spelling of case: there a name is all there is to them."""
        statement = (
            select(IdentityRow)
            .join(MemberRow, col(MemberRow.member_id) == col(IdentityRow.member_id))
            .where(
                col(IdentityRow.team_id) == team_id,
                col(IdentityRow.chat) == ChatName.CONSOLE.value,
                col(MemberRow.removed_at).is_(None),
            )
        )
        # Compared here: SQLite folds the case of ASCII letters only.
        return any(row.actor_id.casefold() == name.casefold() for row in await find_all(self._db_session, statement))

    async def chats_of(self, member_id: str) -> Sequence[Actor]:
        """Return who a member is in each chat."""
        statement = select(IdentityRow).where(col(IdentityRow.member_id) == member_id)
        rows = await find_all(self._db_session, statement.order_by(col(IdentityRow.chat), col(IdentityRow.actor_id)))
        return [Actor(ChatName(row.chat), row.actor_id, "") for row in rows]

    async def has_admin_besides(self, member: Member) -> bool:
        """Whether somebody else in reach, not the local owner, is an admin. Waits for whoever changes one now."""
        # Two admins who remove each other at once would leave none.
        await lock_until_commit(self._db_session, f"admins:{member.team_id}")
        other = (
            select(MemberRow)
            .join(IdentityRow, col(IdentityRow.member_id) == col(MemberRow.member_id))
            .where(
                col(MemberRow.team_id) == member.team_id,
                col(MemberRow.member_id) != member.member_id,
                col(MemberRow.role) == Role.ADMIN.value,
                col(MemberRow.removed_at).is_(None),
                col(IdentityRow.standing) != SUSPENDED,
                ~((col(IdentityRow.chat) == ChatName.CONSOLE.value) & (col(IdentityRow.actor_id) == LOCAL_OWNER)),
            )
        )
        return await find_one(self._db_session, other) is not None

    async def set_role(self, member: Member, role: Role) -> bool:
        """Change a role; False when it was no longer what `member` says, or they are gone."""
        mine = update(MemberRow).where(*_is_still(member), col(MemberRow.role) == member.role.value)
        return await change(self._db_session, mine.values(role=role.value)) == 1

    async def remove(self, member: Member, *, now: datetime) -> bool:
        """Take somebody's access in every chat and browser, and the open invitations they made; False when it was gone."""
        gone = update(MemberRow).where(*_is_still(member)).values(removed_at=now)
        if await change(self._db_session, gone) != 1:
            return False
        await end_logins(self._db_session, col(ConsoleLoginRow.member_id) == member.member_id)
        # Else whoever saw it coming could have kept a code to come back with.
        theirs = update(InvitationRow).where(
            col(InvitationRow.team_id) == member.team_id,
            col(InvitationRow.invited_by) == clean_text(member.name),
            *_is_open(now),
        )
        await change(self._db_session, theirs.values(revoked_at=now))
        return True


async def approvals_of(db_session: AsyncSession, enhancement_id: str, revision: int) -> Sequence[Approval]:
    """Return who has said yes to a revision, the first one first."""
    statement = select(ApprovalRow).where(
        col(ApprovalRow.enhancement_id) == enhancement_id, col(ApprovalRow.revision) == revision
    )
    in_order = statement.order_by(col(ApprovalRow.approved_at), col(ApprovalRow.member_id))
    rows = await find_all(db_session, in_order)
    return [Approval(row.member_id, row.by_name, row.approved_at) for row in rows]


_places, _members, _identities = (table_of(kind).columns for kind in (PlaceHomeRow, MemberRow, IdentityRow))
_MEMBERSHIPS = (
    select(literal(False).label("is_place"), _identities["team_id"], _members["created_at"].label("at"))
    .join_from(table_of(IdentityRow), table_of(MemberRow), _members["member_id"] == _identities["member_id"])
    .where(
        _identities["chat"] == bindparam("actor_chat"),
        _identities["actor_id"] == bindparam("actor_id"),
        _identities["standing"] != SUSPENDED,
        _members["removed_at"].is_(None),
    )
)
_HOME = _MEMBERSHIPS.union_all(
    select(literal(True), _places["team_id"], _places["since"]).where(
        _places["chat"] == bindparam("chat"), _places["place_id"] == bindparam("place_id")
    )
)
"""Made once: every event from Telegram asks it."""


def _is_place(place: Place) -> tuple[ColumnElement[bool], ...]:
    return col(PlaceHomeRow.chat) == place.chat.value, col(PlaceHomeRow.place_id) == place.place_id


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(InvitationRow.used_at).is_(None),
        col(InvitationRow.revoked_at).is_(None),
        col(InvitationRow.expires_at) > now,
    )


def _is_still(member: Member) -> tuple[ColumnElement[bool], ...]:
    return (
        col(MemberRow.member_id) == member.member_id,
        col(MemberRow.team_id) == member.team_id,
        col(MemberRow.removed_at).is_(None),
    )


def _open_invitation(row: InvitationRow) -> OpenInvitation:
    return OpenInvitation(row.code_hash[:INVITATION_ID_CHARS], Role(row.role), row.invited_by, row.expires_at)
