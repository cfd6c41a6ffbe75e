"""Any walk of publish and undo, at any store: the listing is always what a plain list would be."""

from __future__ import annotations

from dataclasses import dataclass

from domain.catalog import ImageId, ListingImage
from tests.platforms.contract import Open, ids, publish, restore


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the property: publish at `position`, or undo the latest when it is None; `times` ≥ 1."""

    position: int | None
    times: int


async def any_walk_keeps_the_other_pictures(open_shop: Open, steps: list[Step]) -> None:
    """Publish and undo in any order, each repeated: the listing is always what a plain list would be.

    Contents are compared, since a store may give a restored picture a new id.
    """
    async with open_shop() as shop:
        expected = await shop.images_at_store()
        done: list[tuple[str, int, ListingImage, ImageId | None, list[bytes]]] = []
        for number, step in enumerate(steps):
            if step.position is not None:
                key, standing = f"e{number}:1:s", await ids(shop)
                index = step.position - 1
                replaces = standing[index] if index < len(standing) else None
                before = list(expected)
                for _ in range(step.times):
                    ours = await publish(shop, key, position=step.position, replaces=replaces)
                expected[index : index + 1] = [shop.content(key)]
                done.append((key, step.position, ours, replaces, before))
            elif done:
                key, position, ours, replaces, before = done.pop()
                content = before[position - 1] if replaces else None
                for _ in range(step.times):
                    await restore(shop, key, ours=ours.image_id, original=replaces, content=content, position=position)
                expected = before
            assert await shop.images_at_store() == expected
