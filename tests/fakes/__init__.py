"""Small honest fakes of the ports, each of which can be told to fail. The rows stay real."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from domain.catalog import Listing, ListingId, ListingImage, ListingPage, Sha256, Sku, Store, StoreId
from domain.chat_ports import Limit
from domain.connection import Contact, StoreHealth
from domain.errors import BadPhoto, Fault, NotFound
from domain.hint import Area
from domain.intents import Attachment
from domain.picture import Enhanced, Finding, FindingCode, FindingLevel, Picture
from domain.ports import PublishRequest, RestoreRequest
from domain.recipe import PictureRules, Recipe
from domain.replies import Outgoing
from domain.trade import Order, OrderId, OrderPage, StockLevel, StockWrite
from platforms.shelf.adapter import ShelfStore
from platforms.shelf.picture import RULES

T = TypeVar("T")


class FakeClock:
    """Aware UTC that moves one second a look, so that rows have an order."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class FakeMedia:
    """MediaStorage in a dict; `is_full` makes it refuse new bytes."""

    def __init__(self) -> None:
        self.kept: dict[Sha256, bytes] = {}
        self.is_full = False

    async def put(self, content: bytes) -> Sha256:
        if self.is_full:
            raise Fault("media_full", "no room for a photo")
        name = Sha256(hashlib.sha256(content).hexdigest())
        self.kept[name] = content
        return name

    async def put_all(self, contents: Sequence[bytes]) -> tuple[Sha256, ...]:
        return tuple([await self.put(content) for content in contents])

    async def write(self, content: bytes) -> Sha256:
        return await self.put(content)

    async def record(self, db_session: AsyncSession, name: Sha256, content: bytes) -> None:
        assert self.kept[name] == content

    async def get(self, name: Sha256) -> bytes:
        if name not in self.kept:
            raise Fault("media_missing", name)
        return self.kept[name]

    async def delete(self, names: Sequence[Sha256]) -> None:
        for name in names:
            self.kept.pop(name, None)


BAD_PHOTO = b"no picture"
"""What the fake enhancer takes for a file that is no picture."""


class FakeEnhancer:
    """Instant pictures that name what they were made of. `trouble` is raised by the next calls, in order."""

    def __init__(self) -> None:
        self.trouble: list[Exception] = []
        self.made: list[tuple[bytes, Recipe]] = []
        self.findings: tuple[Finding, ...] = ()
        """What is found about every photo from now on."""

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        await self.check(photo)
        if self.trouble:
            raise self.trouble.pop(0)
        self.made.append((photo, recipe))
        name = f"{hashlib.sha256(photo).hexdigest()[:8]} {recipe.background or 'white'} {len(self.made)}"
        finding = Finding(FindingCode.FILL, FindingLevel.OK, measured=0.87, wanted=0.85)
        pictures = tuple(
            Picture(each.name, f"{each.name} picture of {name}".encode(), "image/jpeg", *each.size_px, (finding,))
            for each in rules
        )
        return Enhanced(
            pictures, photo, b"after " + name.encode(), b"preview " + name.encode(), "fake", 0.9, self.findings
        )

    async def numbered(self, photo: bytes, areas: Sequence[Area]) -> bytes:
        return f"numbered {' '.join(str(area) for area in areas)} of {photo!r}".encode()

    async def beside(self, pictures: Sequence[tuple[str, bytes]]) -> bytes:
        return f"beside {[label for label, _ in pictures]}".encode()

    async def check(self, photo: bytes) -> None:
        if photo == BAD_PHOTO:
            raise BadPhoto(
                "I cannot read that file as a picture: send a JPEG, PNG or HEIC photo.", reason="not_a_picture"
            )

    def engine_name(self) -> str:
        return "fake"


class FakePlatform:
    """A store's wire in front of a real shelf. `before[call]` are raised instead of doing it, `after[call]`
    once it was done: the answer that got lost.
    """

    def __init__(self, shelf: ShelfStore) -> None:
        self.shelf = shelf
        self.before: defaultdict[str, list[Exception]] = defaultdict(list)
        self.after: defaultdict[str, list[Exception]] = defaultdict(list)
        self.calls: list[str] = []

    @property
    def store(self) -> Store:
        return self.shelf.store

    async def check(self) -> StoreHealth:
        self._begin("check")
        return self._end("check", await self.shelf.check())

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        self._begin("find_listings")
        return self._end("find_listings", await self.shelf.find_listings(sku))

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        self._begin("list_products")
        return self._end("list_products", await self.shelf.list_products(cursor=cursor, limit=limit))

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        self._begin("read_images")
        return self._end("read_images", await self.shelf.read_images(listing_id))

    async def fetch_image(self, image: ListingImage) -> bytes:
        self._begin("fetch_image")
        return self._end("fetch_image", await self.shelf.fetch_image(image))

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        self._begin("publish_image")
        return self._end("publish_image", await self.shelf.publish_image(request))

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        self._begin("find_published")
        return self._end("find_published", await self.shelf.find_published(key, listing_id))

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        self._begin("restore_image")
        return self._end("restore_image", await self.shelf.restore_image(request))

    async def read_stock(self, skus: Sequence[Sku]) -> Sequence[StockLevel]:
        self._begin("read_stock")
        return self._end("read_stock", await self.shelf.read_stock(skus))

    async def read_all_stock(self) -> Sequence[StockLevel]:
        self._begin("read_all_stock")
        return self._end("read_all_stock", await self.shelf.read_all_stock())

    async def swap_stock(self, write: StockWrite) -> StockLevel:
        self._begin("swap_stock")
        return self._end("swap_stock", await self.shelf.swap_stock(write))

    async def orders_since(self, since: datetime, *, cursor: str | None = None) -> OrderPage:
        self._begin("orders_since")
        return self._end("orders_since", await self.shelf.orders_since(since, cursor=cursor))

    async def read_order(self, order_id: OrderId) -> Order:
        self._begin("read_order")
        return self._end("read_order", await self.shelf.read_order(order_id))

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if self.before[call]:
            raise self.before[call].pop(0)

    def _end(self, call: str, answer: T) -> T:
        if self.after[call]:
            raise self.after[call].pop(0)
        return answer


@dataclass(slots=True)
class FakeStores:
    """The port `Stores`: whatever the test put in, in that order."""

    opened: list[FakePlatform] = field(default_factory=list)
    contacts: dict[StoreId, Contact] = field(default_factory=dict)

    async def of_team(self, team_id: str) -> Sequence[FakePlatform]:
        return [each for each in self.opened if each.store.team_id == team_id]

    async def open(self, store_id: StoreId) -> FakePlatform:
        for each in self.opened:
            if each.store.store_id == store_id:
                return each
        raise NotFound("it is no longer connected", store="That store")

    async def contact(self, store: Store) -> Contact:
        return self.contacts.get(store.store_id, Contact())

    def rules(self, store: Store) -> PictureRules:
        return RULES


class FakeFiles:
    """A chat's files by id. A missing one is a photo that was deleted; `trouble` is raised by the next fetches."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.trouble: list[Exception] = []

    async def fetch(self, attachment: Attachment) -> bytes:
        self.fetched.append(attachment.file_id)
        if self.trouble:
            raise self.trouble.pop(0)
        if attachment.file_id not in self.kept:
            raise BadPhoto("That file was deleted before I could fetch it: send it again.", reason="gone")
        return self.kept[attachment.file_id]


class FakeChat:
    """A chat that remembers what it was told to show; `trouble` is raised by the next deliveries, in order."""

    def __init__(self) -> None:
        self.delivered: list[Outgoing] = []
        self.trouble: list[Exception] = []

    async def deliver(self, outgoing: Outgoing) -> str:
        if self.trouble:
            raise self.trouble.pop(0)
        self.delivered.append(outgoing)
        return outgoing.native_id or f"native-{len(self.delivered)}"

    def limits(self, outgoing: Outgoing) -> Sequence[Limit]:
        return ()

    async def find_posted(self, outgoing: Outgoing) -> str | None:
        return None
