"""What people ask about the things in a photo."""

from __future__ import annotations

from dataclasses import dataclass

from domain.catalog import Sku


@dataclass(frozen=True, slots=True)
class SplitPhoto:
    """Make each of the several things in a photo a picture of its own.

    `skus` are the things' products from the left; none asks for each. `enhancement_id` is the card that the words
    answer, empty for the latest one here.
    """

    skus: tuple[Sku, ...] = ()
    enhancement_id: str = ""


PictureIntent = SplitPhoto
