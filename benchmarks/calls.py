"""How many calls each thing costs at each store, counted at the fakes: `python benchmarks/calls.py`.

Polls (asking again whether a picture is processed) are counted apart: how many there are is the store's affair.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from domain.ports import RestoresImages
from domain.powers import ReadsStock
from tests.platforms.contract import publish, restore
from tests.platforms.harness import Kind, StoreHarness
from tests.platforms.harnesses import KINDS

AIMS = {
    ("shopify", "publish"): 5,
    ("etsy", "publish"): 4,
    ("amazon", "publish"): 3,
    ("woocommerce", "publish"): 5,
}
"""At most so many, read-back included, polls apart."""
POLL = "poll"
"""An operation whose name ends so is a poll: the fake names it `mediaStatus poll`."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one thing cost at one store."""

    store: str
    what: str
    calls: int
    polls: int
    aim: int | None
    operations: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        """Whether the aim is kept; what has none always is."""
        return self.aim is None or self.calls <= self.aim


async def count(kind: Kind) -> list[Count]:
    """Return the counts of one adapter, each thing on a freshly opened store."""
    return [await _counted(kind, what, act) for what, act in ACTS.items()]


async def _find(shop: StoreHarness) -> None:
    await shop.platform.find_listings(shop.sku)


async def _publish(shop: StoreHarness) -> None:
    main = (await shop.platform.read_images(shop.listing_id))[0]
    _from_here(shop)
    await publish(shop, "e1:1:s", replaces=main.image_id)


async def _whole_way(shop: StoreHarness) -> None:
    """Keep what stands there, publish, read back: what the bot does for one press of Approve."""
    main = (await shop.platform.read_images(shop.listing_id))[0]
    await shop.platform.fetch_image(main)
    await publish(shop, "e1:1:s", replaces=main.image_id)
    await shop.platform.read_images(shop.listing_id)


async def _undo(shop: StoreHarness) -> None:
    main = (await shop.platform.read_images(shop.listing_id))[0]
    content = (await shop.images_at_store())[0]
    ours = await publish(shop, "e1:1:s", replaces=main.image_id)
    _from_here(shop)
    assert isinstance(shop.platform, RestoresImages)
    await restore(shop, "e1:1:s", ours=ours.image_id, original=main.image_id, content=content)


async def _stock(shop: StoreHarness) -> None:
    if isinstance(shop.platform, ReadsStock):
        await shop.platform.read_all_stock()


ACTS: dict[str, Callable[[StoreHarness], Awaitable[None]]] = {
    "find SKU": _find,
    "publish": _publish,
    "keep + publish + confirm": _whole_way,
    "undo": _undo,
    "read all stock": _stock,
}
_began: dict[int, int] = {}
"""By harness: how many calls had been made when counting began."""


def _from_here(shop: StoreHarness) -> None:
    _began[id(shop)] = len(shop.calls)


async def _counted(kind: Kind, what: str, act: Callable[[StoreHarness], Awaitable[None]]) -> Count:
    async with kind.open() as shop:
        _from_here(shop)
        await act(shop)
        made = tuple(shop.calls[_began.pop(id(shop)) :])
    polls = sum(1 for name in made if name.endswith(POLL))
    return Count(kind.name, what, len(made) - polls, polls, AIMS.get((kind.name, what)), made)


async def _main(*, as_json: bool) -> int:
    counts = [one for kind in KINDS for one in await count(kind)]
    if as_json:
        print(json.dumps([asdict(one) for one in counts], indent=2))
    else:
        print(f"{'store':12} {'what':26} {'calls':>5} {'polls':>5} {'aim':>4}")
        for one in counts:
            aim = "" if one.aim is None else f"≤ {one.aim}"
            mark = "" if one.is_met else "  MISSED"
            print(
                f"{one.store:12} {one.what:26} {one.calls:5} {one.polls:5} {aim:>4}{mark}  {' '.join(one.operations)}"
            )
    return 0 if all(one.is_met for one in counts) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    raise SystemExit(asyncio.run(_main(as_json=parser.parse_args().json)))
