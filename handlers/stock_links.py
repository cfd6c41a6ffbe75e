"""What a store answered, as the ledger's places and reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.ports import StorePlatform
from domain.powers import SwapsStock
from domain.stock import OutletKey, Seen, Shown, StockLink, WriteWay
from domain.stock_rules import MOST_SHOWN
from domain.trade import StockLevel


def seen_of(levels: Sequence[StockLevel], believed: Mapping[OutletKey, Shown]) -> list[Seen]:
    """Return what was read of the places we know, by the version that our belief had before the store was asked."""
    return [
        Seen(level.stock_id, level.quantity, believed[level.store_id, level.stock_id].version)
        for level in levels
        if level.quantity is not None and (level.store_id, level.stock_id) in believed
    ]


def link_of(platform: StorePlatform, level: StockLevel, linked_at: datetime) -> StockLink:
    """Return the place that a level was read at."""
    way = WriteWay.READS
    if level.is_writable:
        way = WriteWay.SWAPS if isinstance(platform, SwapsStock) else WriteWay.SETS
    return StockLink(
        level.store_id,
        level.stock_id,
        level.sku,
        level.listing_id,
        way,
        linked_at=linked_at,
        location=level.location,
        cap=MOST_SHOWN.get(platform.store.platform),
    )
