"""The built-in store as the registry knows it: it needs nothing to be opened."""

from __future__ import annotations

from domain.catalog import PlatformName, Store
from domain.ports import StorePlatform
from platforms.descriptor import Descriptor, Supplies


def open_store(store: Store, supplies: Supplies) -> StorePlatform:
    """Open it on its rows."""
    from platforms.shelf.adapter import ShelfStore

    return ShelfStore(store, supplies.shelf_rows, supplies.media, public_url=supplies.public_url)


DESCRIPTOR = Descriptor(PlatformName.SHELF, "Shelf", settings=(), open=open_store)
