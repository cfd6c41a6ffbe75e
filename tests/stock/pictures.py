"""A digest, what runs out at once and an oversold card as people see them: `python -m tests.stock.pictures OUT [de]`.

A made-up shop's morning, with a chart drawn for it, in Slack's, Telegram's and the console's dress; headless Chromium
takes the pictures, for a person to look at. Only the console's dress is the real one.
"""

from __future__ import annotations

import base64
import html
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from playwright.sync_api import sync_playwright

from domain.catalog import Sha256
from domain.replies import Reply
from domain.stock_alert_replies import AlertLine, DigestShown, OutNow
from domain.stock_chart import CoverBar, CoverChart
from handlers.console.render import fragment
from handlers.slack.cards import Picture
from handlers.slack.render import render as slack_shown
from handlers.telegram.render import Shown
from handlers.telegram.render import render as telegram_shown
from handlers.words import Words
from imaging.cover_chart import draw_cover
from tests.slack import page as slack_page
from tests.stock.sync_samples import sync_replies
from tests.telegram import page as telegram_page

CHROMIUM = Path("/usr/bin/chromium")
CHART = Sha256("c" * 64)
TODAY = date(2026, 11, 24)
CONSOLE = Path(__file__).resolve().parents[2] / "handlers" / "console" / "static" / "console.css"


@dataclass(frozen=True, slots=True)
class Drawn:
    """One page to take a picture of."""

    name: str
    html: str
    width_px: int


def morning() -> tuple[DigestShown, bytes, bytes]:
    """Return a digest and its chart, in English and in German."""
    lines = (
        AlertLine("a" * 22, "Stoneware mug, ocean blue", ("MUG-01",), 1, "out", "critical", 0, "Kiln & Co", TODAY, TODAY, 24, "86.40", "EUR"),
        AlertLine("b" * 22, "Tea bowl", ("BOWL-S", "BOWL-M"), 3, "critical", "low", 5, "Kiln & Co", date(2026, 11, 26), date(2026, 12, 1), 12, "31.20", "EUR"),
        AlertLine("c" * 22, "Linen napkin, set of 4", ("NAP-4",), 1, "critical", "ok", 4, "Weavers", date(2026, 11, 29), date(2026, 12, 6), 18, "18.75", "EUR"),
        AlertLine("d" * 22, "Oak tray", ("TRAY-1",), 1, "low", "ok", 9, "", date(2026, 12, 12), date(2026, 12, 23), 6, "2.10", "EUR"),
        AlertLine("e" * 22, "Glass vase, tall", ("VASE-7",), 1, "ok", "out", 40),
    )  # fmt: skip
    digest = DigestShown(
        TODAY, 9, 12, 4, 1, lines, still=3, mismatches=1, waiting_photos=2, chart=CHART, table=CHART, table_rows=11,
        table_bytes=1480,
    )  # fmt: skip
    bars = (
        CoverBar("Stoneware mug, ocean blue", "MUG-01", "out", 0, 0, 14),
        CoverBar("Tea bowl · Small", "BOWL-S", "critical", 2, 7, 14),
        CoverBar("Tea bowl · Medium", "BOWL-M", "critical", 3, 9, 14),
        CoverBar("Linen napkin, set of 4", "NAP-4", "critical", 5, 12, 10),
        CoverBar("Oak tray", "TRAY-1", "low", 18, 29, 14),
    )
    charts = []
    for language in ("en", "de"):
        words = Words(language)
        chart = CoverChart(
            words("Days until it is gone"), words("days"), words("delivery, if ordered today"), words("gone"), bars
        )
        charts.append(draw_cover(chart))
    return digest, charts[0], charts[1]


def shown(language: str) -> list[tuple[str, Reply]]:
    """Return what is drawn, by the name of its file."""
    digest, _english, _german = morning()
    oversold = sync_replies("Stoneware mug, ocean blue", sku="MUG-01", person="Anna", store="Etsy")
    card = next(reply for reply in oversold if type(reply).__name__ == "OversoldAsked")
    return [("digest", digest), ("out-now", OutNow(digest.lines[0], 41)), ("oversold", card)]


def pages(language: str) -> Sequence[Drawn]:
    """Return every page; the console speaks English only."""
    _digest, english, german = morning()
    chart = _data(german if language == "de" else english)
    words = Words(language, "Europe/Berlin")
    drawn = []
    for name, reply in shown(language):
        blocks = slack_shown(reply, words, Picture("F1")).blocks
        drawn.append(Drawn(f"{name}-slack", _slack(blocks, chart), 680))
        drawn.append(Drawn(f"{name}-telegram", _telegram(telegram_shown(reply, words), chart), 400))
        drawn.append(Drawn(f"{name}-console", _console(fragment(reply), _data(english)), 760))
    return drawn


def _data(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _slack(blocks: list[dict[str, object]], chart: str) -> str:
    drawn = slack_page.message(blocks, "Packshot  APP  8:00")
    picture = f'<img src="{chart}" style="width:360px;border:1px solid #ddd;border-radius:8px" alt="">'
    drawn = re.sub(r'<div class="pic" title="[^"]*"></div>', picture, drawn)
    return f"<style>{slack_page.STYLE}</style>{drawn}"


def _telegram(message: Shown, chart: str) -> str:
    drawn = telegram_page.page([("", message)])
    return re.sub(
        r"<svg viewBox.*?</svg>",
        f'<img src="{chart}" style="width:340px;display:block" alt="">',
        drawn,
        flags=re.DOTALL,
    )


def _console(piece: str, chart: str) -> str:
    dressed = piece.replace(f"/console/photos/{CHART}", chart)
    return f"<style>{CONSOLE.read_text()}</style><main style='padding:16px'>{dressed}</main>"


def take(folder: Path, language: str) -> list[Path]:
    """Take the pictures and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for each in pages(language):
            page = browser.new_page(viewport={"width": each.width_px, "height": 200}, device_scale_factor=2)
            title = html.escape(each.name)
            page.set_content(
                f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>{each.html}'
            )
            path = folder / f"{each.name}-{language}.png"
            page.screenshot(path=str(path), full_page=True)
            page.close()
            taken.append(path)
        browser.close()
    return taken


if __name__ == "__main__":
    for made in take(Path(sys.argv[1]), (sys.argv[2:] or ["en"])[0]):
        print(made)
