"""Amazon behind the port every store has. A listing is a seller's SKU at one marketplace.

Amazon keeps no text for a picture, so WritesAltText is not among its powers; and it shows a picture when it likes,
so GoesLiveLater is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from domain.catalog import ImageId, Listing, ListingId, ListingImage, ListingPage, Sha256, Sku, Store
from domain.connection import StoreHealth
from domain.errors import NotFound, NotPossible, StoreError
from domain.ports import PublishRequest, RestoreRequest
from domain.trade import Order, OrderId, OrderPage, PriceWrite, Shipment, StockLevel, StockWrite, TextWrite
from platforms.amazon.api import AmazonApi, Json
from platforms.amazon.catalogue import page_of_listings
from platforms.amazon.features import SCOPES
from platforms.amazon.listings import Item, sku_of
from platforms.amazon.offers import Offers
from platforms.amazon.orders import Orders
from platforms.amazon.pictures import Pictures
from platforms.amazon.stock import Stock

PAGE_MOST: Final = 20
LISTED: Final = "summaries,attributes,offers,fulfillmentAvailability,issues,productTypes"
SECRET_LIFE: Final = timedelta(days=180)
WARN_BEFORE: Final = timedelta(days=30)
_ANY_PICTURE: Final = Sha256("0" * 64)


class AmazonStore:
    """One seller's account at one marketplace: StorePlatform, RestoresImages, FetchesPictures, and most of domain/powers.py."""

    def __init__(self, store: Store, api: AmazonApi, pictures: Pictures, *, secret_since: date | None) -> None:
        """`secret_since` is when the app's secret was made, None where nobody said."""
        self.store = store
        self._api = api
        self._pictures = pictures
        self._stock = Stock(api)
        self._orders = Orders(api)
        self._offers = Offers(api)
        self._secret_since = secret_since

    # ------------------------------------------------------------ who and what

    async def check(self) -> StoreHealth:
        """Return the shop's name and size; two calls. Raises NotFound where the seller does not sell there."""
        here = self._api.marketplace
        found = [one for one in await self._api.participations() if _is_at(one, here.marketplace_id)]
        if not found:
            raise NotFound(
                f"The seller does not sell on {here.domain}: choose a marketplace where you do.", store=self.store.name
            )
        listed = await self._api.search({"pageSize": 1, "includedData": "summaries"})
        ends = self._secret_ends()
        # Amazon tells no app which of its roles it has: the first call that needs one shows it.
        withheld = self._api.transport.account.withheld
        notes = []
        if not (found[0].get("participation") or {}).get("isParticipating", True):
            notes.append(f"Selling on {here.domain} is switched off: switch it on in Seller Central.")
        if ends is not None and ends - self._api.transports.clock() < WARN_BEFORE:
            notes.append(
                f"The app's client secret ends on {ends:%Y-%m-%d}: make a new one in the Solution Provider Portal, then "
                "connect again with it."
            )
        try:
            await self.check_reach()
        except NotPossible as error:
            notes.append(str(error.sentence))
        return StoreHealth(
            account=str(found[0].get("storeName") or self._api.seller_id),
            listing_count=int(listed.get("numberOfResults") or 0),
            url=f"https://www.{here.domain}/s?me={self._api.seller_id}",
            scopes=tuple(scope.name for scope in SCOPES if scope.name not in withheld),
            missing=tuple(scope for scope in SCOPES if scope.name in withheld),
            key_expires_at=ends,
            notes=tuple(notes),
        )

    async def leave_notices(self, kind: str, arn: str) -> None:
        """Have a kind of the seller's notifications put into a queue; done again it changes nothing."""
        if await self._api.is_subscribed(kind):
            return
        found = (one for one in await self._api.destinations() if _arn_of(one) == arn)
        ours = next((str(one["destinationId"]) for one in found), "")
        await self._api.subscribe(kind, ours or await self._api.add_destination("packshot", arn))

    async def check_reach(self) -> None:
        """Raise NotPossible where Amazon could not fetch a picture from us."""
        # Any picture's name will do: only whether an address can be made is asked.
        await self._pictures.links.link(_ANY_PICTURE)

    def _secret_ends(self) -> datetime | None:
        if self._secret_since is None:
            return None
        return (
            datetime(self._secret_since.year, self._secret_since.month, self._secret_since.day, tzinfo=UTC)
            + SECRET_LIFE
        )

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return the listing of a SKU, whatever its case: Amazon itself compares letter by letter."""
        if "," in sku.value:
            # The search takes a list with commas in between.
            try:
                items = [await self._api.listing(sku.value, *LISTED.split(","))]
            except NotFound:
                items = []
        else:
            spellings = dict.fromkeys((sku.value, sku.value.upper(), sku.value.lower()))
            params = {"identifiers": ",".join(spellings), "identifiersType": "SKU", "includedData": LISTED}
            items = list((await self._api.search({**params, "pageSize": PAGE_MOST})).get("items") or ())
        found = [Item(body, self._api.marketplace) for body in items]
        return [await self._listing(item) for item in found if (known := sku_of(item.sku)) and known.key == sku.key]

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return a page, the oldest first, 20 at most."""
        found, following = await page_of_listings(self._api, cursor, limit=min(limit, PAGE_MOST), included=LISTED)
        listings = [await self._listing(Item(body, self._api.marketplace)) for body in found]
        return ListingPage(tuple(listings), following)

    async def _listing(self, item: Item) -> Listing:
        variant = item.variant()
        return Listing(
            store_id=self.store.store_id,
            listing_id=item.listing_id,
            title=item.title,
            url=f"https://www.{self._api.marketplace.domain}/dp/{item.asin}" if item.asin else "",
            variants=(variant,) if variant else (),
            images=await self._pictures.of_item(item),
        )

    # ------------------------------------------------------------ pictures

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the pictures by position. Raises NotFound."""
        return await self._pictures.read(listing_id)

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the bytes, from Amazon's own hosts only."""
        return await self._pictures.fetch(image)

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Check, then send the picture's address: Amazon has taken it when this returns, and buyers see it later."""
        return await self._pictures.publish(request)

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the picture of a key where the listing names it."""
        return await self._pictures.find(key, listing_id)

    async def find_live(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return it once buyers see it. Raises RejectedByStore with Amazon's reason."""
        return await self._pictures.live(key, listing_id)

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Put the original's address back."""
        return await self._pictures.restore(request)

    async def remove_image(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Take one off its position; the main one stays."""
        await self._pictures.remove(listing_id, image_id)

    # ------------------------------------------------------------ stock, orders, offers

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        """Return the levels of these SKUs."""
        return await self._stock.read(skus)

    async def read_all_stock(self) -> Sequence[StockLevel]:
        """Return every level."""
        return await self._stock.read_all()

    async def set_stock(self, write: StockWrite) -> StockLevel:
        """Set the seller's own quantity."""
        return await self._stock.set(write)

    async def set_stock_of_many(self, writes: Sequence[StockWrite]) -> Sequence[StockLevel | StoreError]:
        """Set many quantities, by a feed where they are many."""
        return await self._stock.set_many(writes)

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        """Return a page of orders."""
        return await self._orders.since(since, cursor=cursor)

    async def read_order(self, order_id: OrderId) -> Order:
        """Return one order."""
        return await self._orders.one(order_id)

    async def mark_shipped(self, shipment: Shipment) -> Order:
        """Confirm the shipment of every open line, once."""
        return await self._orders.ship(shipment)

    async def set_price(self, write: PriceWrite) -> None:
        """Set the price."""
        await self._offers.set_price(write)

    async def set_texts(self, write: TextWrite) -> None:
        """Set title and description."""
        await self._offers.set_texts(write)


def _is_at(participation: Json, marketplace_id: str) -> bool:
    return (participation.get("marketplace") or {}).get("id") == marketplace_id


def _arn_of(destination: Json) -> str:
    return str(((destination.get("resource") or {}).get("sqs") or {}).get("arn") or "")
