"""The commands of trust: `packshot audit verify`, `packshot rotate-key`; what they print is their purpose."""

from __future__ import annotations

from bot.settings import Settings
from domain.errors import NotPossible
from storage.audit import Verdict, verify_audit
from storage.database import Database, open_database


async def verify(settings: Settings, team: str) -> int:
    """Print what became of every chain, or of one team's; 1 when one is broken. Raises NotPossible for no such team."""
    database = open_database(settings.database_url)
    try:
        verdicts = [one for one in await verify_audit(database) if team.casefold() in _names(one)]
    finally:
        await database.close()
    if not verdicts and team:
        raise NotPossible("There is no team called {team}: leave --team out to look at all of them.", team=team)
    for verdict in verdicts:
        print(f"{'✓' if verdict.broken_at is None else '!'} {verdict.team}: {verdict_words(verdict)}")
    return 1 if any(verdict.broken_at is not None for verdict in verdicts) else 0


def verdict_words(verdict: Verdict) -> str:
    """Return a verdict as a sentence for an admin."""
    if verdict.broken_at is not None:
        return f"broken at line {verdict.broken_at} ({verdict.why}); the {verdict.lines} before it are intact"
    gone = f", {verdict.forgotten} names forgotten on request" if verdict.forgotten else ""
    return f"{verdict.lines} lines, intact{gone}; the last hash is {verdict.last_hash[:16]}"


def _names(verdict: Verdict) -> set[str]:
    return {"", verdict.team.casefold(), verdict.team_id.casefold()}


async def audit_checks(database: Database) -> list[tuple[str, str]]:
    """Return a finding and a remedy a team, the remedy empty where its chain is intact."""
    remedy = "somebody changed the database by hand: compare it with a backup, line by line from there"
    return [
        (f"{one.team}: {verdict_words(one)}", remedy if one.broken_at is not None else "")
        for one in await verify_audit(database)
    ]
