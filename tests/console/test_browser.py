"""A seller at the console, in a real headless browser against the real routes and a scripted bot."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, FilePayload, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.replies import Refused
from handlers.console.listeners import console_routes
from tests.console.bot import ScriptedBot, clean_picture, phone_photo
from tests.console.fakes import ANNA, NOW, OWNER, Office
from tests.console.samples import every_reply

CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}

pytestmark = [
    pytest.mark.browser,
    # One loop, since one browser serves all tests: starting it takes longer than most of them.
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is absent"),
]


@dataclass
class Shop:
    """A running console, a browser, and everything the pages complained about."""

    office: Office
    bot: ScriptedBot
    address: str
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    restart: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def seller(
        self,
        member_id: str = OWNER.member_id,
        *,
        size: dict[str, int] = LAPTOP,
        dark: bool = False,
        phone: bool = False,
    ) -> AsyncIterator[Page]:
        """Open the one-time link in a fresh browser profile."""
        context = await self.browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if dark else "light",
            has_touch=phone,
            timezone_id="Europe/Berlin",
            locale="en-GB",
        )
        context.set_default_timeout(10_000)
        page = await context.new_page()
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        code = await self.office.logins.offer(member_id, now=NOW)
        await page.goto(f"{self.address}/console?code={code}")
        await expect(page.locator("#room")).to_be_visible()
        yield page
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def shop(browser: Browser) -> AsyncIterator[Shop]:
    office = Office()
    listening = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    routes = console_routes(office.desk(hosts=frozenset({host}), max_upload_bytes=10_000_000))
    app = Starlette(routes=[*routes, Route("/shelf/photos/mug.jpg", _shelf_photo)])
    server, serving = _serve(app, listening)
    shop = Shop(office, ScriptedBot(office), f"http://{host}", browser)

    async def restart() -> None:
        nonlocal server, serving
        await _stop(server, serving)
        server, serving = _serve(app, socket.create_server(("127.0.0.1", int(host.rpartition(":")[2]))))

    shop.restart = restart
    yield shop
    await _stop(server, serving)


async def _shelf_photo(request: Request) -> Response:
    return Response(clean_picture(200), media_type="image/jpeg")


def _serve(app: Starlette, listening: socket.socket) -> tuple[uvicorn.Server, asyncio.Task[None]]:
    config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    return server, asyncio.ensure_future(server._serve([listening]))


async def _stop(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    server.should_exit = True
    await serving


def _pictures() -> Path | None:
    """Where to keep screenshots; set PACKSHOT_SCREENSHOTS to look at them."""
    folder = os.environ.get("PACKSHOT_SCREENSHOTS")
    return Path(folder) if folder else None


_DECODED = """() => Promise.all([...document.images]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().top < innerHeight)
    .map((each) => each.decode()))"""


async def _shoot(page: Page, name: str) -> None:
    if folder := _pictures():
        folder.mkdir(parents=True, exist_ok=True)
        await page.evaluate(_DECODED)
        await page.screenshot(path=folder / f"{name}.png")


SIGNED_OUT = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
"""What Chromium writes into its console for the login page, which is a 401 on purpose."""


def _photo() -> FilePayload:
    return {"name": "IMG_2041.jpg", "mimeType": "image/jpeg", "buffer": phone_photo()}


async def _send_photo(page: Page, caption: str = "MUG-01") -> None:
    await page.set_input_files("#files", _photo())
    await expect(page.locator(".chip canvas")).to_be_visible()
    await page.fill("#say", caption)
    await page.keyboard.press("Enter")


async def test_a_photo_is_enhanced_approved_published_and_undone(shop: Shop) -> None:
    async with shop.seller() as page:
        await expect(page.get_by_role("heading", name="Good pictures sell.")).to_be_visible()
        await _send_photo(page)
        card = page.locator(".reply")
        await expect(page.locator(".said img.shot")).to_be_visible()
        await expect(card.get_by_text("Received")).to_be_visible()
        await expect(page.locator("#welcome")).to_be_hidden()
        shop.bot.go(2)
        await expect(card.get_by_role("button", name="Approve")).to_be_visible()
        assert await page.locator(".reply").count() == 1
        await expect(page.locator("#announcer")).to_contain_text("Your decision")

        slider = card.get_by_role("slider")
        await slider.focus()
        for _ in range(10):
            await page.keyboard.press("ArrowRight")
        assert await card.locator(".compare").evaluate("each => each.style.getPropertyValue('--split')") == "60%"

        await card.get_by_role("button", name="Approve").click()
        await expect(page.get_by_role("heading", name="Publish MUG-01 to Shelf?")).to_be_visible()
        await page.get_by_role("button", name="Publish").click()
        await expect(card.get_by_text("Publishing", exact=True)).to_be_visible()
        await expect(card.get_by_role("button", name="Approve")).to_have_count(0)
        assert await card.locator(".compare").evaluate("each => each.style.getPropertyValue('--split')") == "60%"
        shop.bot.go()
        await expect(card.get_by_text("Approved by owner, 4 Mar, 10:30")).to_be_visible()
        await expect(card.get_by_role("link", name="Open page of Stoneware mug")).to_have_attribute(
            "href", "/shelf#stoneware-mug"
        )
        await card.get_by_role("button", name="Undo").click()
        shop.bot.go()
        await expect(card.get_by_text("the old picture is back")).to_be_visible()
        assert await page.locator(".reply").count() == 1
    assert not shop.complaints


async def test_approving_can_be_thought_over(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await page.get_by_role("button", name="Approve").click()
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Approve").click()
        await page.get_by_role("button", name="Not yet").click()
        await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    assert [incoming.token for incoming in shop.office.events.taken.values()] == [""]
    assert not shop.complaints


async def test_reject_asks_why_and_says_who(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await page.get_by_role("button", name="Reject").click()
        await page.get_by_role("button", name="The edge is rough").click()
        await page.locator("#ask-reason").get_by_role("button", name="Reject").click()
        await expect(page.locator(".reply").get_by_text("“The edge is rough”")).to_be_visible()
        await expect(page.locator("#talk").get_by_text("Rejected by owner")).to_be_visible()
    assert not shop.complaints


async def test_redo_sends_the_recipe(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await page.locator(".reply summary", has_text="More").click()
        await page.get_by_role("button", name="Redo with other background").click()
        await page.get_by_label("Cream").check(force=True)
        await page.get_by_label("Soft").check(force=True)
        await page.get_by_label("Landscape, 4:3").check(force=True)
        await page.get_by_label("As the first picture").check(force=True)
        await page.get_by_label("Which of several things").fill("2")
        await page.get_by_role("button", name="Redo", exact=True).click()
        await expect(page.locator(".facts").get_by_text("cream")).to_be_visible()
    pressed = [incoming for incoming in shop.office.events.taken.values() if incoming.token]
    assert [dict(incoming.options) for incoming in pressed] == [
        {"background": "cream", "shadow": "soft", "aspect": "4:3", "scale": "sku", "thing": "2"}
    ]
    assert not shop.complaints


async def test_a_question_is_answered_once(shop: Shop) -> None:
    async with shop.seller() as page:
        await page.fill("#say", "which")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Bowl").click()
        await expect(page.get_by_role("button", name="Bowl")).to_have_attribute("aria-pressed", "true")
        await expect(page.get_by_role("button", name="Blue mug")).to_be_disabled()
    assert [incoming.token for incoming in shop.office.events.taken.values()] == ["", "v1:product:q1:1"]
    assert not shop.complaints


async def test_a_refused_press_can_be_pressed_again(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        (card,) = shop.bot.cards.values()
        shop.bot.cards[card.enhancement_id] = replace(card, revision=7)
        await page.get_by_role("button", name="Reject").click()
        await page.locator("#ask-reason").get_by_role("button", name="Reject").click()
        await expect(page.locator("#talk").get_by_text("That card has moved on")).to_be_visible()
        await expect(page.get_by_role("button", name="Approve")).to_be_enabled()
    assert not shop.complaints


_HAND_OVER = """async ([kind, content]) => {
    const bytes = Uint8Array.from(atob(content), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "carried.jpg", { type: "image/jpeg" }));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
        : new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
}"""


async def test_photos_can_be_dragged_and_pasted_and_taken_back(shop: Shop) -> None:
    content = base64.b64encode(phone_photo(200)).decode()
    async with shop.seller() as page:
        await page.evaluate(_HAND_OVER, ["dragenter", content])
        await expect(page.get_by_text("Drop the photos here")).to_be_visible()
        await page.evaluate(_HAND_OVER, ["drop", content])
        await expect(page.get_by_text("Drop the photos here")).to_be_hidden()
        await page.evaluate(_HAND_OVER, ["paste", content])
        await expect(page.locator(".chip canvas")).to_have_count(2)
        await page.get_by_role("button", name="Remove carried.jpg").first.click()
        await expect(page.locator(".chip")).to_have_count(1)
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator(".said img.shot")).to_have_count(1)
    (incoming,) = shop.office.events.taken.values()
    assert len(incoming.photos) == 1
    assert not shop.complaints


async def test_help_fills_the_box_and_enter_sends(shop: Shop) -> None:
    async with shop.seller() as page:
        await page.get_by_role("button", name="Help").click()
        await page.get_by_role("button", name="undo [SKU]").click()
        await expect(page.get_by_label("Message")).to_have_value("undo MUG-01")
        await page.get_by_label("Message").press("Shift+Enter")
        await page.keyboard.type("second line")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Message")).to_have_value("")
        await page.locator("body").click()
        await page.keyboard.press("/")
        await expect(page.get_by_label("Message")).to_be_focused()
    assert [incoming.text for incoming in shop.office.events.taken.values()] == ["help", "undo MUG-01\nsecond line"]
    assert not shop.complaints


async def test_a_colleague_sees_the_card_and_not_the_refusal(shop: Shop) -> None:
    async with shop.seller() as mine, shop.seller(ANNA.member_id) as theirs:
        await _send_photo(mine)
        shop.bot.go(2)
        await expect(theirs.get_by_role("button", name="Approve")).to_be_visible()
        cause = next(iter(shop.office.events.taken))
        await shop.office.events.say("secret", Refused("x", "for the owner only"), cause=cause)
        await expect(mine.locator("#talk").get_by_text("for the owner only")).to_be_visible()
        await expect(theirs.locator("#talk").get_by_text("for the owner only")).to_have_count(0)
    assert not shop.complaints


async def test_an_older_card_that_changes_does_not_move_the_reader(shop: Shop) -> None:
    async with shop.seller(size=PHONE) as page:
        await _send_photo(page)
        shop.bot.go(1)
        await expect(page.locator(".steps .now", has_text="Enhancing")).to_be_visible()
        for number in range(12):
            await shop.office.events.say(f"m{number}", Refused("x", f"line {number}"), cause=_owners("e1"))
        await expect(page.locator("#talk").get_by_text("line 11")).to_be_in_viewport()
        shop.bot.go(1)
        await expect(page.get_by_role("button", name="Approve")).to_have_count(1)
        await expect(page.locator("#talk").get_by_text("line 11")).to_be_in_viewport()
    assert not shop.complaints


def _owners(event_id: str) -> str:
    return f"console:{OWNER.member_id}:{event_id}"


async def test_a_reload_shows_the_same_talk(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        await page.reload()
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        assert await page.locator("#talk > li").count() == 2
    assert not shop.complaints


async def test_a_lost_connection_is_told_and_misses_nothing(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(1)
        await page.context.set_offline(True)
        assert shop.restart is not None
        await shop.restart()
        await expect(page.get_by_text("Connection lost")).to_be_visible()
        shop.bot.go(1)
        await page.context.set_offline(False)
        await expect(page.get_by_role("button", name="Approve")).to_be_visible(timeout=20_000)
        await expect(page.get_by_text("Connection lost")).to_be_hidden()
        assert await page.locator("#talk > li").count() == 2


async def test_what_could_not_be_sent_can_be_sent_again_as_the_same_event(shop: Shop) -> None:
    async with shop.seller() as page:
        await page.context.set_offline(True)
        await page.fill("#say", "help")
        await page.keyboard.press("Enter")
        await expect(page.locator("#talk").get_by_text("That did not get through")).to_be_visible()
        await page.context.set_offline(False)
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator("#talk").get_by_text("What you can say")).to_be_visible(timeout=20_000)
    assert len(shop.office.events.taken) == 1


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
async def test_nothing_scrolls_sideways(shop: Shop, width: int) -> None:
    async with shop.seller(size={"width": width, "height": 800}) as page:
        await page.fill("#say", "W" * 300)
        await page.keyboard.press("Enter")
        await _send_photo(page)
        shop.bot.go(2)
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        for locator in ("html", "#room"):
            over = await page.locator(locator).evaluate("each => each.scrollWidth - each.clientWidth")
            assert over <= 0, f"{locator} is {over} px too wide"


async def test_every_control_has_a_name(shop: Shop) -> None:
    async with shop.seller() as page:
        await _send_photo(page)
        shop.bot.go(2)
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        tree = await page.locator("body").aria_snapshot()
    unnamed = re.findall(r"^\s*- (?:button|link|textbox|slider|img)(?::|$).*", tree, re.MULTILINE)
    assert unnamed == []


async def test_the_look(shop: Shop) -> None:
    """Screenshots for people to look at; asserts only that nothing complained."""
    looks = [
        ("phone", PHONE, False, True),
        ("laptop-dark", LAPTOP, True, False),
        ("phone-dark", PHONE, True, True),
        ("laptop", LAPTOP, False, False),
    ]
    for name, size, dark, phone in looks if _pictures() else looks[:2]:
        shop.office.lines.rows.clear()
        async with shop.seller(size=size, dark=dark, phone=phone) as page:
            await expect(page.locator("#welcome")).to_be_visible()
            await _shoot(page, f"{name}-1-welcome")
            await page.set_input_files("#files", [_photo()] * 3)
            await expect(page.locator(".chip canvas")).to_have_count(3)
            await _shoot(page, f"{name}-1-chips")
            for _ in range(3):
                await page.get_by_role("button", name="Remove").first.click()
            await _send_photo(page)
            shop.bot.go(1)
            await expect(page.locator(".steps .now", has_text="Enhancing")).to_be_visible()
            await _shoot(page, f"{name}-2-working")
            shop.bot.go(1)
            await expect(page.locator(".compare-after")).to_be_visible()
            await _shoot(page, f"{name}-3-preview")
            await page.locator(".reply summary", has_text="More").click()
            await _shoot(page, f"{name}-4-more")
            await page.get_by_role("button", name="Redo with other").click()
            await _shoot(page, f"{name}-5-redo")
            await page.get_by_role("button", name="Cancel").click()
            await page.get_by_role("button", name="Reject").click()
            await _shoot(page, f"{name}-6-reject")
            await page.get_by_role("button", name="Keep it open").click()
            await page.get_by_role("button", name="Approve").click()
            await _shoot(page, f"{name}-7-approve")
            await page.get_by_role("button", name="Publish").click()
            shop.bot.go(1)
            await expect(page.get_by_role("button", name="Undo")).to_be_visible()
            await _shoot(page, f"{name}-8-published")
            await _show_every_reply(shop, page)
            await _shoot_all(page, f"{name}-9-all")
            await page.set_viewport_size({"width": size["width"], "height": size["height"]})
            await page.locator(".me summary").click()
            await page.get_by_role("button", name="Sign out", exact=True).click()
            await expect(page.get_by_role("heading", name="Come in")).to_be_visible()
            await _shoot(page, f"{name}-0-door")
            shop.complaints.remove(SIGNED_OUT)
    assert not shop.complaints


async def _show_every_reply(shop: Shop, page: Page) -> None:
    before, after = await shop.bot.keep(phone_photo()), await shop.bot.keep(clean_picture())
    cause = _owners("sample")
    replies = every_reply(before=before, after=after)
    for number, reply in enumerate(replies):
        await shop.office.events.say(f"sample-{number}", reply, cause=cause)
    await expect(page.get_by_role("heading", name="Members")).to_be_visible()


async def _shoot_all(page: Page, name: str) -> None:
    """Take the whole conversation as one tall picture."""
    height = await page.locator("#room").evaluate("each => each.scrollHeight")
    size = page.viewport_size
    assert size is not None
    await page.set_viewport_size({"width": size["width"], "height": height + 200})
    await _shoot(page, name)
