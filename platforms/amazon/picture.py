"""What Amazon wants of a main image.

The 85 % and the pure white are rules that sellers are suppressed for, so the fill aims above the
limit: a soft edge lost to JPEG must not drop it under. Facts as gathered in August–November 2026;
the 10 MB limit is told by third parties only.
"""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import WHITE, PictureRules, Shadow

RULES = PictureRules(
    name=PlatformName.AMAZON.value,
    size_px=(2000, 2000),  # ≥ 1,000 for zoom, ≤ 10,000
    background=WHITE,
    fill=0.87,
    fill_least=0.85,
    shadow=Shadow.NONE,
    shadow_allowed=False,
    format="jpeg",
    max_bytes=10_000_000,
    only_white=True,
)
