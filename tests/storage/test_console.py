"""The browser chat's lines: no reader misses one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from domain.replies import HelpShown, Outgoing, Reply, Working
from storage.console import SqlConsoleLines
from storage.database import open_database
from tests.storage.conftest import CONSOLE as ROOM
from tests.storage.conftest import Shop


def outgoing(shop: Shop, message_key: str, cause: str, reply: Reply | None = None) -> Outgoing:
    return Outgoing(message_key, shop.team.team_id, ROOM, "", reply or HelpShown(()), cause)


async def test_what_people_say_and_what_we_answer_are_lines_in_order(shop: Shop) -> None:
    lines = SqlConsoleLines(shop.database)
    await shop.events.take(shop.incoming("console:1", place=ROOM))
    await shop.events.take(shop.incoming("console:2", text="", place=ROOM))
    assert await lines.append_reply(outgoing(shop, "m1", "console:1"), now=shop.clock()) == "m1"
    said, answered = await lines.after(shop.team.team_id, ROOM.place_id, 0)
    assert (said.author, said.text, said.reply, said.cause) == ("Anna", "enhance MUG-01", None, "console:1")
    assert (answered.message_key, answered.reply) == ("m1", HelpShown(()))
    assert said.cursor < answered.cursor
    assert await lines.after(shop.team.team_id, ROOM.place_id, said.cursor) == [answered]
    assert await lines.after(shop.team.team_id, "elsewhere", 0) == []
    assert await lines.after(shop.stranger_team.team_id, ROOM.place_id, 0) == []
    assert await lines.of_cause(shop.stranger_team.team_id, "console:1") == []


async def test_the_first_word_is_a_line_as_soon_as_the_event_is_taken(shop: Shop) -> None:
    working = Working("MUG-01", "received")
    await shop.events.take(shop.incoming("console:1", place=ROOM), working=working)
    said, answered = await SqlConsoleLines(shop.database).after(shop.team.team_id, ROOM.place_id, 0)
    assert (said.text, answered.reply, answered.cause) == ("enhance MUG-01", working, "console:1")
    assert await shop.deliver_all() == [], "it is shown already"


async def test_an_events_lines_begin_with_its_first_touch_of_each_message(shop: Shop) -> None:
    lines = SqlConsoleLines(shop.database)
    for message_key, cause, stage in (
        ("card", "console:1", "received"),
        ("other", "console:9", "received"),
        ("card", "console:2", "pressed"),
        ("card", "console:1", "published"),
    ):
        await lines.append_reply(outgoing(shop, message_key, cause, Working("MUG-01", stage)), now=shop.clock())

    async def stages(event_key: str) -> list[str]:
        found = await lines.of_cause(shop.team.team_id, event_key)
        return [line.reply.stage for line in found if isinstance(line.reply, Working)]

    assert await stages("console:1") == ["received", "pressed", "published"]
    assert await stages("console:2") == ["pressed", "published"]
    assert await stages("console:404") == []


async def test_a_follower_sees_every_line_of_many_writers_in_order(shop: Shop, database_url: str) -> None:
    other_process = open_database(database_url)
    writers = [SqlConsoleLines(shop.database), SqlConsoleLines(other_process)]
    expected = {f"m{writer}-{number}" for writer in range(4) for number in range(15)}

    async def write(writer: int) -> None:
        for number in range(15):
            message = outgoing(shop, f"m{writer}-{number}", "console:1")
            await writers[writer % 2].append_reply(message, now=shop.clock())

    async def read() -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        async with aclosing(SqlConsoleLines(shop.database).follow(shop.team.team_id, ROOM.place_id, 0)) as batches:
            async for batch in batches:
                seen += [(line.cursor, line.message_key) for line in batch]
                if len(seen) >= len(expected):
                    break
        return seen

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(writer) for writer in range(4)))
    seen = await asyncio.wait_for(reading, timeout=30)
    await other_process.close()
    assert [cursor for cursor, _ in seen] == sorted(cursor for cursor, _ in seen)
    assert {message_key for _, message_key in seen} == expected


async def test_a_page_starts_at_the_newest_lines(shop: Shop) -> None:
    lines = SqlConsoleLines(shop.database)
    team_id = shop.team.team_id
    for number in range(5):
        await lines.append_reply(outgoing(shop, f"m{number}", "console:1"), now=shop.clock())
    start = await lines.recent_cursor(team_id, ROOM.place_id, lines=2)
    assert [line.message_key for line in await lines.after(team_id, ROOM.place_id, start)] == ["m3", "m4"]
    assert await lines.recent_cursor(team_id, ROOM.place_id, lines=5) == 0
    assert await lines.recent_cursor(shop.stranger_team.team_id, ROOM.place_id, lines=2) == 0
