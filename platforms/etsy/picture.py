"""What Etsy wants of a listing's first photo.

JPEG, because Etsy turns transparency black and takes no WebP. The product stands smaller than
elsewhere since Etsy crops thumbnails to 4:3. 10 MB is told by third parties only.
"""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import WHITE, PictureRules, Shadow

RULES = PictureRules(
    name=PlatformName.ETSY.value,
    size_px=(2000, 2000),  # ≥ 2,000 px wide and high recommended, served up to 3,000
    background=WHITE,
    fill=0.80,
    fill_least=0.75,
    shadow=Shadow.SOFT,
    format="jpeg",
    max_bytes=10_000_000,
)
