"""A WooCommerce shop behind the port every store has.

A product's `images` is one list that is replaced as a whole, so every write reads it first and sends the others
again by their ids. A picture is put into the media library under a slug made of the publish key; that slug is
what makes publishing find-or-create. Undo takes ours off and puts the old attachment back: nothing is deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from html import escape
from urllib.parse import urljoin

from domain.catalog import ImageId, Listing, ListingId, ListingImage, ListingPage, Sku, Store, Variant
from domain.connection import StoreHealth
from domain.errors import Ambiguous, ChangedMeanwhile, NeedsReconnect, NotFound, RejectedByStore, StoreDown, StoreError
from domain.ports import PublishRequest, RestoreRequest
from domain.trade import Order, OrderId, OrderPage, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from platforms.woocommerce import orders, stock, texts
from platforms.woocommerce.api import PER_PAGE_MOST, WooApi
from platforms.woocommerce.features import RIGHTS
from platforms.woocommerce.payloads import SCALED, Image, Me, Media, Product, Stocked, Variation, plain


class WooStore:
    """One shop, opened: StorePlatform, RestoresImages, and the powers in domain/powers.py that WooCommerce has."""

    def __init__(self, api: WooApi) -> None:
        self._api = api
        self._currency = ""

    @property
    def store(self) -> Store:
        """Which account this is."""
        return self._api.store

    async def check(self) -> StoreHealth:
        """Ask the site its name, who we are, and how many products there are: three calls.

        Raises NotFound where no WordPress, or no active WooCommerce, answers at the address.
        """
        try:
            site = await self._api.index()
        except NotFound as error:
            raise NotFound(
                f"{self._api.site} has no WordPress REST API: check the address, and that the permalinks in WordPress "
                "are not “Plain”.",
                store=self.store.name,
            ) from error
        if "wc/v3" not in site.namespaces:
            raise NotFound(f"WooCommerce is not active at {self._api.site}.", store=self.store.name)
        held = dict((await self._me(site.home)).capabilities)
        withheld = self._api.transport.account.withheld
        granted = {name: is_held for name, is_held in held.items() if name not in withheld}
        products = await self._api.products(1, per_page=1, fields="id")
        return StoreHealth(
            account=plain(site.name) or self._api.site,
            listing_count=products.total,
            url=site.home or self._api.site,
            scopes=tuple(right.name for right in RIGHTS if granted.get(right.name)),
            missing=tuple(right for right in RIGHTS if not granted.get(right.name)),
        )

    async def revoke(self) -> None:
        """Delete the application password we sign with."""
        await self._api.delete_password()

    async def _me(self, home: str) -> Me:
        """Return who we are. Where the site goes by another name, our key did not follow it there: say the name."""
        try:
            return await self._api.me()
        except NeedsReconnect as error:
            if not home or self._api.transport.account.is_own(home):
                raise
            raise NotFound(
                f"The shop at {self._api.site} calls itself {home}: connect that address.", store=self.store.name
            ) from error

    # ------------------------------------------------------------ looking

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return every product that has the SKU, itself or in one of its variations."""
        hits = [one async for one in self._api.by_skus([sku]) if (its := one.sku_read) and its.key == sku.key]
        products = {one.id: one for one in hits if not one.parent_id}
        if missing := sorted({one.parent_id for one in hits if one.parent_id} - products.keys()):
            products |= {one.id: one for one in await self._api.products_by_id(missing)}
        return [await self._listing(one) for _, one in sorted(products.items())]

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return a page, the oldest product first; the cursor is the page's number and size."""
        number, _, size = (cursor or f"1/{min(limit, PER_PAGE_MOST)}").partition("/")
        page = await self._api.products(int(number), per_page=int(size))
        listings = [await self._listing(one) for one in page.rows]
        return ListingPage(tuple(listings), f"{int(number) + 1}/{size}" if int(number) < page.pages else None)

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the gallery, the featured image first. Raises NotFound."""
        return _images((await self._product(listing_id)).images)

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the picture as it was uploaded, where WordPress shows a smaller copy of it; else what it shows."""
        if SCALED.search(image.url):
            media = await self._api.media(_number(image.image_id, self.store))
            original = media.media_details.original_image if media.media_details else ""
            # Plug-ins that make pictures smaller delete the originals: then the copy is all there is.
            with suppress(NotFound):
                if original:
                    return await self._api.fetch(urljoin(image.url, original))
        return await self._api.fetch(image.url)

    # ------------------------------------------------------------ pictures

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the picture of this key where the product shows it now."""
        product = await self._product(listing_id)
        made = await self._api.media_named(_slug(listing_id, key))
        return _shown(product, made.id) if made else None

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Upload, then set the gallery with ours at the position; what the store answers is the read-back."""
        _check(request, self.store)
        async with self._gallery(request.listing_id):
            return await self._published(request)

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Put the old attachment back where ours stands; one that was deleted since is uploaded again."""
        async with self._gallery(request.listing_id):
            return await self._restored(request)

    async def _published(self, request: PublishRequest) -> ListingImage:
        product = await self._product(request.listing_id)
        slug = _slug(request.listing_id, request.key)
        made = await self._api.media_named(slug)
        if made and (shown := _shown(product, made.id)):
            return shown
        ids = [one.id for one in product.images]
        standing = _at(product, request.position)
        if (str(standing.id) if standing else None) != request.replaces:
            raise RejectedByStore(
                f"The picture at position {request.position} of “{plain(product.name)}” changed while yours was made: "
                "look at the listing, then try again.",
                store=self.store.name,
                field="position",
            )
        ours = await self._in_library(
            made, request.content, request.content_type, slug=slug, alt=request.alt, product=product
        )
        if standing:
            ids[request.position - 1] = ours.id
        else:
            ids.append(ours.id)
        return self._placed(await self._api.set_gallery(product.id, ids), ours.id)

    async def _restored(self, request: RestoreRequest) -> ListingImage | None:
        product = await self._product(request.listing_id)
        ids = [str(one.id) for one in product.images]
        standing = _at(product, request.position)
        if request.ours not in ids:
            return await self._restored_before(request, product, standing)
        index = ids.index(request.ours)
        # Published beyond the end it was appended, so it may stand before its position.
        was_appended = request.original is None and standing is None
        if request.original in ids or not (index == request.position - 1 or was_appended):
            raise _changed(product, self.store)
        numbers = [one.id for one in product.images]
        if request.original is None:
            await self._api.set_gallery(product.id, numbers[:index] + numbers[index + 1 :])
            return None
        back = _number(request.original, self.store)
        numbers[index] = back
        try:
            after = await self._api.set_gallery(product.id, numbers)
        except RejectedByStore as error:
            if error.field != "images" or request.original_content is None:
                raise
            back = (await self._uploaded_again(request, request.original_content, product)).id
            numbers[index] = back
            after = await self._api.set_gallery(product.id, numbers)
        return self._placed(after, back)

    async def remove_image(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Take it out of the gallery; it stays in the media library."""
        async with self._gallery(listing_id):
            product = await self._product(listing_id)
            kept = [one.id for one in product.images if str(one.id) != image_id]
            if len(kept) < len(product.images):
                await self._api.set_gallery(product.id, kept)

    async def set_alt_text(self, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
        """Change the attachment's text, which every product that shows the same attachment shares. Raises NotFound."""
        shown = _shown(await self._product(listing_id), _number(image_id, self.store))
        if shown is None:
            raise NotFound(f"The picture {image_id} is not on that product.", store=self.store.name)
        media = await self._api.set_media_alt(_number(image_id, self.store), _kept(alt))
        return ListingImage(shown.image_id, shown.position, shown.url, plain(media.alt_text))

    # ------------------------------------------------------------ stock, orders, prices, texts

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return these SKUs' levels, a call for about a hundred."""
        return await stock.read(self._api, skus)

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level: a call for a hundred products, and one for a hundred variations."""
        return await stock.read_all(self._api)

    async def set_stock(self, write: StockWrite) -> StockLevel:
        """Look, set absolutely, and return what the store then shows."""
        return await stock.write(self._api, write)

    async def set_stock_of_many(self, writes: Sequence[StockWrite]) -> Sequence[StockLevel | StoreError]:
        """Set many: two calls for a hundred products, two for each product with variations."""
        return await stock.write_many(self._api, writes)

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of up to 100 orders; one call, and one for each order with refunds."""
        return await orders.since(self._api, since, cursor)

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one, read now."""
        return await orders.one(self._api, _number(order_id, self.store))

    async def mark_shipped(self, shipment: Shipment) -> Order:
        """Complete the order, its tracking with it, so that one mail tells the buyer both."""
        return await orders.ship(self._api, _number(shipment.order_id, self.store), shipment)

    async def set_price(self, write: PriceWrite) -> None:
        """Set the regular price. Raises RejectedByStore(field="price") while a sale price hides it."""
        await texts.set_price(self._api, write, currency=await self._money())

    async def set_texts(self, write: TextWrite) -> None:
        """Set name and description."""
        await texts.set_texts(self._api, _number(write.listing_id, self.store), write)

    # ------------------------------------------------------------ inside

    def _gallery(self, listing_id: ListingId) -> asyncio.Lock:
        """One at a time: the list is read, changed and sent whole."""
        return self._api.transport.turn(f"gallery {listing_id}")

    async def _product(self, listing_id: ListingId) -> Product:
        return await self._api.product(_number(listing_id, self.store))

    async def _money(self) -> str:
        if not self._currency:
            self._currency = await self._api.currency()
        return self._currency

    async def _listing(self, product: Product) -> Listing:
        forms = await self._api.variations(product.id) if product.type == "variable" else ()
        currency = await self._money()
        variants = [_variant(one, currency) for one in (product, *forms)]
        return Listing(
            store_id=self.store.store_id,
            listing_id=ListingId(str(product.id)),
            title=plain(product.name),
            url=product.permalink,
            variants=tuple(one for one in variants if one),
            images=_images(product.images),
        )

    async def _in_library(
        self, made: Media | None, content: bytes, content_type: str, *, slug: str, alt: str, product: Product
    ) -> Media:
        """Return our attachment, uploading it where it is not there yet and finishing it where it is half done."""
        if made is None:
            try:
                return await self._api.upload(
                    content, content_type, slug=slug, title=alt or plain(product.name), alt=_kept(alt),
                    product_id=product.id,
                )  # fmt: skip
            except Ambiguous as error:
                made = await self._api.media_named(slug)
                if made is None:
                    # Nobody sees what only lies in the library, so this is no question for a person: the next try
                    # looks for the slug again, and uploads where it still is not there.
                    raise StoreDown(str(error), store=self.store.name) from error
        return await self._api.finish_media(made.id) if made.missing_image_sizes else made

    async def _uploaded_again(self, request: RestoreRequest, content: bytes, product: Product) -> Media:
        slug = _slug(request.listing_id, _again(request.key))
        made = await self._api.media_named(slug)
        return await self._in_library(
            made, content, _content_type(content), slug=slug, alt=request.original_alt, product=product
        )

    async def _restored_before(
        self, request: RestoreRequest, product: Product, standing: Image | None
    ) -> ListingImage | None:
        """Return what stands there when an earlier call restored it. Raises ChangedMeanwhile."""
        if (str(standing.id) if standing else None) == request.original:
            return _shown(product, standing.id) if standing else None
        if standing and request.original is not None:
            made = await self._api.media_named(_slug(request.listing_id, _again(request.key)))
            if made and made.id == standing.id:
                return _shown(product, standing.id)
        raise _changed(product, self.store)

    def _placed(self, after: Product, media_id: int) -> ListingImage:
        shown = _shown(after, media_id)
        if shown is None:
            raise StoreError(
                f"{self.store.name} took the picture and does not show it: a plug-in may hold it back.",
                store=self.store.name,
            )
        return shown


def _images(images: Sequence[Image]) -> tuple[ListingImage, ...]:
    return tuple(
        ListingImage(ImageId(str(one.id)), position, one.src, plain(one.alt))
        for position, one in enumerate(images, start=1)
    )


def _shown(product: Product, media_id: int) -> ListingImage | None:
    return next((one for one in _images(product.images) if one.image_id == str(media_id)), None)


def _at(product: Product, position: int) -> Image | None:
    return product.images[position - 1] if 1 <= position <= len(product.images) else None


def _variant(one: Stocked, currency: str) -> Variant | None:
    title = one.title if isinstance(one, Variation) else ""
    sku = one.sku_read
    return Variant(sku, title, one.price_read, currency, one.quantity) if sku else None


def _number(value: str, store: Store) -> int:
    """Return an id as WooCommerce counts them; another store's id is not there."""
    if not (value.isascii() and value.isdecimal()):
        raise NotFound(f"{store.name} has no {value}.", store=store.name)
    return int(value)


def _slug(listing_id: ListingId, key: str) -> str:
    """Return the name of a publish key's attachment, which WordPress leaves as it is."""
    named = f"{listing_id}\n{key}"
    return f"packshot-{hashlib.sha256(named.encode()).hexdigest()[:24]}"


def _again(key: str) -> str:
    return f"{key}\nthe original, uploaded again"


def _kept(text: str) -> str:
    """Return a text so that WordPress keeps it: it cuts out whatever looks like a tag."""
    return escape(text, quote=False)


def _content_type(content: bytes) -> str:
    if content.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


def _changed(product: Product, store: Store) -> ChangedMeanwhile:
    return ChangedMeanwhile(store=store.name, sku=product.sku or plain(product.name))


def _check(request: PublishRequest, store: Store) -> None:
    if request.position < 1:
        raise RejectedByStore(
            f"There is no position {request.position}: the main picture is 1.", store=store.name, field="position"
        )
