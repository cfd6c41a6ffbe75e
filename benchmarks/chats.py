"""How quickly Slack and Telegram hear that we have their event, at 50 events a second, with two photos in work.

A real `packshot run` (SQLite, one process) stands between a Slack and a Telegram that speak the vendors'
definitions. 25 signed events a second come from each, from a hundred people each, on a fixed timetable: a
slow answer delays no later event and hides behind none. Two 12 MP photos are always being enhanced. The
second half of the run is the same with 5,000 previews waiting, once the first one's answers have all arrived; the
ratio holds on a noisy machine.
Beside the times stands the processor time of the bot's own process for an event, from the first one to the last
answer's arrival: a busy machine moves the times, hardly that. Prints JSON. Aims: p99 < 100 ms each, ratio of the
medians ≤ 1.2.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
from sqlalchemy import func, select
from sqlmodel import col

from benchmarks.ack import Feeder, big_photo, percentiles
from bot.clock import utc_now
from bot.demo import running
from bot.run_file import RunningAt
from bot.settings import Settings, local_key
from domain.catalog import ListingId, PlatformName, Sha256, Sku, StoreId
from domain.enhancement import Enhancement, EnhancementState, Revision, StoredPicture, Target
from domain.people import Actor, ChatName, Member, Place, Role
from domain.recipe import Recipe
from handlers.card import card_reply
from storage.bootstrap import ensure_member, ensure_team
from storage.database import Database, open_database
from storage.tables import OutboxRow, SeenEventRow
from storage.work import SqlWork
from tests.fakes.slack import BOT_TOKEN, SIGNING_SECRET, TEAM, FakeSlack
from tests.fakes.slack_people import SlackPeople, signed
from tests.fakes.telegram import TOKEN, TelegramServer

PEOPLE = 100
EVENTS_PER_S = 50
SECONDS = 20
PENDING = 5000
PHOTOS_IN_WORK = 2
DRAIN_LIMIT_S = 300
WEBHOOK_SECRET = "a-secret-for-the-webhook-of-the-benchmark"
AIM_P99_MS = 100
AIM_RATIO = 1.2


class Slack:
    """Signed events of a hundred people's direct messages."""

    def __init__(self, slack: FakeSlack, http: aiohttp.ClientSession) -> None:
        people = SlackPeople(slack, transport="http")
        self._users = [people.person(f"P{number}") for number in range(PEOPLE)]
        self._places = [slack.direct(user) for user in self._users]
        self._http = http

    async def send(self, number: int) -> None:
        """Deliver one message, as Slack does."""
        who = number % PEOPLE
        event = {
            "type": "message", "channel_type": "im", "user": self._users[who], "team": TEAM, "text": "status",
            "channel": self._places[who], "ts": f"{1_800_000_000 + number}.000100",
        }  # fmt: skip
        envelope = {"type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": f"Ev{number}"}
        body = json.dumps(envelope | {"event_time": 1, "event": event, "authorizations": []}).encode()
        headers = signed(body) | {"Content-Type": "application/json"}
        async with self._http.post("/slack/events", data=body, headers=headers) as answer:
            assert answer.status == httpx.codes.OK, await answer.text()


class Telegram:
    """Webhook updates of a hundred people's private chats."""

    def __init__(self, telegram: TelegramServer, http: aiohttp.ClientSession) -> None:
        self.people = [telegram.person(f"P{number}") for number in range(PEOPLE)]
        self._http = http

    async def send(self, number: int) -> None:
        """Deliver one message, as Telegram does."""
        person = self.people[number % PEOPLE]
        chat = {"id": person.user_id, "type": "private", "first_name": person.name}
        message = {"message_id": number, "date": 1, "chat": chat, "from": person.json, "text": "status"}
        headers = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
        update = {"update_id": 10_000 + number, "message": message}
        async with self._http.post("/telegram/webhook", json=update, headers=headers) as answer:
            assert answer.status == httpx.codes.OK, await answer.text()


async def on_timetable(send: Callable[[int], Awaitable[None]], *, first: int, per_s: float, count: int) -> list[float]:
    """Send `count` events at fixed times, whatever became of those before; return each answer's time in ms."""
    start = time.perf_counter()

    async def one(place: int) -> float:
        due = start + place / per_s
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await send(first + place)
        # From when it was due: a client that was late itself must not flatter the answer.
        return (time.perf_counter() - due) * 1000

    return await asyncio.gather(*(one(place) for place in range(count)))


async def measure(slack: Slack, telegram: Telegram, database: Database, *, pid: int, first: int) -> dict[str, Any]:
    """Return both chats' percentiles over one stretch of the timetable, and what an event cost the bot's process."""
    count = EVENTS_PER_S // 2 * SECONDS
    began_s = processor_s(pid)
    both = await asyncio.gather(
        on_timetable(slack.send, first=first, per_s=EVENTS_PER_S / 2, count=count),
        on_timetable(telegram.send, first=first, per_s=EVENTS_PER_S / 2, count=count),
    )
    await drained(database)
    cpu_ms = (processor_s(pid) - began_s) * 1000 / (2 * count)
    return {
        "slack_ack_ms": percentiles(both[0]),
        "telegram_handled_ms": percentiles(both[1]),
        "event_cpu_ms": round(cpu_ms, 2),
    }


def processor_s(pid: int) -> float:
    """Return the seconds of processor time a process has had, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def add_members(database: Database, telegram: Telegram) -> Member:
    """Make everybody in Telegram a member, as their invitations would; return one of them."""
    team = await ensure_team(database, "My shop")
    for person in telegram.people:
        actor = Actor(ChatName.TELEGRAM, str(person.user_id), person.name)
        member = await ensure_member(database, team.team_id, person.name, Role.EDITOR, actor)
    return member


async def add_pending(database: Database, member: Member) -> None:
    """Put PENDING previews that wait for a decision into the talks, shown already."""
    digest = Sha256("0" * 64)
    target = Target(StoreId("s"), "Shelf", PlatformName.SHELF, ListingId("listing"))
    revision = Revision(
        1,
        Recipe(),
        pictures=(StoredPicture("shelf", digest, "image/jpeg", 2000, 2000, ()),),
        before=digest,
        after=digest,
        preview=digest,
    )
    work = SqlWork(database, lambda _connection, _job: None, utc_now)
    for start in range(0, PENDING, 50):  # short transactions: the bot must not wait long for another process
        async with work() as unit:
            for number in range(start, start + 50):
                chat = ChatName.SLACK if number % 2 else ChatName.TELEGRAM
                place = Place(chat, f"bench-{number % PEOPLE}")
                row = Enhancement(
                    f"pending{number:015d}", member.team_id, Sku(f"SKU-{number}"), "Mug", digest,
                    EnhancementState.AWAITING_DECISION, revision, (target,), place, member.member_id,
                    member.name, utc_now(),
                )  # fmt: skip
                await unit.enhancements.add(row)
                await unit.messages.post(
                    place, card_reply(row, ()), team_id=member.team_id, event_key=None,
                    enhancement_id=row.enhancement_id,
                )  # fmt: skip
            await unit.messages.flush(delivered=True)


async def drained(database: Database) -> None:
    """Wait until every event was answered and every answer has arrived."""
    open_events = select(func.count()).where(col(SeenEventRow.concluded_at).is_(None))
    queued = select(func.count()).where(col(OutboxRow.state) == "queued")
    async with asyncio.timeout(DRAIN_LIMIT_S):
        while True:
            async with database.read() as db_session:
                left = [(await db_session.execute(statement)).scalar_one() for statement in (open_events, queued)]
            # The photos that are always in work are events as well.
            if left[0] <= PHOTOS_IN_WORK and left[1] <= PHOTOS_IN_WORK:
                return
            await asyncio.sleep(1)


async def main() -> None:
    """Run it and print JSON."""
    photos = [big_photo(seed) for seed in range(PHOTOS_IN_WORK)]
    with tempfile.TemporaryDirectory() as folder:
        async with TelegramServer() as telegram_server, FakeSlack() as slack_server:
            more = {
                "TELEGRAM_BOT_TOKEN": TOKEN,
                "TELEGRAM_API_URL": telegram_server.url,
                "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "SLACK_SIGNING_SECRET": SIGNING_SECRET,
                "SLACK_API_URL": slack_server.api_url,
                "PUBLIC_URL": "https://shop.example",
            }
            async with running(Path(folder), more) as (run, settings):
                result = await play(run, settings, slack_server, telegram_server, photos)
    print(json.dumps(result, indent=2))


async def play(
    run: RunningAt, settings: Settings, slack_server: FakeSlack, telegram_server: TelegramServer, photos: list[bytes]
) -> dict[str, Any]:
    """Measure with two photos in work, then with 5,000 previews waiting as well."""
    database = open_database(settings.database_url)
    headers = {"Authorization": f"Bearer {local_key(settings)}", "X-Packshot-As": "owner"}
    # Shorter than the server keeps a silent connection, so that no event goes into one that is just being closed.
    limits = httpx.Limits(keepalive_expiry=2)
    async with (
        # The client shares the two cores with what it measures: this one is the cheapest.
        aiohttp.ClientSession(run.base_url, connector=aiohttp.TCPConnector(limit=200, keepalive_timeout=2)) as http,
        httpx.AsyncClient(base_url=run.base_url, trust_env=False, timeout=60, headers=headers, limits=limits) as owner,
    ):
        slack, telegram = Slack(slack_server, http), Telegram(telegram_server, http)
        member = await add_members(database, telegram)
        for number in range(PEOPLE):  # everybody was heard once: a stranger's first word costs more than a friend's
            await slack.send(number)
            await telegram.send(number)
        feeder = Feeder(owner, photos)
        feeding = asyncio.create_task(feeder.feed())
        await drained(database)
        few = await measure(slack, telegram, database, pid=run.pid, first=1_000)
        feeder.rests = True
        await add_pending(database, member)
        feeder.others, feeder.rests = PENDING, False
        many = await measure(slack, telegram, database, pid=run.pid, first=100_000)
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    await database.close()
    chats = ("slack_ack_ms", "telegram_handled_ms")
    ratios = {name: round(many[name]["p50"] / few[name]["p50"], 2) for name in chats}
    return {
        "events_per_s": EVENTS_PER_S,
        "seconds": SECONDS,
        "photos_in_work": PHOTOS_IN_WORK,
        "in_work_least_and_most": [min(feeder.seen), max(feeder.seen)],
        "few_previews": few,
        "pending": PENDING,
        "many_previews": many,
        "many_over_few_p50": ratios,
        "aim_p99_ms": AIM_P99_MS,
        "aim_ratio": AIM_RATIO,
    }


if __name__ == "__main__":
    asyncio.run(main())
