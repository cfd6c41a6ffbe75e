"""What only some stores can do: one small Protocol a power, beside `StorePlatform` in domain/ports.py.

An adapter has a power when it has the method; a handler asks `isinstance(store, WritesStock)` and otherwise
raises `handlers.powers.lacking(store, WritesStock)`, which says what to do instead. Every call may raise
what StorePlatform's may, MissingScope among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from domain.catalog import ImageId, ListingId, ListingImage, Sku
from domain.errors import StoreError
from domain.trade import Order, OrderId, OrderPage, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite


@runtime_checkable
class GoesLiveLater(Protocol):
    """Says yes first and shows the picture later, or never: *accepted* is not *live*."""

    async def find_live(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the published picture once buyers see it, None while the store still thinks.

        Raises RejectedByStore with the store's reason when it will not show it (another seller's picture won,
        too small, not white), so that a person reads why.
        """
        ...


@runtime_checkable
class WritesAltText(Protocol):
    """Can say what a picture shows."""

    async def set_alt_text(self, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
        """Change the alternative text and nothing else; the same text twice is one write. Raises RejectedByStore."""
        ...


@runtime_checkable
class RemovesImages(Protocol):
    """Can take a picture off a listing."""

    async def remove_image(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Take it off, keeping the others' order; detached rather than deleted where the store can.

        One that is gone already is no error.
        """
        ...


@runtime_checkable
class ReadsStock(Protocol):
    """Can say how many are left."""

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs, read now; an unknown SKU has none, one in two places has two."""
        ...

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level of the store with the fewest calls it allows; a SKU-less product has none."""
        ...


@runtime_checkable
class SwapsStock(Protocol):
    """Can compare and set in one step at the store."""

    async def swap_stock(self, write: StockWrite) -> StockLevel:
        """Set the quantity where it still is `was`, and return the level. The same key twice is one write.

        Raises StockChanged, having written nothing, when it is not.
        """
        ...


@runtime_checkable
class SetsStock(Protocol):
    """Can only set: between the look and the write somebody may sell one, so orders are pulled afterwards."""

    async def set_stock(self, write: StockWrite) -> StockLevel:
        """Look, set, and return what was read back. Setting the same quantity twice is one write.

        Raises StockChanged, having written nothing, when the look does not find `was`; RejectedByStore for a
        level that is not writable.
        """
        ...


@runtime_checkable
class SetsStockInBulk(Protocol):
    """Can set many quantities with few calls."""

    async def set_stock_of_many(self, writes: Sequence[StockWrite]) -> Sequence[StockLevel | StoreError]:
        """Do each write as `set_stock` does, and return for each, in order, the level or why it was not written.

        One that fails leaves the others written. Raises only what stops them all; the same writes may then come again.
        """
        ...


@runtime_checkable
class ReadsOrders(Protocol):
    """Can list orders."""

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of the orders changed at or after `since` (aware UTC), the longest unchanged first.

        Asks for no buyer's name, address or mail. An order that changes between two pages may come twice.
        """
        ...

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one, read now. Raises NotFound."""
        ...


@runtime_checkable
class ShipsOrders(Protocol):
    """Can mark an order as shipped, which tells the buyer."""

    async def mark_shipped(self, shipment: Shipment) -> Order:
        """Mark every open line shipped. Looks first: an order that is shipped already is returned as it is.

        Never repeated blindly, since each call may write to the buyer: Ambiguous when nobody can tell.
        Raises RejectedByStore(field="carrier") for a carrier the store does not know.
        """
        ...


@runtime_checkable
class WritesPrices(Protocol):
    """Can change a price."""

    async def set_price(self, write: PriceWrite) -> None:
        """Set and read back. Raises RejectedByStore(field="price"), also when `was` is given and not found."""
        ...


@runtime_checkable
class WritesTexts(Protocol):
    """Can change a title and a description."""

    async def set_texts(self, write: TextWrite) -> None:
        """Set and read back. Raises RejectedByStore(field="title" | "description")."""
        ...


@runtime_checkable
class RevokesAccess(Protocol):
    """Can end our own access at the store."""

    async def revoke(self) -> None:
        """End it: our key is dead afterwards. Raises NeedsReconnect where it was dead before."""
        ...
