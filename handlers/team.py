"""Who belongs to the shop, and what happened in it: `members`, `invite`, `join`, `history`, `help`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.errors import BadInput
from domain.intents import Incoming, Invite, Join, ShowHelp
from domain.people import ChatName, Role
from domain.replies import HelpLine, HelpShown, Invited, Joined, MemberLine, MemberList
from domain.rows import AuditEntry
from handlers.commands import BY_NAME, COMMANDS
from handlers.desk import Asked, Desk
from handlers.teams import is_private

INVITATION_LIFE = timedelta(days=7)


async def list_members(asked: Asked, desk: Desk) -> None:
    """Answer with everybody and their role."""
    async with desk.work(asked.incoming) as work:
        members = await work.people.members(asked.member.team_id)
        await work.answer(MemberList(tuple(MemberLine(member.name, member.role) for member in members)))


async def invite(asked: Asked, intent: Invite, desk: Desk) -> None:
    """Answer with a one-time code, valid a week."""
    now = desk.clock()
    is_here = asked.incoming.place.chat is ChatName.CONSOLE
    telegram = await desk.doors.telegram()  # may ask Telegram for our name: not while a transaction is open
    console = desk.doors.console_here() if is_here else desk.doors.console()
    async with desk.work(asked.incoming) as work:
        invitation = await work.people.invite(
            asked.member.team_id, intent.role, by=asked.member.name, expires_at=now + INVITATION_LIFE
        )
        code = invitation.code
        await work.answer(
            Invited(
                code,
                invitation.role,
                invitation.expires_at,
                telegram_url=f"{telegram}{code}" if telegram else "",
                console_url=f"{console}{code}" if console else "",
            )
        )
        await work.audit(
            AuditEntry(
                asked.member.team_id,
                now,
                asked.member.name,
                "invited",
                "",
                "",
                f"a new {intent.role.value}",
                after={"role": intent.role.value},
            )
        )


async def join(incoming: Incoming, intent: Join, desk: Desk) -> None:
    """Redeem a code. The only thing a stranger may do. Raises BadInput for a code that does not count.

    A code of another shop than the place's is good only where one bot serves several, which is Telegram: its private
    talk is that shop's from then on.
    """
    now = desk.clock()
    async with desk.work.reading() as rows:
        invited = await rows.teams.invited_to(intent.code, now=now)
    if invited is not None and invited.team_id != incoming.team_id:
        if incoming.place.chat is not ChatName.TELEGRAM:
            raise BadInput(
                "That code is of another shop than this place: open /console in a browser that is signed out, or send it to the bot in Telegram."
            )
        incoming = replace(incoming, team_id=invited.team_id)
    async with desk.work(incoming) as work:
        member = await work.people.join(intent.code, incoming.actor, now=now)
        if member is None:
            raise BadInput(
                "That code is not for you: it is unknown, used, older than a week, or you belong here already: ask your admin for a new one."
            )
        if incoming.place.chat is ChatName.TELEGRAM:
            await work.teams.settle(incoming.place, member.team_id, now=now, moves=is_private(incoming.place))
        team = await work.people.team(member.team_id)
        await work.answer(Joined(member.name, member.role, team.name))
        await work.audit(
            AuditEntry(
                member.team_id,
                now,
                member.name,
                "joined",
                "",
                member.member_id,
                f"as {member.role.value}",
                after={"role": member.role.value},
            )
        )


async def show_help(asked: Asked, intent: ShowHelp, desk: Desk) -> None:
    """Answer with the commands this person's role may use, or with one of them."""
    allowed = help_lines(asked.member.role)
    wanted = BY_NAME.get(intent.topic.removeprefix("/"))
    lines = tuple(line for line in allowed if wanted is None or line.usage == wanted.usage)
    async with desk.work(asked.incoming) as work:
        await work.answer(HelpShown(lines or allowed))


def help_lines(role: Role) -> tuple[HelpLine, ...]:
    """Return the rows of the command table that a role may use."""
    return tuple(HelpLine(item.usage, item.meaning, item.example) for item in COMMANDS if role.covers(item.needs))
