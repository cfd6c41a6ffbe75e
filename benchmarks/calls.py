"""How many calls each thing costs at each store, counted at the fakes: `python benchmarks/calls.py`.

Polls (asking again whether a picture is processed) are counted apart: how many there are is the store's affair.
Then a hundred publishes at once on a store that keeps its limits, in a time that only waiting moves.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from domain.catalog import ImageId, ListingId
from domain.ports import PublishRequest, RestoresImages
from domain.powers import ReadsStock
from platforms.buckets import WHOLE_ACCOUNT, Rate
from platforms.transport import Patience
from tests.fakes.amazon import RATES as AMAZON_RATES
from tests.fakes.limits import CrowdTime
from tests.fakes.store_side import make_transports
from tests.platforms.contract import publish, restore
from tests.platforms.harness import CrowdedHarness, Kind, LargeHarness, StoreHarness
from tests.platforms.harnesses import KINDS

AIMS = {
    ("shopify", "publish"): 5,
    ("etsy", "publish"): 4,
    ("amazon", "publish"): 3,
    ("woocommerce", "publish"): 5,
    ("shopify", "stock of 10,000 SKUs"): 6,
    ("etsy", "stock of 10,000 SKUs"): 110,
    ("amazon", "stock of 10,000 SKUs"): 210,
    ("woocommerce", "stock of 10,000 SKUs"): 110,
}
"""At most so many, read-back included, polls apart; Shopify's sixth is the download."""
SKUS = 10_000
PATIENT = Patience(read_s=60.0, backoff_s=0.0, backoff_most_s=0.0)
"""Calls are counted here, not seconds: a fake may take its time on a busy machine."""
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
    repeated: int = 0
    """Reads asked for a second time in the very same words, polls apart, where nothing is written at all."""

    @property
    def is_met(self) -> bool:
        """Whether the aim is kept and nothing was asked twice; what has no aim may cost what it costs."""
        return self.repeated == 0 and (self.aim is None or self.calls <= self.aim)


async def count(kind: Kind) -> list[Count]:
    """Return the counts of one adapter, each thing on a freshly opened store; what it cannot do is left out."""
    counts = [await _counted(kind, what, act) for what, act in ACTS.items()]
    return [one for one in counts if one.calls]


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


async def _large_stock(shop: StoreHarness) -> None:
    if isinstance(shop.platform, ReadsStock) and isinstance(shop, LargeHarness):
        if isinstance(shop, CrowdedHarness):
            shop.transports.patience = PATIENT
        await shop.add_skus(SKUS)
        _from_here(shop)
        levels = await shop.platform.read_all_stock()
        assert len(levels) >= SKUS, f"{len(levels)} levels of {SKUS}"


ACTS: dict[str, Callable[[StoreHarness], Awaitable[None]]] = {
    "find SKU": _find,
    "publish": _publish,
    "keep + publish + confirm": _whole_way,
    "undo": _undo,
    "read all stock": _stock,
    "stock of 10,000 SKUs": _large_stock,
}
READING = frozenset({"find SKU", "read all stock", "stock of 10,000 SKUs"})
_began: dict[int, int] = {}
"""By harness: how many calls had been made when counting began."""


def _from_here(shop: StoreHarness) -> None:
    _began[id(shop)] = len(shop.calls)


async def _counted(kind: Kind, what: str, act: Callable[[StoreHarness], Awaitable[None]]) -> Count:
    async with kind.open() as shop:
        _from_here(shop)
        await act(shop)
        began = _began.pop(id(shop))
        made = tuple(shop.calls[began:])
        seen = shop.server.calls[began:] if isinstance(shop, CrowdedHarness) and what in READING else []
        asked = Counter(
            (one.method, one.request.path_qs, one.body)
            for name, one in zip(made, seen, strict=False)
            if not name.endswith(POLL)
        )
    polls = sum(1 for name in made if name.endswith(POLL))
    repeated = sum(times - 1 for times in asked.values())
    return Count(kind.name, what, len(made) - polls, polls, AIMS.get((kind.name, what)), made, repeated)


# ---------------------------------------------------------------- a hundred at once

PUBLISHES = 100
TIMES_MOST = 1.15
"""At most so many times what the limits themselves take."""
LIMITS = {
    "woocommerce": {WHOLE_ACCOUNT: Rate(5.0, 10.0)},
    "etsy": {WHOLE_ACCOUNT: Rate(10.0, 10.0)},
    "amazon": {operation: Rate(*rate) for operation, rate in AMAZON_RATES.items()},
}
"""Amazon's rates are those of its models, Etsy's its default; WooCommerce names none, so it is held to what we promise.

Shopify counts points and not calls: its fake keeps them itself.
"""


@dataclass(frozen=True, slots=True)
class Rush:
    """What a hundred publishes at once took, in seconds of the simulated time."""

    store: str
    took_s: float
    shortest_s: float
    refused: int

    @property
    def is_met(self) -> bool:
        """Whether the store was never asked too fast, and little longer was waited than had to be."""
        return self.refused == 0 and self.took_s <= self.shortest_s * TIMES_MOST


async def rush(kind: Kind) -> Rush | None:
    """Publish on a hundred listings at once; None for a store without limits."""
    async with kind.open() as shop:
        if not isinstance(shop, CrowdedHarness):
            return None
        listings = [await shop.add_listing() for _ in range(PUBLISHES)]
        server = shop.server
        time = CrowdTime(progress=lambda: len(server.calls))
        async with make_transports(time, patience=PATIENT) as transports:
            shop.transports = transports
            shop.reopen()
            server.keep_limits(time.monotonic, LIMITS.get(kind.name, {}))
            mains = [(await shop.platform.read_images(one))[0].image_id for one in listings]
            # What was read to prepare is no part of the rush: let every bucket fill up again.
            time.seconds += 10_000.0
            limit = server.keep_limits(time.monotonic, LIMITS.get(kind.name, {}))
            began = time.seconds

            async def one(listing_id: ListingId, main: ImageId) -> None:
                key = f"{listing_id}:1:s"
                content = shop.content(key)
                await shop.platform.publish_image(PublishRequest(key, listing_id, 1, content, "image/jpeg", "", main))

            await asyncio.gather(*(one(*each) for each in zip(listings, mains, strict=True)))
            return Rush(kind.name, time.seconds - began, limit.shortest_s, limit.refused)


async def _main(*, as_json: bool) -> int:
    counts = [one for kind in KINDS for one in await count(kind)]
    rushes = [each for kind in KINDS if (each := await rush(kind))]
    if as_json:
        figures = {"counts": [asdict(one) for one in counts], "rushes": [asdict(one) for one in rushes]}
        print(json.dumps(figures, indent=2))
    else:
        print(f"{'store':12} {'what':26} {'calls':>5} {'polls':>5} {'aim':>5}")
        for one in counts:
            aim = "" if one.aim is None else f"≤ {one.aim}"
            mark = "" if one.is_met else f"  MISSED ({one.repeated} repeated)" if one.repeated else "  MISSED"
            asked = " ".join(
                f"{name}×{times}" if times > 1 else name for name, times in Counter(one.operations).items()
            )
            print(f"{one.store:12} {one.what:26} {one.calls:5} {one.polls:5} {aim:>5}{mark}  {asked}")
        print(f"\n{PUBLISHES} publishes at once, the store's limits kept, simulated time:")
        for each in rushes:
            print(
                f"{each.store:12} {each.took_s:7.1f} s, at least {each.shortest_s:.1f} s; refused {each.refused} (aim 0,"
                f" ≤ {TIMES_MOST} times){'' if each.is_met else '  MISSED'}"
            )
    return 0 if all(one.is_met for one in counts) and all(each.is_met for each in rushes) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    raise SystemExit(asyncio.run(_main(as_json=parser.parse_args().json)))
