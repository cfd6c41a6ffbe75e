"""The row of the command table about signed-in browsers."""

from __future__ import annotations

from domain.errors import BadInput
from domain.intents import Intent
from domain.people import Role
from domain.sessions import EndSessions, ListSessions
from handlers.command import Command, Words


def _read(words: Words) -> Intent:
    match [word.lower() for word in words.plain]:
        case []:
            return ListSessions()
        case ["end", "all"]:
            return EndSessions("")
        case ["end", mark]:
            return EndSessions(mark[:20])
        case _:
            raise BadInput(
                "Write `sessions` to see your browsers, `sessions end MARK` or `sessions end all` to sign out."
            )


SESSION_COMMANDS: tuple[Command, ...] = (
    Command(
        "sessions",
        Role.VIEWER,
        "sessions [end MARK|all]",
        "The browsers you are signed in with; `end` signs one out, or all",
        "sessions end 3fa9c1",
        _read,
    ),
)
