"""What the replies about teams say, in the reader's words; each chat draws it in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain.people import ChatName
from domain.team_replies import (
    InvitationList,
    InvitationRevoked,
    MemberChanged,
    RemovalAsked,
    RulesShown,
    TeamReply,
    TeamShown,
    WorkspaceInvited,
)
from handlers.words import ENGLISH, Words

_CHAT_NAMES = {ChatName.SLACK.value: "Slack", ChatName.TELEGRAM.value: "Telegram", ChatName.CONSOLE.value: "console"}


@dataclass(frozen=True, slots=True)
class TeamFace:
    """A title, lines, what to type next (with `commands`), and perhaps one address to open."""

    icon: str
    title: str
    lines: tuple[str, ...] = ()
    hint: str = ""
    link_label: str = ""
    link_url: str = ""


def team_face(
    reply: TeamReply,
    words: Words = ENGLISH,
    *,
    clean: Callable[[str], str] = str,
    time: Callable[[datetime], str] | None = None,
) -> TeamFace:
    """Return a reply in words. `clean` makes people's words harmless in a chat, `time` writes a moment."""
    at = time or words.time
    match reply:
        case InvitationList(lines):
            rows = tuple(
                words(
                    "{id}: one more {role}, by {by}, good until {time}",
                    id=line.invitation_id,
                    role=words(line.role.value),
                    by=clean(line.invited_by),
                    time=at(line.expires_at),
                )
                for line in lines
            )
            hint = words("`revoke ID` ends one of them.") if rows else words("`invite editor` makes one.")
            return TeamFace("✉️", words("Open invitations"), rows or (words("No invitation is open."),), hint)
        case InvitationRevoked():
            said = words("The invitation {id} is ended: nobody can use its code any more.", id=reply.invitation_id)
            return TeamFace("✅", said)
        case MemberChanged():
            return TeamFace("👤", _changed(reply, words, clean))
        case RemovalAsked():
            chats = words.list([_CHAT_NAMES.get(chat, chat) for chat in reply.chats])
            title = words("Take the access of {name} away?", name=clean(reply.name))
            said = words(
                "They are {role}, in {chats}. From their next press on I do not know them any more; what they did stays in the history.",
                role=words(reply.role.value),
                chats=chats,
            )
            return TeamFace("⚠️", title, (said,))
        case RulesShown():
            own = words("One may approve what one asked for oneself.")
            if not reply.own:
                own = words("Nobody approves what they asked for themselves.")
            count = words.count("{number} person approves.", "{number} different people approve.", reply.approvals)
            hint = words("An admin changes that with `rules own=off approvals=2`.")
            return TeamFace("⚖️", words("Who may approve"), (own, count), hint)
        case TeamShown():
            title = words(
                "This is {team}, and you are {role} here.", team=clean(reply.name), role=words(reply.role.value)
            )
            if not reply.others:
                return TeamFace("🏬", title)
            others = words("You also belong to {teams}.", teams=words.list([clean(name) for name in reply.others]))
            return TeamFace("🏬", title, (others,), words("`team NAME` switches this talk to another one."))
        case WorkspaceInvited():
            said = words("Good once, until {time}. Only you can see it.", time=at(reply.expires_at))
            title = words("Add me to your Slack workspace")
            return TeamFace("🔗", title, (said,), link_label=words("Open Slack's page"), link_url=reply.url)
        case _:
            assert_never(reply)


def _changed(reply: MemberChanged, words: Words, clean: Callable[[str], str]) -> str:
    by, team = clean(reply.by), clean(reply.team)
    if reply.role is None:
        if reply.is_you:
            return words("{by} has taken your access to {team} away. Ask them if that is a mistake.", by=by, team=team)
        return words("{name} has no access any more.", name=clean(reply.name))
    role = words(reply.role.value)
    if reply.is_you:
        return words("{by} made you {role} at {team}. It counts from now on.", by=by, role=role, team=team)
    return words("{name} is {role} now. It counts from their next press on.", name=clean(reply.name), role=role)
