"""The ledger's tables, and their rows as values and back. Rows are plain columns, not watched objects."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, Table

from domain.catalog import ListingId, Sku, StoreId
from domain.stock import (
    LineCounts,
    LinkState,
    Mismatch,
    MismatchState,
    Movement,
    MovementKind,
    OutletKey,
    Pull,
    Push,
    PushState,
    Shown,
    SkuFacts,
    StockLink,
    WriteWay,
)
from domain.trade import OrderId, StockId
from storage.codec import clean_text
from storage.statements import table_of
from storage.stock_tables import (
    StockMismatchRow,
    StockMovementRow,
    StockOrderLineRow,
    StockOutletRow,
    StockPullRow,
    StockPushRow,
    StockSkuRow,
)

SKU: Final[Table] = table_of(StockSkuRow)
OUTLET: Final[Table] = table_of(StockOutletRow)
PUSH: Final[Table] = table_of(StockPushRow)
MISMATCH: Final[Table] = table_of(StockMismatchRow)
PULL: Final[Table] = table_of(StockPullRow)
MOVEMENT: Final[Table] = table_of(StockMovementRow)
LINE: Final[Table] = table_of(StockOrderLineRow)


def link_columns(team_id: str, link: StockLink) -> dict[str, Any]:
    """Return a place's row without a belief."""
    return {
        "store_id": link.store_id,
        "stock_id": link.stock_id,
        "team_id": team_id,
        "sku": link.sku.value,
        "sku_key": link.sku.key,
        "listing_id": link.listing_id,
        "location": clean_text(link.location),
        "way": link.way.value,
        "buffer": link.buffer,
        "cap": link.cap,
        "state": link.state.value,
        "linked_at": link.linked_at,
        "slack": 0,
        "version": 0,
    }


def shown_columns(key: OutletKey, shown: Shown) -> dict[str, Any]:
    """Return a belief for a statement on the place `of_store`, `of_stock`."""
    return {
        "of_store": key[0],
        "of_stock": key[1],
        "quantity": shown.quantity,
        "slack": shown.slack,
        "observed_at": shown.observed_at,
        "suspected": shown.suspected,
        "blocked_at": shown.blocked_at,
        "written_at": shown.written_at,
        "version": shown.version,
    }


def facts_of(row: Row[Any]) -> SkuFacts:
    """Return a SKU's row as what the shop says of it."""
    return SkuFacts(
        Sku(row.sku),
        row.lead_days,
        row.review_days,
        row.pack,
        row.supplier,
        Decimal(row.cost) if row.cost else None,
        row.currency,
        row.split_at,
        row.counted_at,
    )


def link_of(row: Row[Any]) -> StockLink:
    """Return a place's row as the link."""
    return StockLink(
        StoreId(row.store_id),
        StockId(row.stock_id),
        Sku(row.sku),
        ListingId(row.listing_id),
        WriteWay(row.way),
        row.linked_at,
        row.location,
        row.buffer,
        row.cap,
        LinkState(row.state),
    )


def shown_of(row: Row[Any]) -> Shown:
    """Return a place's row as the belief."""
    return Shown(
        row.quantity,
        row.slack,
        row.observed_at,
        row.suspected,
        row.blocked_at,
        row.written_at,
        row.version,
    )


def pull_of(row: Row[Any]) -> Pull:
    """Return how far a store is pulled."""
    return Pull(row.cursor, row.began_at)


def push_of(row: Row[Any]) -> Push:
    """Return a push."""
    return Push(
        row.push_id,
        Sku(row.sku),
        StoreId(row.store_id),
        StockId(row.stock_id),
        row.from_quantity,
        row.delta,
        row.opened_at,
        PushState(row.state),
        row.closed_at,
        row.why,
        row.sent_at,
    )


def mismatch_of(row: Row[Any]) -> Mismatch:
    """Return a mismatch."""
    return Mismatch(
        row.mismatch_id,
        Sku(row.sku),
        StoreId(row.store_id),
        StockId(row.stock_id),
        row.expected,
        row.observed,
        row.opened_at,
        MismatchState(row.state),
        row.resolved_at,
        row.resolved_by,
    )


def push_columns(team_id: str, push: Push) -> dict[str, Any]:
    """Return a push's row."""
    return {
        "push_id": push.push_id,
        "team_id": team_id,
        "store_id": push.store_id,
        "stock_id": push.stock_id,
        "sku": push.sku.value,
        "sku_key": push.sku.key,
        "from_quantity": push.from_quantity,
        "delta": push.delta,
        "state": push.state.value,
        "why": clean_text(push.why),
        "opened_at": push.opened_at,
        "closed_at": push.closed_at,
        "sent_at": push.sent_at,
    }


def mismatch_columns(team_id: str, one: Mismatch) -> dict[str, Any]:
    """Return a mismatch's row."""
    return {
        "mismatch_id": one.mismatch_id,
        "team_id": team_id,
        "store_id": one.store_id,
        "stock_id": one.stock_id,
        "sku": one.sku.value,
        "sku_key": one.sku.key,
        "expected": one.expected,
        "observed": one.observed,
        "state": one.state.value,
        "opened_at": one.opened_at,
        "resolved_at": one.resolved_at,
        "resolved_by": clean_text(one.resolved_by),
    }


def movement_of(row: Row[Any]) -> Movement:
    """Return a movement."""
    return Movement(
        row.key,
        Sku(row.sku),
        row.quantity,
        MovementKind(row.kind),
        row.occurred_at,
        row.source,
        row.actor,
        row.what,
        None if row.store_id is None else StoreId(row.store_id),
        None if row.order_id is None else OrderId(row.order_id),
        row.movement_id,
    )


def movement_columns(team_id: str, one: Movement) -> dict[str, Any]:
    """Return a movement's row; the database counts its id."""
    return {
        "team_id": team_id,
        "key": one.key,
        "sku": one.sku.value,
        "sku_key": one.sku.key,
        "quantity": one.quantity,
        "kind": one.kind.value,
        "occurred_at": one.occurred_at,
        "day": one.occurred_at.astimezone(UTC).date(),
        "source": clean_text(one.source),
        "actor": clean_text(one.actor),
        "what": clean_text(one.what),
        "store_id": one.store_id,
        "order_id": one.order_id,
    }


def counts_of(row: Row[Any]) -> LineCounts:
    """Return what a line's row knows."""
    return LineCounts(row.ordered, row.cancelled, row.restocked, row.shipped)
