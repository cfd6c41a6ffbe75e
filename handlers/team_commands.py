"""The rows of the command table about teams: invitations, roles, rules, several shops."""

from __future__ import annotations

from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from domain.team_intents import (
    AgreeRules,
    ChangeRole,
    DismissMember,
    InviteWorkspace,
    ListInvitations,
    RevokeInvitation,
    ShowTeam,
)
from handlers.command import Command, Words


def _read_role(words: Words) -> Intent:
    if len(words.plain) < 2:
        raise BadInput("Write it as `role NAME viewer|editor|approver|admin`; `members` lists the names.")
    return ChangeRole(" ".join(words.plain[:-1]), Role.parse(words.plain[-1]))


def _read_dismiss(words: Words) -> Intent:
    if not words.plain:
        raise BadInput("Whose access shall go? Write `dismiss NAME`; `members` lists the names.")
    return DismissMember(words.text)


def _read_revoke(words: Words) -> Intent:
    if len(words.plain) != 1:
        raise BadInput("Which invitation? Write `revoke ID`; `invitations` lists the open ones.")
    return RevokeInvitation(words.plain[0])


def _read_rules(words: Words) -> Intent:
    if words.plain:
        raise BadInput("Write it as `rules own=off approvals=2`, or `rules` alone.")
    return AgreeRules(words.options)


TEAM_COMMANDS: tuple[Command, ...] = (
    Command(
        "invitations",
        Role.ADMIN,
        "invitations",
        "The codes that nobody has used yet",
        "invitations",
        lambda words: ListInvitations(),
    ),
    Command(
        "revoke",
        Role.ADMIN,
        "revoke ID",
        "End an invitation before somebody uses it",
        "revoke 3fa9c1",
        _read_revoke,
    ),
    Command(
        "role",
        Role.ADMIN,
        "role NAME viewer|editor|approver|admin",
        "Give somebody another role; it counts from their next press on",
        "role Nina approver",
        _read_role,
    ),
    Command(
        "dismiss",
        Role.ADMIN,
        "dismiss NAME",
        "Take somebody's access away, everywhere and at once; `remove NAME` does the same",
        "dismiss Nina",
        _read_dismiss,
    ),
    Command(
        "rules",
        Role.VIEWER,
        "rules [own=on|off] [approvals=1|2]",
        "Who may approve: also one's own pictures, or only somebody else; one person, or two",
        "rules",
        _read_rules,
    ),
    Command(
        "team",
        Role.VIEWER,
        "team [NAME]",
        "Which shop this is; a name switches to another one of yours, in a private talk",
        "team",
        lambda words: ShowTeam(words.text),
    ),
    Command(
        "workspace",
        Role.ADMIN,
        "workspace",
        "A one-time link that adds me to your Slack workspace",
        "workspace",
        lambda words: InviteWorkspace(),
    ),
)
