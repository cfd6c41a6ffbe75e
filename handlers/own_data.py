"""`export` and `forget`: a team takes its data with it, and has it deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.data_intents import Forget
from domain.data_replies import ExportOffered, Forgotten
from domain.data_rows import PersonTraces
from domain.errors import BadInput, NotPossible
from domain.people import Role
from domain.ports import UnitOfWork
from domain.rows import AuditEntry
from domain.sentences import Sentence
from handlers.data_faces import as_word
from handlers.desk import Asked, Desk
from handlers.words import text

EXPORT_LIFE = timedelta(hours=1)

_THINGS: Mapping[str, str] = {
    "enhancement": text("{number} pictures with their photos and decisions"),
    "placement": text("{number} publications; what is in the stores stays there"),
    "store": text("{number} stores with their keys; what was granted at the store ends there only if you end it"),
    "member": text("{number} members"),
    "audit": text("{number} lines of the history"),
    "console_line": text("{number} lines of the browser chat"),
}
"""How the tables that people know are called; all others are summed up."""


async def export(asked: Asked, desk: Desk) -> None:
    """Answer with an address that gives everything of the team away, once and within the hour. Raises NotPossible where there is no page."""
    now, member = desk.clock(), asked.member
    if not desk.doors.export():
        raise NotPossible(
            "There is no page here to fetch it from: whoever runs me writes the file with `packshot export`."
        )
    async with desk.work(asked.incoming) as work:
        code = await work.data.offer_export(member.team_id, by=member.name, expires_at=now + EXPORT_LIFE)
        await work.answer(ExportOffered(desk.doors.export() + code, now + EXPORT_LIFE))
        await work.audit(AuditEntry(member.team_id, now, member.name, "exported", "", "", ""))


async def forget(asked: Asked, intent: Forget, desk: Desk) -> None:
    """Say what would be deleted, or delete it where that was made sure of. Raises BadInput, NotPossible."""
    if not intent.name and not intent.is_team:
        raise BadInput("Whom or what? `forget NAME` forgets a person, `forget team SHOP` everything of this shop.")
    async with desk.work(asked.incoming) as work:
        if intent.is_team:
            await _forget_team(work, asked, intent, desk)
        else:
            await _forget_person(work, asked, intent, desk)


async def _forget_person(work: UnitOfWork, asked: Asked, intent: Forget, desk: Desk) -> None:
    member, now = asked.member, desk.clock()
    traces = await work.data.traces_of(member.team_id, intent.name)
    if traces is None:
        raise BadInput("I know nobody called {name}: `members` lists everybody.", name=intent.name[:80])
    await _check_admin_stays(work, member.team_id, traces)
    if not intent.is_sure:
        lines = (
            Sentence("{number} ids in chats, and with them the access", number=traces.identities),
            Sentence("the name in {number} lines of the history, which stay without it", number=traces.lines),
            Sentence("the name and ids wherever else I keep them"),
        )
        todo = Sentence(
            "This cannot be undone. `forget {name} sure=yes` does it.", name=as_word(traces.name, instead="NAME")
        )
        said = Sentence("Of {name} I would delete:", name=traces.name)
        await work.answer(Forgotten(said, lines, todo, is_done=False))
        return
    await work.audit(AuditEntry(member.team_id, now, member.name, "forgot_person", "", traces.member_id, ""))
    await work.answer(
        Forgotten(
            Sentence("That person is forgotten."),
            (
                Sentence(
                    "Their name and ids are gone from every row I keep, and the history holds together without them."
                ),
            ),
        )
    )
    await work.data.forget_person(member.team_id, traces, now=now)


async def _check_admin_stays(work: UnitOfWork, team_id: str, traces: PersonTraces) -> None:
    admins = [one for one in await work.people.members(team_id) if one.role is Role.ADMIN]
    if [one.member_id for one in admins] == [traces.member_id]:
        raise NotPossible("{name} is the only admin: make somebody else one first, then ask again.", name=traces.name)


async def _forget_team(work: UnitOfWork, asked: Asked, intent: Forget, desk: Desk) -> None:
    member, now = asked.member, desk.clock()
    team = await work.people.team(member.team_id)
    lines = fact_lines(await work.data.team_facts(team.team_id))
    if intent.name.casefold() != team.name.casefold():
        if intent.name:
            raise BadInput("This shop is called {team}: send `forget team {team}` to delete it.", team=team.name)
        todo = Sentence("This cannot be undone. `forget team {team}` does it.", team=team.name)
        await work.answer(Forgotten(Sentence("Of {team} I would delete:", team=team.name), lines, todo, is_done=False))
        return
    await work.audit(AuditEntry(team.team_id, now, member.name, "forgets_team", "", "", ""))
    await work.data.ask_to_forget_team(team.team_id, now=now)
    said = Sentence("I am deleting everything of {team}; this is the last you hear of me here.", team=team.name)
    await work.answer(Forgotten(said, lines))


def fact_lines(facts: Mapping[str, int]) -> tuple[Sentence, ...]:
    """Return how much of what there is, a sentence each, what people know first."""
    known = [Sentence(template, number=facts[table]) for table, template in _THINGS.items() if facts.get(table)]
    rest = sum(count for table, count in facts.items() if table not in _THINGS)
    return (*known, *((Sentence("{number} other rows", number=rest),) if rest else ()))
