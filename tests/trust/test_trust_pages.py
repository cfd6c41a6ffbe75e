"""Every page can be read and used by everybody: axe-core finds nothing serious, on a desktop, a phone and in the dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext

from tests.trust.pages import CHROMIUM, SIZES, Site, browser, is_for_members, show, site

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PAGES = (
    "login", "login-wrong-code", "shelf", "shelf-product", "shelf-missing", "connect-unknown", "connect-done-unknown",
    "export-unknown", "status-signed-out", "console", "status", "connect-shopify", "connect-woocommerce", "connect-etsy",
    "connect-amazon",
)  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is absent"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, BrowserContext, BrowserContext]]:
    """The site, a stranger's browser and a member's."""
    async with site(tmp_path_factory.mktemp("site")) as running, browser() as chromium:
        stranger, member = await chromium.new_context(), await chromium.new_context()
        page = await member.new_page()
        await page.goto(f"{running.address}{running.opening}")
        await page.close()
        yield running, stranger, member


async def serious(page: Any, *, rules: list[str] | None = None) -> list[str]:
    """Return what axe-core calls serious or critical, a line each."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text("utf-8"))
    only = f", runOnly: {rules}" if rules else ""
    found = await page.evaluate(f"axe.run(document, {{ resultTypes: ['violations']{only} }})")
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("name", PAGES)
async def test_axe_finds_nothing_serious(name: str, shop: tuple[Site, BrowserContext, BrowserContext]) -> None:
    running, stranger, member = shop
    page = await (member if is_for_members(name) else stranger).new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    found = {}
    status = await show(page, running, name)
    # A page that is there, and not the refusal that stands in its place.
    assert (status < 400) == (not name.endswith(("unknown", "missing", "signed-out")) and "login" not in name), status
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        found[size] = await serious(page)
        is_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not is_wide, f"{name} is wider than a {size}"
    await page.emulate_media(color_scheme="dark")
    found["dark"] = await serious(page, rules=["color-contrast"])  # nothing else differs there
    await page.close()
    assert {place: lines for place, lines in found.items() if lines} == {}
    assert complaints == []


async def test_axe_would_notice(shop: tuple[Site, BrowserContext, BrowserContext]) -> None:
    running, stranger, _ = shop
    page = await stranger.new_page()
    await show(page, running, "login")
    await page.evaluate("document.body.append(Object.assign(document.createElement('img'), { src: '/x' }))")
    assert any(line.startswith("image-alt (critical)") for line in await serious(page))
    await page.close()


async def test_every_page_is_looked_at(shop: tuple[Site, BrowserContext, BrowserContext]) -> None:
    assert set(PAGES) == set(shop[0].pages)
