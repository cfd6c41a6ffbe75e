"""What Shopify wants of a product's first image: 2048² is its own recommendation, 20 MB its limit."""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import WHITE, PictureRules, Shadow

RULES = PictureRules(
    name=PlatformName.SHOPIFY.value,
    size_px=(2048, 2048),
    background=WHITE,
    fill=0.85,
    fill_least=0.80,
    shadow=Shadow.CONTACT,
    format="jpeg",
    max_bytes=20_000_000,
)
