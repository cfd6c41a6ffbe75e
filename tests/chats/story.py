"""One bot, two chats: a real `packshot run` between a Telegram and a Slack that speak the vendors' tongues.

`python -m tests.chats.story` plays it and prints what the two servers logged, nothing else.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.demo import running
from bot.settings import Settings, local_key
from platforms.shelf.samples import catalogue
from tests.fakes.slack import APP_TOKEN, BOT_TOKEN, FakeSlack
from tests.fakes.slack_people import SlackPeople
from tests.fakes.telegram import TOKEN, TelegramServer
from tests.fakes.telegram_chats import Message

PHOTO = Path(catalogue.__file__).parent / "photos" / "demo_mug.jpg"
LONG_S = 60.0
"""Real pixels: a picture takes seconds on a busy machine."""


@dataclass(slots=True)
class Both:
    """Both servers, their people, and the bot's own address for an admin."""

    telegram: TelegramServer
    slack: FakeSlack
    people: SlackPeople
    http: httpx.AsyncClient

    async def invite(self, role: str) -> str:
        """Have the owner make a one-time code, as `packshot say` does."""
        event = (await self.http.post("/console/say", data={"text": f"invite {role}"})).json()["event"]
        async with asyncio.timeout(LONG_S):
            while True:
                answer = (await self.http.get(f"/console/events/{event}")).json()
                if answer["handled"]:
                    return str(answer["lines"][-1]["reply"]["code"])
                await asyncio.sleep(0.05)

    async def shown(self) -> bytes:
        """The bytes that a buyer sees of MUG-01 on the shelf now."""
        products = (await self.http.get("/shelf/products.json")).json()["products"]
        mug = next(item for item in products if item["variants"][0]["sku"] == "MUG-01")
        return (await self.http.get(mug["images"][0]["src"])).content


@asynccontextmanager
async def open_both(folder: Path) -> AsyncIterator[Both]:
    """Start both servers and the bot before them."""
    async with TelegramServer() as telegram, FakeSlack() as slack:
        more = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_URL": slack.api_url,
            "SLACK_DEFAULT_ROLE": "approver",
        }
        async with (
            running(folder, more) as (run, settings),
            httpx.AsyncClient(base_url=run.base_url, headers=_owner(settings), trust_env=False) as http,
        ):
            await slack.until(lambda: slack.sockets, timeout_s=LONG_S)
            yield Both(telegram, slack, SlackPeople(slack, transport="socket"), http)


def _owner(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {local_key(settings)}", "X-Packshot-As": "owner"}


async def play(both: Both) -> None:
    """Photo in Telegram, preview in both, approved in Slack, closed in Telegram, undone in Telegram."""
    telegram, slack, people = both.telegram, both.slack, both.people
    before = await both.shown()
    mia = telegram.person("Mia")
    telegram.say(mia, f"/start {await both.invite('approver')}")
    await telegram.until(lambda: telegram.shown(mia), timeout_s=LONG_S)

    anna = people.person("Anna")
    shop = people.channel("C1SHOP", anna)
    code = await both.invite("admin")
    await people.say(anna, "D", f"join {code}")
    await slack.until(lambda: slack.posted("DANNA"), timeout_s=LONG_S)
    await people.command(anna, shop, "settings previews=on")
    await slack.until(lambda: slack.posted(shop), timeout_s=LONG_S)

    telegram.send_photo(mia, PHOTO.read_bytes(), caption="MUG-01")
    await telegram.until(lambda: _offers(telegram.shown(mia)[-1], "Approve"), timeout_s=LONG_S)
    await slack.until(lambda: "Your decision" in slack.posted(shop)[-1]["text"], timeout_s=LONG_S)

    card = slack.posted(shop)[-1]
    await people.press(anna, shop, card["ts"], "Approve")
    await slack.until(lambda: "Live" in slack.posted(shop)[-1]["text"], timeout_s=LONG_S)
    await telegram.until(lambda: _offering(telegram.shown(mia), "Undo"), timeout_s=LONG_S)
    await telegram.until(lambda: "Anna approved" in telegram.shown(mia)[-1].text, timeout_s=LONG_S)
    assert await both.shown() != before, "published"

    telegram.press(mia, _offering(telegram.shown(mia), "Undo")[-1], "Undo")
    await slack.until(lambda: "Undone" in slack.posted(shop)[-1]["text"], timeout_s=LONG_S)
    await telegram.until(lambda: not _offering(telegram.shown(mia), "Undo"), timeout_s=LONG_S)
    assert await both.shown() == before, "what stood there before stands again"


def _offering(messages: Sequence[Message], words: str) -> list[Message]:
    return [message for message in messages if _offers(message, words)]


def _offers(message: Message, words: str) -> bool:
    return any(words in label for label in message.labels)


async def main() -> None:
    """Play it in a fresh folder and print both logs."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_both(Path(folder)) as both:
            await play(both)
            print("Telegram's log:\n" + both.telegram.transcript())
            print("\nSlack's log:\n" + both.slack.transcript())


if __name__ == "__main__":
    asyncio.run(main())
