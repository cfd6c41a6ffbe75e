"""The rows of the built-in store: the port `ShelfRows`.

Pictures that were replaced stay as rows without a position, which is what makes undo possible.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.catalog import ImageId, ListingId, Sha256, Sku, StoreId
from domain.errors import Fault, RowChanged
from domain.rows import ShelfImage, ShelfListing, ShelfOrder, ShelfVariant
from storage.codec import clean_text
from storage.database import Database
from storage.statements import change, find_all, find_one, insert, insert_once
from storage.tables import ShelfImageRow, ShelfListingRow, ShelfOrderRow, ShelfVariantRow, StoreRow


class SqlShelfRows:
    """The listings, pictures and orders of every shelf."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def listings(self, store_id: StoreId, *, after: str = "", limit: int = 50) -> Sequence[ShelfListing]:
        """Return listings with handle > `after`, by handle."""
        statement = (
            select(ShelfListingRow)
            .where(col(ShelfListingRow.store_id) == store_id, col(ShelfListingRow.handle) > after)
            .order_by(col(ShelfListingRow.handle))
            .limit(limit)
        )
        return await self._find(store_id, statement)

    async def by_sku(self, store_id: StoreId, sku: Sku) -> Sequence[ShelfListing]:
        """Return the listings that sell this SKU, compared by `Sku.key`."""
        selling = select(col(ShelfVariantRow.listing_id)).where(
            col(ShelfVariantRow.store_id) == store_id, col(ShelfVariantRow.sku_key) == sku.key
        )
        statement = (
            select(ShelfListingRow)
            .where(col(ShelfListingRow.store_id) == store_id, col(ShelfListingRow.listing_id).in_(selling))
            .order_by(col(ShelfListingRow.handle))
        )
        return await self._find(store_id, statement)

    async def listing(self, store_id: StoreId, listing_id: ListingId) -> ShelfListing | None:
        """Return one, None when it is gone."""
        found = await self._find(store_id, select(ShelfListingRow).where(*_is(ShelfListingRow, store_id, listing_id)))
        return found[0] if found else None

    async def add_listing(self, store_id: StoreId, listing: ShelfListing) -> bool:
        """Insert one; False when the handle exists. Raises Fault("row_missing") for an unknown store."""
        async with self._database.begin() as db_session:
            store = await find_one(db_session, select(StoreRow).where(col(StoreRow.store_id) == store_id))
            if store is None:
                raise Fault("row_missing", f"no store {store_id}")
            row = ShelfListingRow(
                store_id=store_id,
                listing_id=listing.listing_id,
                team_id=store.team_id,
                title=clean_text(listing.title),
                handle=listing.handle,
                description=clean_text(listing.description),
                version=listing.version,
            )
            if not await insert_once(db_session, row):
                return False
            for position, variant in enumerate(listing.variants, start=1):
                await insert(db_session, _variant_row(row, variant, position=position))
            for position, image in enumerate(listing.images, start=1):
                await insert(db_session, _image_row(row, image, position=position))
        return True

    async def set_images(
        self, store_id: StoreId, listing_id: ListingId, images: Sequence[ShelfImage], *, was_version: int
    ) -> None:
        """Replace the ordered pictures where the version is still `was_version`. Raises RowChanged."""
        this = _is(ShelfListingRow, store_id, listing_id)
        async with self._database.begin() as db_session:
            raised = await change(
                db_session,
                update(ShelfListingRow)
                .where(*this, col(ShelfListingRow.version) == was_version)
                .values(version=was_version + 1),
            )
            if raised != 1:
                raise RowChanged(f"shelf listing {listing_id}", was=f"version {was_version}")
            listing = (await find_all(db_session, select(ShelfListingRow).where(*this)))[0]
            pictures = _is(ShelfImageRow, store_id, listing_id)
            await change(db_session, update(ShelfImageRow).where(*pictures).values(position=None))
            for position, image in enumerate(images, start=1):
                known = await change(
                    db_session,
                    update(ShelfImageRow)
                    .where(*pictures, col(ShelfImageRow.image_id) == image.image_id)
                    .values(position=position, alt=clean_text(image.alt)),
                )
                if not known:
                    await insert(db_session, _image_row(listing, image, position=position))

    async def detached(self, store_id: StoreId, listing_id: ListingId, image_id: ImageId) -> ShelfImage | None:
        """Return an image of this listing, shown or detached."""
        return await self._find_image(
            select(ShelfImageRow).where(
                *_is(ShelfImageRow, store_id, listing_id), col(ShelfImageRow.image_id) == image_id
            )
        )

    async def made_for(self, store_id: StoreId, listing_id: ListingId, key: str) -> ShelfImage | None:
        """Return the image a publish key made, shown or detached."""
        return await self._find_image(
            select(ShelfImageRow).where(*_is(ShelfImageRow, store_id, listing_id), col(ShelfImageRow.made_for) == key)
        )

    async def sell(self, store_id: StoreId, sku: Sku, quantity: int, *, now: datetime) -> ShelfOrder | None:
        """Record an order and lower the stock in one step; None when there is not enough.

        Where several listings sell the SKU, one of them must have all of it.
        """
        selling = select(ShelfVariantRow).where(
            col(ShelfVariantRow.store_id) == store_id, col(ShelfVariantRow.sku_key) == sku.key
        )
        in_order = selling.order_by(col(ShelfVariantRow.listing_id), col(ShelfVariantRow.position))
        async with self._database.begin() as db_session:
            for variant in await find_all(db_session, in_order):
                if await _take(db_session, variant, quantity):
                    order = ShelfOrderRow(
                        order_id=secrets.token_urlsafe(9),
                        store_id=store_id,
                        team_id=variant.team_id,
                        sku=variant.sku,
                        quantity=quantity,
                        ordered_at=now,
                    )
                    await insert(db_session, order)
                    return ShelfOrder(order.order_id, Sku(order.sku), order.quantity, order.ordered_at)
        return None

    async def orders(
        self, store_id: StoreId, *, since: datetime, after_id: str = "", limit: int | None = None
    ) -> Sequence[ShelfOrder]:
        """Return orders from `since` on, oldest first; `after_id` leaves out those of that very moment up to it."""
        at, number = col(ShelfOrderRow.ordered_at), col(ShelfOrderRow.order_id)
        statement = (
            select(ShelfOrderRow)
            .where(
                col(ShelfOrderRow.store_id) == store_id,
                or_(at > since, and_(at == since, number > after_id)),
            )
            .order_by(at, number)
            .limit(limit)
        )
        async with self._database.read() as db_session:
            rows = await find_all(db_session, statement)
        return [_order(row) for row in rows]

    async def order(self, store_id: StoreId, order_id: str) -> ShelfOrder | None:
        """Return one, None when there is none."""
        statement = select(ShelfOrderRow).where(
            col(ShelfOrderRow.store_id) == store_id, col(ShelfOrderRow.order_id) == order_id
        )
        async with self._database.read() as db_session:
            row = await find_one(db_session, statement)
        return None if row is None else _order(row)

    async def set_quantity(
        self, store_id: StoreId, listing_id: ListingId, sku: Sku, *, was: int | None, quantity: int, key: str
    ) -> tuple[bool, int] | None:
        """Set it where it is still `was`, or `was` is None; return whether it is set, and what stands there now.

        The same key again, as the last one there, is set and writes nothing. None for a form that is gone.
        """
        of_listing = _is(ShelfVariantRow, store_id, listing_id)
        forms = select(ShelfVariantRow).where(*of_listing, col(ShelfVariantRow.sku_key) == sku.key)
        async with self._database.begin() as db_session:
            variant = await find_one(db_session, forms.order_by(col(ShelfVariantRow.position)).with_for_update())
            if variant is None:
                return None
            if variant.written_as == key or variant.quantity == quantity:
                return True, variant.quantity
            if was is not None and variant.quantity != was:
                return False, variant.quantity
            this = (*of_listing, col(ShelfVariantRow.position) == variant.position)
            await change(db_session, update(ShelfVariantRow).where(*this).values(quantity=quantity, written_as=key))
            await _raise_version(db_session, variant)
            return True, quantity

    async def _find(self, store_id: StoreId, statement: Select[ShelfListingRow]) -> Sequence[ShelfListing]:
        async with self._database.read() as db_session:
            rows = await find_all(db_session, statement)
            ids = [row.listing_id for row in rows]
            variants = await find_all(
                db_session,
                select(ShelfVariantRow)
                .where(col(ShelfVariantRow.store_id) == store_id, col(ShelfVariantRow.listing_id).in_(ids))
                .order_by(col(ShelfVariantRow.position)),
            )
            images = await find_all(
                db_session,
                select(ShelfImageRow)
                .where(
                    col(ShelfImageRow.store_id) == store_id,
                    col(ShelfImageRow.listing_id).in_(ids),
                    col(ShelfImageRow.position).is_not(None),
                )
                .order_by(col(ShelfImageRow.position)),
            )
        return _listings(rows, variants, images)

    async def _find_image(self, statement: Select[ShelfImageRow]) -> ShelfImage | None:
        async with self._database.read() as db_session:
            row = await find_one(db_session, statement)
        return None if row is None else _image(row)


async def _take(db_session: AsyncSession, variant: ShelfVariantRow, quantity: int) -> bool:
    taken = await change(
        db_session,
        update(ShelfVariantRow)
        .where(
            *_is(ShelfVariantRow, variant.store_id, variant.listing_id),
            col(ShelfVariantRow.position) == variant.position,
            col(ShelfVariantRow.quantity) >= quantity,
        )
        .values(quantity=col(ShelfVariantRow.quantity) - quantity),
    )
    if taken != 1:
        return False
    await _raise_version(db_session, variant)
    return True


async def _raise_version(db_session: AsyncSession, variant: ShelfVariantRow) -> None:
    this = _is(ShelfListingRow, variant.store_id, variant.listing_id)
    await change(db_session, update(ShelfListingRow).where(*this).values(version=col(ShelfListingRow.version) + 1))


def _order(row: ShelfOrderRow) -> ShelfOrder:
    return ShelfOrder(row.order_id, Sku(row.sku), row.quantity, row.ordered_at)


def _is(
    table: type[ShelfListingRow | ShelfVariantRow | ShelfImageRow], store_id: str, listing_id: str
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(table.store_id) == store_id, col(table.listing_id) == listing_id


def _listings(
    rows: Sequence[ShelfListingRow], variants: Sequence[ShelfVariantRow], images: Sequence[ShelfImageRow]
) -> Sequence[ShelfListing]:
    variants_of: defaultdict[str, list[ShelfVariant]] = defaultdict(list)
    for variant in variants:
        variants_of[variant.listing_id].append(
            ShelfVariant(Sku(variant.sku), variant.title, variant.price_cents, variant.quantity)
        )
    images_of: defaultdict[str, list[ShelfImage]] = defaultdict(list)
    for image in images:
        images_of[image.listing_id].append(_image(image))
    return [
        ShelfListing(
            listing_id=ListingId(row.listing_id),
            title=row.title,
            handle=row.handle,
            description=row.description,
            variants=tuple(variants_of[row.listing_id]),
            images=tuple(images_of[row.listing_id]),
            version=row.version,
        )
        for row in rows
    ]


def _image(row: ShelfImageRow) -> ShelfImage:
    return ShelfImage(ImageId(row.image_id), Sha256(row.photo), row.content_type, row.alt, row.made_for)


def _image_row(listing: ShelfListingRow, image: ShelfImage, *, position: int) -> ShelfImageRow:
    return ShelfImageRow(
        store_id=listing.store_id,
        listing_id=listing.listing_id,
        image_id=image.image_id,
        team_id=listing.team_id,
        photo=image.photo,
        content_type=image.content_type,
        alt=clean_text(image.alt),
        made_for=image.made_for,
        position=position,
    )


def _variant_row(listing: ShelfListingRow, variant: ShelfVariant, *, position: int) -> ShelfVariantRow:
    return ShelfVariantRow(
        store_id=listing.store_id,
        listing_id=listing.listing_id,
        position=position,
        team_id=listing.team_id,
        sku=variant.sku.value,
        sku_key=variant.sku.key,
        title=clean_text(variant.title),
        price_cents=variant.price_cents,
        quantity=variant.quantity,
    )
