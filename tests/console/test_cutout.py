"""Correcting a cut-out at the console in a real browser: drawn with a mouse, a finger, or chosen by the keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from domain.intents import Incoming
from tests.console.test_browser import CHROMIUM, LAPTOP, PHONE, Shop, _send_photo, _shoot, browser, shop

__all__ = ["browser", "shop"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is absent"),
]


async def _question(shop: Shop, page: Page, label: str = "Keep a part…") -> Locator:
    """Let the bot ask, and return the question with its photo in sight."""
    await _send_photo(page)
    shop.bot.go(2)
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    await page.locator(".reply summary", has_text="More").click()
    await page.get_by_role("button", name=label).click()
    photo = page.locator(".cutout-photo img")
    await expect(photo).to_be_visible()
    await photo.evaluate("each => each.decode()")
    await photo.scroll_into_view_if_needed()
    return page.locator(".cutout")


async def _at(editor: Locator, x: float, y: float) -> tuple[float, float]:
    box = await editor.locator(".cutout-photo").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


async def _drag(page: Page, editor: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    await page.mouse.move(*await _at(editor, *start))
    await page.mouse.down()
    await page.mouse.move(*await _at(editor, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    await page.mouse.move(*await _at(editor, *end))
    await page.mouse.up()


def _last(shop: Shop) -> Incoming:
    return list(shop.office.events.taken.values())[-1]


def _drawn(shop: Shop) -> dict[str, list[list[float]]]:
    """What the last press carried: kind → places as numbers."""
    return {
        kind: [[float(number) for number in place.split("x")] for place in word.split("+")]
        for kind, word in _last(shop).options.items()
    }


async def test_a_box_and_a_point_are_drawn_and_sent_as_places_of_the_photo(shop: Shop) -> None:
    async with shop.seller(size=LAPTOP) as page:
        editor = await _question(shop, page)
        again = editor.get_by_role("button", name="Make it again")
        await expect(again).to_be_disabled()
        await _drag(page, editor, (0.6, 0.7), (0.85, 0.35))
        await editor.get_by_role("radio", name="Remove what I draw").check()
        await page.mouse.click(*await _at(editor, 0.2, 0.9))
        await expect(editor.locator(".mark")).to_have_count(2)
        await expect(editor.locator(".cutout-marks li")).to_contain_text(["Keep box 1", "Remove point 2"])
        await _shoot(page, "cutout-drawn")
        await again.click()
        await expect(page.locator(".card")).to_contain_text("Your decision")
        await expect(again).to_have_attribute("aria-pressed", "true")
    assert _last(shop).token.startswith("v1:redo:enhancement-number-001:1")
    drawn = _drawn(shop)
    assert drawn["keep"][0] == pytest.approx([60, 35, 85, 70], abs=0.6)
    assert drawn["remove"][0] == pytest.approx([20, 90], abs=0.6)
    assert not shop.complaints


async def test_a_finger_draws_and_the_page_stays_where_it_is(shop: Shop) -> None:
    async with shop.seller(size=PHONE, phone=True) as page:
        editor = await _question(shop, page)
        before = await page.locator("#room").evaluate("each => each.scrollTop")
        touch = await page.context.new_cdp_session(page)
        way = [await _at(editor, *place) for place in ((0.3, 0.3), (0.5, 0.5), (0.7, 0.8))]
        for kind, points in (("Start", way[:1]), ("Move", way[1:2]), ("Move", way[2:]), ("End", [])):
            spots = [{"x": x, "y": y} for x, y in points]
            await touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": spots})
        await expect(editor.locator(".mark")).to_have_count(1)
        assert await page.locator("#room").evaluate("each => each.scrollTop") == before
        await _shoot(page, "cutout-phone")
        await editor.get_by_role("button", name="Make it again").click()
        await expect(editor.get_by_role("button", name="Make it again")).to_have_attribute("aria-pressed", "true")
    assert _drawn(shop)["keep"][0] == pytest.approx([30, 30, 70, 80], abs=0.6)


async def test_what_was_drawn_can_be_taken_back(shop: Shop) -> None:
    async with shop.seller() as page:
        editor = await _question(shop, page)
        await _drag(page, editor, (0.1, 0.1), (0.3, 0.3))
        await _drag(page, editor, (0.5, 0.5), (0.9, 0.9))
        await editor.get_by_role("button", name=re.compile("Take back: Keep box 1")).click()
        await expect(editor.locator(".mark")).to_have_count(1)
        await editor.get_by_role("button", name="Make it again").click()
        await expect(editor.get_by_role("button", name="Make it again")).to_have_attribute("aria-pressed", "true")
    assert _drawn(shop)["keep"] == [pytest.approx([50, 50, 90, 90], abs=0.6)]


async def test_a_drag_beyond_the_photo_ends_at_its_edge(shop: Shop) -> None:
    async with shop.seller() as page:
        editor = await _question(shop, page)
        await _drag(page, editor, (0.5, 0.5), (1.2, 0.8))
        await editor.get_by_role("button", name="Make it again").click()
        await expect(editor.get_by_role("button", name="Make it again")).to_have_attribute("aria-pressed", "true")
    assert _drawn(shop)["keep"][0][2] == 100


async def test_the_keyboard_alone_chooses_a_part_or_a_field(shop: Shop) -> None:
    async with shop.seller() as page:
        editor = await _question(shop, page, "Remove a part…")
        assert await editor.get_by_role("radio", name="Remove what I draw").is_checked()
        await editor.locator("summary").focus()
        await page.keyboard.press("Enter")
        await expect(editor.get_by_role("button", name="Part 1")).to_be_visible()
        await _shoot(page, "cutout-fields")
        await editor.get_by_role("button", name="C2").focus()
        await page.keyboard.press("Enter")
        await expect(editor.get_by_role("button", name="C2")).to_have_attribute("aria-pressed", "true")
    assert _last(shop).token == "v1:part:q1:7"


async def test_versions_stand_side_by_side_and_fit_a_phone(shop: Shop) -> None:
    for name, size in (("laptop", LAPTOP), ("phone", PHONE)):
        shop.office.lines.rows.clear()
        async with shop.seller(size=size) as page:
            editor = await _question(shop, page)
            await page.mouse.click(*await _at(editor, 0.5, 0.5))
            await editor.get_by_role("button", name="Make it again").click()
            await page.locator(".reply summary", has_text="More").first.click()
            await page.get_by_role("button", name="Compare versions").click()
            await expect(page.locator(".versions figure")).to_have_count(3)
            await expect(page.locator(".versions figcaption")).to_contain_text(["Before", "Version 1", "Now"])
            await page.locator(".versions img").first.evaluate("each => each.decode()")
            await page.locator(".versions").scroll_into_view_if_needed()
            await _shoot(page, f"versions-{name}")
            over = await page.locator("#room").evaluate("each => each.scrollWidth - each.clientWidth")
            assert over <= 0
    assert not shop.complaints
