"""One scale for all pictures of a product: the first one sets it, those at later positions follow.

What a photo's pixels say of size holds only among photos from one distance with one zoom
(docs/decisions/0013), so this happens where somebody asked for it, and the finding says what it rests on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.enhancement import Enhancement, EnhancementState
from domain.errors import BadPhoto
from domain.picture import scale_drawn
from domain.recipe import PictureRules, Recipe
from handlers.desk import Desk

LOOKED_AT = 40
"""Newest enhancements of a SKU among which its first picture is looked for: every position twice."""
_GONE = frozenset({EnhancementState.REJECTED, EnhancementState.EXPIRED, EnhancementState.ENHANCE_FAILED})


def inherited(recipe: Recipe, position: int, others: Sequence[Enhancement]) -> Recipe:
    """Return the recipe, following the scale where the picture before this position does and nobody said otherwise."""
    if recipe.scale_as_sku is not None or recipe.scale_percent is not None:
        return recipe
    first = first_picture(position, others)
    follows = first is not None and bool(first.revision.recipe.scale_as_sku)
    return replace(recipe, scale_as_sku=True) if follows else recipe


def first_picture(position: int, others: Sequence[Enhancement]) -> Enhancement | None:
    """Return who sets the scale for a position: the lowest one before it, there the newest that was not turned down.

    `others` are a SKU's enhancements, newest first.
    """
    before = [each for each in others if each.state not in _GONE and _position(each) < position]
    return min(before, key=_position, default=None)


async def as_first_picture(
    enhancement: Enhancement, rules: tuple[PictureRules, ...], desk: Desk
) -> tuple[PictureRules, ...]:
    """Return the rules with the scale that the product's first picture has at each platform, where that is wanted."""
    if not enhancement.revision.recipe.scale_as_sku:
        return rules
    async with desk.work.reading() as rows:
        others = await rows.enhancements.of_sku(enhancement.team_id, enhancement.sku, limit=LOOKED_AT)
    first = first_picture(_position(enhancement), others)
    if first is None:
        return rules
    drawn = {made.rules_name: scale_drawn(made.findings) for made in first.revision.pictures}
    missing = [each for each in rules if each.name not in drawn]
    if missing and first.photo is not None:
        # Photos of one message are worked on at once: the first picture may not be there yet, and its scale
        # depends on its photo and recipe alone. Made twice is better than waiting in a worker's only slot.
        try:
            made = await desk.enhancer.enhance(await desk.media.get(first.photo), first.revision.recipe, missing)
        except BadPhoto:
            return rules
        drawn |= {picture.rules_name: scale_drawn(picture.findings) for picture in made.pictures}
    return tuple(replace(each, scale_percent=drawn.get(each.name)) for each in rules)


def _position(enhancement: Enhancement) -> int:
    return enhancement.targets[0].position
