"""What the built-in store wants of a picture: the same as Shopify, so that a try-out shows the real thing."""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import WHITE, PictureRules, Shadow

RULES = PictureRules(
    name=PlatformName.SHELF.value,
    size_px=(2048, 2048),
    background=WHITE,
    fill=0.85,
    fill_least=0.80,
    shadow=Shadow.CONTACT,
    format="jpeg",
    max_bytes=20_000_000,
)
