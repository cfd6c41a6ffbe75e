"""What is written can be read: every pair of ink and ground in the stylesheet has WCAG's contrast."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).resolve().parents[2] / "handlers/console/static/console.css").read_text(encoding="utf-8")
AA = 4.5
"""WCAG 2.2, 1.4.3: normal text."""
PAIRS = [
    *((ink, ground) for ink in ("ink", "dim", "accent") for ground in ("paper", "card", "sunk")),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-strong"),
    ("accent", "accent-soft"),
    ("warn", "warn-soft"),
    ("ink", "warn-soft"),
    ("warn", "card"),
    ("bad", "bad-soft"),
    ("bad", "card"),
]


def _palettes() -> dict[str, dict[str, str]]:
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in CSS.split(":root {")[1:3])
    return {"light": light, "dark": dark}


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_ink_stands_out_from_its_ground(palette: str, ink: str, ground: str) -> None:
    colours = _palettes()[palette]
    lighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
    contrast = (lighter + 0.05) / (darker + 0.05)
    assert contrast >= AA, f"{ink} on {ground}, {palette}: {contrast:.2f}"
