"""`settings`: the language, the time zone and the previews of one place."""

from __future__ import annotations

from dataclasses import asdict, replace
from difflib import get_close_matches
from zoneinfo import available_timezones

from domain.errors import BadInput, NotAllowed
from domain.intents import Settle
from domain.people import Role
from domain.replies import SettingsShown
from domain.rows import AuditEntry
from domain.sentences import Sentence
from handlers.desk import Asked, Desk
from handlers.words import LANGUAGES, known_language

_SWITCH = {"on": True, "yes": True, "off": False, "no": False}


async def settle(asked: Asked, intent: Settle, desk: Desk) -> None:
    """Answer with what holds here, after changing what was named. Raises BadInput, NotAllowed.

    Anybody may choose language and time zone; who sees all previews is an admin's to say, since they
    show what the shop works on.
    """
    incoming, member = asked.incoming, asked.member
    async with desk.work(incoming) as work:
        was = await work.places.settings(member.team_id, incoming.place)
        will_be = _changed(replace(was, language=known_language(was.language)), intent)
        if will_be.previews != was.previews and not member.role.covers(Role.ADMIN):
            raise NotAllowed(
                needs=Role.ADMIN.value, has=member.role.value, what=Sentence("Showing all previews somewhere")
            )
        if intent.options:
            await work.places.change(member.team_id, incoming.place, will_be)
            what = " ".join(f"{name}={word}" for name, word in intent.options.items())
            entry = AuditEntry(member.team_id, desk.clock(), member.name, "settled", "", "", what)
            await work.audit(replace(entry, before=asdict(was), after=asdict(will_be)))
        await work.answer(will_be)


def _changed(settings: SettingsShown, intent: Settle) -> SettingsShown:
    for name, word in intent.options.items():
        match name:
            case "language":
                if word.lower() not in LANGUAGES:
                    raise BadInput(
                        "I do not speak “{word}” yet: use one of {known}.",
                        word=word,
                        known=", ".join(f"language={each}" for each in LANGUAGES),
                    )
                settings = replace(settings, language=word.lower())
            case "timezone" | "tz":
                settings = replace(settings, timezone=read_zone(word))
            case "previews":
                if word.lower() not in _SWITCH:
                    raise BadInput("Previews are `previews=on` or `previews=off`.")
                settings = replace(settings, previews=_SWITCH[word.lower()])
            case _:
                raise BadInput("There is no setting “{name}”: I know language, timezone and previews.", name=name)
    return settings


def read_zone(word: str) -> str:
    """Return the IANA name of a zone that somebody typed. Raises BadInput with the nearest one."""
    by_key = {name.casefold(): name for name in available_timezones()}
    if found := by_key.get(word.casefold()):
        return found
    near = get_close_matches(word.casefold(), by_key, n=1)
    if near:
        guess = by_key[near[0]]
        raise BadInput("I do not know the time zone “{word}”: did you mean timezone={guess}?", word=word, guess=guess)
    raise BadInput("I do not know the time zone “{word}”: write it like timezone=Europe/Berlin.", word=word)
