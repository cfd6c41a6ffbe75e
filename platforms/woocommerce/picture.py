"""What WooCommerce wants of a product's image: themes crop to squares; 2048² stays sharp on dense screens."""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import WHITE, PictureRules, Shadow

RULES = PictureRules(
    name=PlatformName.WOOCOMMERCE.value,
    size_px=(2048, 2048),
    background=WHITE,
    fill=0.85,
    fill_least=0.80,
    shadow=Shadow.CONTACT,
    format="jpeg",
    max_bytes=20_000_000,
)
