"""Whether two files show the same picture: Amazon keeps no original, it serves pictures compressed anew."""

from __future__ import annotations

import asyncio
from typing import Final

SIDE_PX: Final = 64
DIFFERENT: Final = 3.0
"""Mean difference of the small pictures' grey values, 0–255. Measured over ten packshots: 1.5 at most after JPEG at
quality 70–85 and resizing to 500–2,000 px; 24 and more to another product; 0.5–2.8 to the same one with another shadow,
which looks alone cannot tell (platforms/amazon/pictures.py goes by what was sent last).
"""
ASPECT_MOST: Final = 1.03


async def shows_the_same(one: bytes, other: bytes) -> bool:
    """Return whether they are the same bytes, or look the same at 64 px; what cannot be read looks like nothing."""
    if one == other:
        return True
    return await asyncio.to_thread(_looks_the_same, one, other)


def _looks_the_same(one: bytes, other: bytes) -> bool:
    import cv2  # 60 ms and 40 MB: only where pictures are compared
    import numpy as np

    small = []
    for content in (one, other):
        # A reduced decode: an eighth of the pixels is plenty, and a picture of 10,000 px is read in no time.
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_4)
        if picture is None:
            return False
        small.append((picture.shape[1] / picture.shape[0], cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=3)))
    (aspect, left), (other_aspect, right) = small
    if max(aspect, other_aspect) / min(aspect, other_aspect) > ASPECT_MOST:
        return False
    return bool(np.abs(left.astype(np.int16) - right.astype(np.int16)).mean() < DIFFERENT)
