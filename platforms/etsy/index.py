"""What is kept of a whole shop: which listings sell a SKU, and which have variations. One note, read and written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.catalog import ListingId, Sku
from platforms.etsy.api import EtsyApi

_SHOP: Final = ListingId("")
_NOTE: Final = "skus"


@dataclass(frozen=True, slots=True)
class SkuIndex:
    """`listings`: ids by `Sku.key`; `varied`: ids of listings with more than one product. `at`: when it was begun."""

    at: datetime
    listings: Mapping[str, Sequence[str]]
    varied: frozenset[str]

    def of(self, sku: Sku) -> Sequence[ListingId]:
        """Return the listings that sold a SKU then."""
        return [ListingId(one) for one in self.listings.get(sku.key, ())]


async def noted(api: EtsyApi) -> SkuIndex | None:
    """Return what is kept, None before the shop was ever read."""
    text = (await api.notes.of_listing(api.store.store_id, _SHOP)).get(_NOTE)
    if text is None:
        return None
    kept = json.loads(text)
    return SkuIndex(datetime.fromisoformat(kept["at"]), kept["listings"], frozenset(kept["varied"]))


async def keep(api: EtsyApi, index: SkuIndex) -> None:
    """Keep it instead of the one before."""
    kept = {"at": index.at.isoformat(), "listings": index.listings, "varied": sorted(index.varied)}
    await api.notes.keep(api.store.store_id, _SHOP, _NOTE, json.dumps(kept, separators=(",", ":")))
