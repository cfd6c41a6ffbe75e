"""Who may what, changed by an admin: invitations, roles, and taking somebody's access away.

A change counts from the person's very next press or word: nothing about a role is remembered anywhere but in the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from domain.errors import BadInput, NotPossible
from domain.intents import CorrectPart, Intent, Press
from domain.people import LOCAL_OWNER, Actor, ChatName, Member, Place, Role
from domain.ports import Reading, UnitOfWork
from domain.rows import AuditEntry
from domain.sentences import Sentence
from domain.team_intents import ChangeRole, DismissMember, RevokeInvitation
from domain.team_replies import InvitationLine, InvitationList, InvitationRevoked, MemberChanged, RemovalAsked
from handlers.desk import Asked, Desk

_MARK_CHARS = 4


async def meant(member: Member, intent: Intent, rows: Reading) -> Intent:
    """Return what `remove NAME` means where it names a colleague and not a part of a picture; other intents as they are."""
    if (
        not isinstance(intent, CorrectPart)
        or intent.kind != "remove"
        or intent.sku
        or not member.role.covers(Role.ADMIN)
    ):
        return intent
    words = intent.words.casefold()
    name = intent.words[len("member ") :] if words.startswith("member ") else intent.words
    names = {item.name.casefold() for item in await rows.people.members(member.team_id)}
    return DismissMember(name) if name.partition("#")[0].strip().casefold() in names else intent


async def list_invitations(asked: Asked, desk: Desk) -> None:
    """Answer with the codes that may still be redeemed."""
    async with desk.work(asked.incoming) as work:
        found = await work.teams.invitations(asked.member.team_id, now=desk.clock())
        lines = [InvitationLine(item.invitation_id, item.role, item.invited_by, item.expires_at) for item in found]
        await work.answer(InvitationList(tuple(lines)))


async def revoke(asked: Asked, intent: RevokeInvitation, desk: Desk) -> None:
    """End an open invitation. Raises BadInput for an id that is none."""
    member, now = asked.member, desk.clock()
    async with desk.work(asked.incoming) as work:
        ended = await work.teams.revoke(member.team_id, intent.invitation_id, now=now)
        if ended is None:
            raise BadInput(
                "There is no open invitation {id}: `invitations` lists those that are.", id=intent.invitation_id[:20]
            )
        await work.answer(InvitationRevoked(ended.invitation_id, ended.role))
        await work.audit(
            AuditEntry(
                member.team_id, now, member.name, "revoked", "", ended.invitation_id, f"a new {ended.role.value}"
            )
        )


async def change_role(asked: Asked, intent: ChangeRole, desk: Desk) -> None:
    """Give somebody another role. Raises BadInput for an unknown or ambiguous name, NotPossible."""
    admin, now = asked.member, desk.clock()
    async with desk.work(asked.incoming) as work:
        member = await _named(work, admin.team_id, intent.name, f"role {{}} {intent.role.value}")
        if member.role is intent.role:
            raise NotPossible("{name} is {role} already.", name=member.name, role=Sentence(member.role.value))
        chats = await work.teams.chats_of(member.member_id)
        await _check(work, asked, member, chats, stays_admin=intent.role is Role.ADMIN)
        if not await work.teams.set_role(member, intent.role):
            raise _changed_meanwhile(member)
        team = await work.people.team(admin.team_id)
        said = MemberChanged(member.name, intent.role, admin.name, team.name)
        await work.answer(said)
        await _tell(work, asked, member, chats, replace(said, is_you=True))
        await work.audit(
            AuditEntry(
                admin.team_id,
                now,
                admin.name,
                "role",
                "",
                member.member_id,
                intent.role.value,
                about=member.name,
                before={"role": member.role.value},
                after={"role": intent.role.value},
            )
        )


async def ask_dismissal(asked: Asked, intent: DismissMember, desk: Desk) -> None:
    """Ask whether somebody's access shall really go. Raises BadInput, NotPossible."""
    async with desk.work(asked.incoming) as work:
        member = await _named(work, asked.member.team_id, intent.name, "dismiss {}")
        chats = await work.teams.chats_of(member.member_id)
        await _check(work, asked, member, chats, stays_admin=False)
        names = tuple(dict.fromkeys(actor.chat.value for actor in chats))
        await work.answer(RemovalAsked(member.member_id, member.name, member.role, names))


async def dismiss(asked: Asked, intent: Press, desk: Desk) -> None:
    """Take somebody's access away, in every chat and browser. Raises BadInput, NotPossible."""
    admin, now = asked.member, desk.clock()
    async with desk.work(asked.incoming) as work:
        members = await work.people.members(admin.team_id)
        member = next((item for item in members if item.member_id == intent.token.subject_id), None)
        if member is None:
            raise BadInput("They do not belong here any more: `members` lists who does.")
        chats = await work.teams.chats_of(member.member_id)
        await _check(work, asked, member, chats, stays_admin=False)
        if not await work.teams.remove(member, now=now):
            raise _changed_meanwhile(member)
        team = await work.people.team(admin.team_id)
        said = MemberChanged(member.name, None, admin.name, team.name)
        await work.answer(said)
        await _tell(work, asked, member, chats, replace(said, is_you=True))
        await work.audit(
            AuditEntry(
                admin.team_id,
                now,
                admin.name,
                "dismissed",
                "",
                member.member_id,
                member.role.value,
                about=member.name,
                before={"role": member.role.value},
            )
        )


async def _check(work: UnitOfWork, asked: Asked, member: Member, chats: Sequence[Actor], *, stays_admin: bool) -> None:
    """Raise NotPossible for whom no admin can change, and for the last admin."""
    if any(actor.chat is ChatName.CONSOLE and actor.actor_id == LOCAL_OWNER for actor in chats):
        raise NotPossible(
            "{name} is whoever runs me on its own machine: that stays an admin, so change the others.", name=member.name
        )
    is_owner_asking = asked.incoming.actor.chat is ChatName.CONSOLE and asked.incoming.actor.actor_id == LOCAL_OWNER
    must_stay = member.role is Role.ADMIN and not stays_admin and not is_owner_asking
    if must_stay and not await work.teams.has_admin_besides(member):
        raise NotPossible(
            "{name} is the last admin of this shop: make somebody else one first, with `role NAME admin`.",
            name=member.name,
        )


def _changed_meanwhile(member: Member) -> NotPossible:
    return NotPossible("Somebody else has just changed {name}: look at `members`, then try again.", name=member.name)


async def _named(work: UnitOfWork, team_id: str, name: str, command: str) -> Member:
    """Return who is meant: the whole name, or the only one that begins so; `NAME#1a2b` tells two of one name apart."""
    members = await work.people.members(team_id)
    name, _, mark = name.partition("#")
    wanted = name.strip().casefold()
    found = [member for member in members if member.name.casefold() == wanted]
    found = found or [member for member in members if wanted and member.name.casefold().startswith(wanted)]
    if mark:
        found = [member for member in found if _mark(member) == mark.strip().casefold()]
    if not found:
        raise BadInput("Nobody here is called {name}: `members` lists everybody.", name=name.strip()[:80])
    if len(found) > 1:
        choices = ", ".join(
            f"`{command.format(f'{member.name}#{_mark(member)}')}` ({member.role.value})" for member in found[:6]
        )
        raise BadInput(
            "There are {number} people called {name}: say which, with {choices}.",
            number=len(found),
            name=name.strip()[:80],
            choices=choices,
        )
    return found[0]


def _mark(member: Member) -> str:
    return hashlib.sha256(member.member_id.encode()).hexdigest()[:_MARK_CHARS]


async def _tell(work: UnitOfWork, asked: Asked, member: Member, chats: Sequence[Actor], said: MemberChanged) -> None:
    """Tell the person themselves, where their chat lets us write to one person; the console shows it at their next word."""
    if member.member_id == asked.member.member_id:
        return
    for actor in chats:
        if actor.chat is not ChatName.CONSOLE:
            # In both chats a person's own id is also the address of their talk with us.
            await work.say_in(Place(actor.chat, actor.actor_id), said, team_id=member.team_id)
