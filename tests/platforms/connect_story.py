"""The whole life of a connection at each store's fake: connect → enhance → a right is missing → grant → publish → disconnect.

Everything between the person and the store is the real thing, as in stage.py: a `packshot run` in a process of its own,
its pages opened by a browser that keeps cookies, its jobs. `python -m tests.platforms.connect_story [NAME…]` prints it.
"""

from __future__ import annotations

import asyncio
import html
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from bot.demo import running
from bot.local import LocalClient, State
from tests.fakes.amazon import LISTING_ROLE
from tests.fakes.woo import RIGHTS
from tests.platforms.amazon_stage import open_amazon_stage
from tests.platforms.etsy_stage import open_etsy_stage
from tests.platforms.shopify_stage import open_shopify_stage
from tests.platforms.stage import LONG_S, OpenStage, Stage, Transcript
from tests.platforms.woocommerce_stage import open_woocommerce_stage

PAGE: Final = re.compile(r'content="0; url=([^"]+)"|href="(https://www\.etsy\.com/oauth/connect[^"]+)"')
HIDDEN: Final = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
CHOSEN: Final = re.compile(r'name="feature" value="([\w-]+)" checked(?! disabled)')
WORDS: Final = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One store's part: how it is opened, how a person names it, and how the right to publish goes and comes back there."""

    open: OpenStage
    words: str
    name: str
    loses: Callable[[Any], None]
    gets_back: Callable[[Any], None] = lambda server: None
    where: str = "on the vendor's page"


def _loses(attribute: str, right: str) -> Callable[[Any], None]:
    def lose(server: Any) -> None:
        held = getattr(server, attribute)
        setattr(server, attribute, type(held)(one for one in held if one != right))

    return lose


def _gets(attribute: str, rights: Any) -> Callable[[Any], None]:
    return lambda server: setattr(
        server, attribute, type(getattr(server, attribute))({*getattr(server, attribute), *rights})
    )


PARTS: dict[str, Part] = {
    "shopify": Part(open_shopify_stage, "connect shopify kiln", "Shopify", _loses("scopes", "write_files")),
    "etsy": Part(open_etsy_stage, "connect etsy", "Etsy", _loses("scopes", "listings_w")),
    "amazon": Part(
        open_amazon_stage, "connect amazon DE", "Amazon", _loses("roles", LISTING_ROLE), _gets("roles", {LISTING_ROLE}),
        "in the app's roles",
    ),
    "woocommerce": Part(
        open_woocommerce_stage, "connect woocommerce {url}", "WooCommerce", _loses("rights", "upload_files"),
        _gets("rights", RIGHTS), "in the user's role",
    ),
}  # fmt: skip


@dataclass(slots=True)
class House:
    """A running bot that no store is connected to yet, a person with a browser, and the sellers' side."""

    stages: dict[str, Stage]
    client: LocalClient
    browser: httpx.AsyncClient
    told: dict[str, Transcript] = field(default_factory=dict)

    async def play(self, name: str) -> Transcript:
        """Play the whole life at one store and return what was said. Raises AssertionError where a step is not true."""
        told = self.told[name] = Transcript()
        await _life(PARTS[name], self.stages[name], self.client, self.browser, told)
        return told


@asynccontextmanager
async def open_house(names: Mapping[str, Part], folder: Path) -> AsyncIterator[House]:
    """Run a bot in this folder, whose deployment has an app at each vendor and pages that vendors can send back to."""
    async with AsyncExitStack() as stack:
        stages = {name: await stack.enter_async_context(part.open()) for name, part in names.items()}
        env: dict[str, str] = {}
        for stage in stages.values():
            env |= stage.env | _app_of(stage)
        if "PUBLIC_URL" not in env:
            async with open_amazon_stage() as amazon:
                env |= {name: value for name, value in amazon.env.items() if name in {"PORT", "PUBLIC_URL"}}
        run, settings = await stack.enter_async_context(running(folder, env))
        client = await stack.enter_async_context(LocalClient(run, settings, "owner"))
        browser = await stack.enter_async_context(
            httpx.AsyncClient(base_url=env["PUBLIC_URL"], trust_env=False, follow_redirects=True)
        )
        yield House(stages, client, browser)


def _app_of(stage: Stage) -> dict[str, str]:
    """Return what the deployment is told of its app where the stage tells it of a store."""
    if stage.platform != "amazon":
        return {}
    return {
        "AMAZON_CLIENT_ID": stage.given["client_id"],
        "AMAZON_CLIENT_SECRET": stage.given["client_secret"],
        "AMAZON_CONSENT_URL": f"{stage.server.url}/apps/authorize/consent?application_id=amzn1.sp.solution.1",
    }


async def _life(part: Part, stage: Stage, client: LocalClient, browser: httpx.AsyncClient, told: Transcript) -> None:
    before = await stage.images(browser)
    offered = await _say(client, told, part.words.format(url=stage.server.url), "ConnectOffered")
    await _consent(offered, stage, browser, told)
    card = await _say(client, told, f"enhance {stage.sku} on {stage.platform}", "PreviewReady")

    part.loses(stage.server)
    told.add("seller", f"takes the right to publish away ({part.where})")
    told.add("person", "presses Approve")
    failed = await _press(client, told, card, "approve", "PublishFailed")
    sentence = failed["placed"][0]["failure"]
    told.add("bot", sentence)
    assert "lacks the right" in sentence
    assert await stage.images(browser) == before, "nothing was changed there"
    shown = await _say(client, told, f"permissions {part.name}", "PermissionsShown")
    assert shown["stores"][0]["missing"][0]["feature"] == "pictures"

    part.gets_back(stage.server)
    offered = await _say(client, told, f"reconnect {part.name} pictures", "ConnectOffered")
    await _consent(offered, stage, browser, told)
    told.add("person", "presses Retry")
    await _press(client, told, failed, "retry", "Published")
    after = await stage.images(browser)
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    told.add("check", "read back: buyers see the approved picture, the others keep their places")

    asked = await _say(client, told, f"disconnect {part.name}", "DisconnectAsked")
    told.add("person", "presses Yes, disconnect")
    gone = await _press(client, told, asked, "disconnect", "StoreDisconnected")
    told.add("bot", "access ended there" if gone["is_revoked"] else f"ended there by a person: {gone['taken_away_at']}")
    assert await stage.images(browser) == after, "what is in the shop stays"
    refused = await _say(client, told, f"enhance {stage.sku} on {stage.platform}", "Refused")
    assert refused["sentence"]


async def _consent(offered: State, stage: Stage, browser: httpx.AsyncClient, told: Transcript) -> None:
    """Open the link, keep what is chosen, say yes at the vendor's, and come back or paste where the browser landed."""
    told.add("person", "opens the link")
    page = await browser.get(offered["url"])
    assert page.status_code == 200, page.text
    told.add("page", f"{_head(page)}: {', '.join(re.findall(r'<code>(.*?)</code>', page.text))}")
    form = {**_hidden(page), "feature": CHOSEN.findall(page.text)}
    path, own = page.url.path, {"origin": str(browser.base_url).rstrip("/")}
    go = await browser.post(path, data=form, headers=own)
    found = PAGE.search(go.text)
    assert found, go.text
    vendor = html.unescape(found[1] or found[2])
    told.add("page", f"leads on to {vendor.partition('?')[0]}")
    landed = stage.server.say_yes(vendor)
    told.add("seller", "says yes there")
    if landed.startswith(str(browser.base_url).rstrip("/")):
        done = await browser.get(landed)
    else:
        told.add("person", "pastes the address where the browser landed")
        done = await browser.post(f"{path}/paste", data={**_hidden(go), "landed": landed}, headers=own)
    assert "is connected" in done.text, done.text
    told.add("page", _head(done))


def _hidden(page: httpx.Response) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in HIDDEN.findall(page.text)}


def _head(page: httpx.Response) -> str:
    found = WORDS.search(page.text)
    return html.unescape(found[1].strip()) if found else ""


async def _say(client: LocalClient, told: Transcript, words: str, kind: str) -> State:
    told.add("person", words)
    return _last(told, await client.say(words, [], timeout_s=LONG_S), kind)


async def _press(client: LocalClient, told: Transcript, said: State, action: str, kind: str) -> State:
    token = next(button["token"] for button in said["buttons"] if button["token"].split(":")[1] == action)
    return _last(told, await client.press(token, "", {}, timeout_s=LONG_S), kind)


def _last(told: Transcript, lines: list[State], kind: str) -> State:
    last: State = lines[-1] if lines else {"reply": {"type": "nothing"}, "buttons": []}
    reply: dict[str, Any] = last["reply"]
    labels = " · ".join(button["label"] for button in last["buttons"])
    told.add("bot", f"{reply['type']}{_detail(reply)}{f'   [{labels}]' if labels else ''}")
    assert reply["type"] == kind, reply
    return {**reply, "buttons": last["buttons"]}


def _detail(reply: Mapping[str, Any]) -> str:
    match reply["type"]:
        case "Refused":
            return f": {reply['sentence']}"
        case "ConnectOffered":
            return f": {reply['store'] or reply['platform']}, {', '.join(reply['features']) or 'the usual rights'}"
        case "PermissionsShown":
            missing = [line["scope"] for store in reply["stores"] for line in store["missing"]]
            given = [line["scope"] for store in reply["stores"] for line in store["given"]]
            return f": may {', '.join(given) or 'nothing'}; missing {', '.join(missing) or 'nothing'}"
        case _:
            return ""


async def _main(names: list[str]) -> None:
    chosen = {name: PARTS[name] for name in names or PARTS}
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(chosen, Path(folder)) as house:
            for name in chosen:
                print(f"== {name}\n{await house.play(name)}\n", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
