"""Pictures on Amazon: an address at one of nine positions, fetched by Amazon, shown when and if Amazon likes.

Amazon writes absolute values, so every write here may be repeated. What it lacks is memory: the marks have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from domain.catalog import ImageId, ListingId, ListingImage
from domain.connection import StoreNotes
from domain.errors import ChangedMeanwhile, Fault, NotFound, RejectedByStore, StoreError
from domain.picture_ports import MediaStorage, PictureLinks
from domain.ports import PublishRequest, RestoreRequest
from platforms.amazon.api import AmazonApi, Json
from platforms.amazon.likeness import shows_the_same
from platforms.amazon.listings import POSITIONS_MOST, SLOTS, VARIANTS, Item
from platforms.amazon.marks import OURS, Mark, marks_in, photo_in
from platforms.amazon.picture import RULES

OTHERS: Final = "catalog:"
"""The id of a main picture that somebody else contributed: ours stands before it, and undo takes ours away."""
CONTENT_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/tiff", "image/gif"})
READ: Final = ("attributes", "summaries", "productTypes", "issues")
POLL: Final = ("issues", "summaries", "attributes")
POLL_AFTER_S: Final = (0.0, 2.0, 4.0)
"""Amazon takes seconds to show a write to its own reader; whoever publishes need not wait longer to be told."""
SETTLE: Final = timedelta(hours=1)
"""So long an old complaint, or an old picture on its way out, is not held against ours."""
_PICTURE_ISSUES: Final = frozenset({"INVALID_IMAGE", "MISSING_IMAGE"})


@dataclass(frozen=True, slots=True)
class Shelf:
    """A listing's positions and what is known of them. `ids` by position, `addresses` where a picture of ours or of
    the seller's is fetched.
    """

    item: Item
    marks: Mapping[str, Mark]
    ids: Mapping[int, ImageId]
    addresses: Mapping[int, str]

    @property
    def end(self) -> int:
        """The last position with a picture, 0 for none."""
        return max(self.ids, default=0)

    def position_of(self, image_id: ImageId) -> int | None:
        """Return where a picture stands, None where it does not."""
        return next((position for position, known in self.ids.items() if known == image_id), None)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one account."""

    api: AmazonApi
    notes: StoreNotes
    media: MediaStorage
    links: PictureLinks

    async def of_item(self, item: Item) -> tuple[ListingImage, ...]:
        """Return a listing's pictures by position."""
        shelf = await self._shelf(item)
        shown = await self._shown_where_hidden(shelf)
        return tuple(
            ListingImage(shelf.ids[position], position, shown.get(position) or shelf.addresses[position], "")
            for position in sorted(shelf.ids)
        )

    async def read(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return them, read now. Raises NotFound."""
        return await self.of_item(await self._item(listing_id))

    async def fetch(self, image: ListingImage) -> bytes:
        """Return the bytes: of a picture of ours what we sent, of any other what Amazon keeps. Raises NotFound."""
        if photo := photo_in(image.image_id):
            return await self.media.get(photo)
        return await self.api.fetch(image.url)

    async def publish(self, request: PublishRequest) -> ListingImage:
        """Send the picture's address and say that Amazon took it; `live` says when buyers see it."""
        self._check(request)
        shelf = await self._shelf(await self._item(request.listing_id))
        mark = shelf.marks.get(request.key)
        if mark is not None and (standing := shelf.position_of(mark.image_id)) is not None:
            return ListingImage(mark.image_id, standing, shelf.addresses[standing], "")
        position = self._position(shelf, request)
        photo = await self.media.put(request.content)
        address = await self.links.link(photo)
        patches = [_locator(self.api, "replace", position, address)]
        await self.api.patch(shelf.item.sku, shelf.item.product_type, patches, is_preview=True)
        mark = Mark(
            key=request.key,
            position=position,
            photo=photo,
            sent_at=self.api.transports.clock(),
            addresses=mark.also_at(address).addresses if mark else (address,),
            strangers=tuple(filter(None, (shelf.addresses.get(position),))),
            shown_before=shelf.item.shown_main if position == 1 else "",
            issues_before=tuple(str(one.get("code")) for one in shelf.item.issues),
        )
        # Kept before it is sent: after a crash in between nobody would know the picture for ours.
        await self._keep(request.listing_id, mark)
        await self.api.patch(shelf.item.sku, shelf.item.product_type, patches)
        seen = await self._read_back(request.listing_id, position, mark.image_id)
        return seen or ListingImage(mark.image_id, position, address, "")

    async def find(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the picture of a key where the listing names it. Raises NotFound."""
        if key not in await self._marks(listing_id):
            return None
        shelf = await self._shelf(await self._item(listing_id))
        position = shelf.position_of(shelf.marks[key].image_id)
        if position is None:
            return None
        return ListingImage(shelf.marks[key].image_id, position, shelf.addresses[position], "")

    async def live(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the picture of a key once buyers see it, None while Amazon thinks. Raises RejectedByStore."""
        shelf = await self._shelf(await self._item(listing_id, *POLL))
        mark = shelf.marks.get(key)
        position = shelf.position_of(mark.image_id) if mark else None
        if mark is None or position is None:
            if mark is not None and mark.is_seen:
                raise self._rejected("somebody put another picture in its place meanwhile")
            return None
        is_settled = self.api.transports.clock() - mark.sent_at > SETTLE
        for issue in shelf.item.issues:
            if _is_against(issue, position) and (is_settled or str(issue.get("code")) not in mark.issues_before):
                raise self._rejected(str(issue.get("message") or issue.get("code")))
        shown = await self._shown_at(shelf.item, position)
        if not shown or (shown == mark.shown_before and shown != shelf.addresses[position]):
            return None
        if await self._is_ours(mark, shown):
            return ListingImage(mark.image_id, position, shown, "")
        if not mark.shown_before:
            # Only now do we know what buyers saw before: a call less for whoever publishes.
            await self._keep(listing_id, replace(mark, shown_before=shown))
        elif is_settled:
            raise self._rejected(
                "buyers see a picture that is neither the old one nor yours, because Amazon prefers another seller's "
                "or its own: ask Amazon's seller support to take yours"
            )
        return None

    async def restore(self, request: RestoreRequest) -> ListingImage | None:
        """Put the original's address back, or take ours away where nothing of the seller's stood there."""
        shelf = await self._shelf(await self._item(request.listing_id))
        mark = shelf.marks.get(request.key)
        position = shelf.position_of(request.ours)
        is_others = request.original is not None and request.original.startswith(OTHERS)
        if position is None:
            standing = shelf.ids.get(request.position)
            is_original = standing == request.original or (is_others and _is_of_others(standing))
            is_on_its_way = mark is not None and not mark.is_seen and mark.image_id == request.ours
            if not is_original:
                raise ChangedMeanwhile(store=self.api.name, sku=shelf.item.sku)
            if not is_on_its_way:
                return self._image(shelf, request.position) if standing else None
            # The listing does not name ours yet, and will: the write that takes it back must come after it.
            position = mark.position if mark else request.position
        elif position != request.position and request.original is not None:
            raise ChangedMeanwhile(store=self.api.name, sku=shelf.item.sku)
        if request.original is None or is_others:
            patch = _locator(self.api, "delete", position, shelf.addresses.get(position, ""))
        else:
            address = await self._address_of(request, shelf)
            patch = _locator(self.api, "replace", position, address)
        await self.api.patch(shelf.item.sku, shelf.item.product_type, [patch])
        back = await self._read_back(request.listing_id, position, request.original)
        if request.original is None:
            return None
        return back or ListingImage(request.original, position, "", "")

    async def remove(self, listing_id: ListingId, image_id: ImageId) -> None:
        """Take one off its position. Raises RejectedByStore for the main one: a listing without it is not found."""
        shelf = await self._shelf(await self._item(listing_id))
        position = shelf.position_of(image_id)
        if position is None:
            return
        if position == 1:
            raise self._rejected("Amazon hides a listing without a main picture: put another one in its place instead")
        patch = _locator(self.api, "delete", position, shelf.addresses[position])
        await self.api.patch(shelf.item.sku, shelf.item.product_type, [patch])
        await self._read_back(listing_id, position, None)

    # ------------------------------------------------------------ knowing what is whose

    async def _shelf(self, item: Item) -> Shelf:
        """Tell whose picture each position has; a new address at one of ours is looked at, once."""
        marks = dict(await self._marks(item.listing_id))
        addresses = dict(item.addresses)
        ids: dict[int, ImageId] = {}
        for position, address in addresses.items():
            owner = await self._owner(item.listing_id, marks, position, address)
            ids[position] = owner.image_id if owner else ImageId(address)
        if 1 not in addresses and item.shown_main:
            addresses[1], ids[1] = item.shown_main, ImageId(OTHERS + item.shown_main)
        return Shelf(item, marks, ids, addresses)

    async def _owner(self, listing_id: ListingId, marks: dict[str, Mark], position: int, address: str) -> Mark | None:
        here = sorted((one for one in marks.values() if one.position == position), key=lambda one: one.sent_at)
        for mark in here:
            if address in mark.addresses:
                if not mark.is_seen:
                    marks[mark.key] = mark = replace(mark, is_seen=True)
                    await self._keep(listing_id, mark)
                return mark
        # Two versions of one product may look alike: what was sent last is what Amazon copied.
        for mark in reversed(here):
            if address in mark.strangers:
                continue
            is_ours = await self._is_ours(mark, address)
            known = mark.also_at(address) if is_ours else replace(mark, strangers=(*mark.strangers, address))
            marks[mark.key] = known
            await self._keep(listing_id, known)
            if is_ours:
                return known
        return None

    async def _is_ours(self, mark: Mark, address: str) -> bool:
        """Whether Amazon's copy at this address shows the picture we sent; False where that cannot be seen."""
        if address in mark.addresses:
            return True
        if not self.api.transport.account.has(address):
            return False
        try:
            return await shows_the_same(await self.media.get(mark.photo), await self.api.fetch(address))
        except NotFound:
            return False
        except Fault as fault:
            if fault.code != "media_missing":
                raise
            return False

    async def _marks(self, listing_id: ListingId) -> Mapping[str, Mark]:
        return marks_in(await self.notes.of_listing(self.api.transport.account.store.store_id, listing_id))

    async def _keep(self, listing_id: ListingId, mark: Mark) -> None:
        await self.notes.keep(self.api.transport.account.store.store_id, listing_id, mark.key, mark.dump())

    # ------------------------------------------------------------ reading and writing

    async def _item(self, listing_id: ListingId, *included: str) -> Item:
        return Item(await self.api.listing(listing_id, *(included or READ)), self.api.marketplace)

    async def _read_back(self, listing_id: ListingId, position: int, expected: ImageId | None) -> ListingImage | None:
        """Return it once the listing names it, None where it does not after a few looks: Amazon may take longer."""
        for wait_s in POLL_AFTER_S:
            if wait_s:
                await self.api.transports.sleep(wait_s)
            shelf = await self._shelf(await self._item(listing_id, *POLL))
            standing = shelf.ids.get(position)
            if standing == expected or (_is_of_others(standing) and (expected is None or _is_of_others(expected))):
                return self._image(shelf, position) if standing else None
        return None

    async def _shown_where_hidden(self, shelf: Shelf) -> dict[int, str]:
        """Return what buyers see where the seller's own address is not one we may fetch from."""
        has = self.api.transport.account.has
        hidden = [
            position
            for position, address in shelf.addresses.items()
            if not has(address) and not shelf.ids[position].startswith(OURS)
        ]
        shown = {1: shelf.item.shown_main} if 1 in hidden and shelf.item.shown_main else {}
        if set(hidden) - set(shown) and shelf.item.asin:
            links = await self._catalogue(shelf.item)
            shown |= {position: links[position] for position in hidden if position in links}
        return shown

    async def _shown_at(self, item: Item, position: int) -> str:
        if position == 1:
            return item.shown_main
        return (await self._catalogue(item)).get(position, "") if item.asin else ""

    async def _catalogue(self, item: Item) -> dict[int, str]:
        """Return the largest picture of each position as buyers see it."""
        largest: dict[int, Json] = {}
        for image in await self.api.catalog_images(item.asin):
            if image.get("variant") in VARIANTS:
                position = VARIANTS.index(image["variant"]) + 1
                if image.get("width", 0) > largest.get(position, {}).get("width", -1):
                    largest[position] = image
        return {position: str(image.get("link") or "") for position, image in largest.items()}

    async def _address_of(self, request: RestoreRequest, shelf: Shelf) -> str:
        """Return where Amazon fetches the original: an address of ours ends after a week, so it is made anew."""
        assert request.original is not None
        if not request.original.startswith(OURS):
            return str(request.original)
        was = next((mark for mark in shelf.marks.values() if mark.image_id == request.original), None)
        if request.original_content is None or was is None:
            raise NotFound(f"The picture that stood there is gone from {self.api.name}.", store=self.api.name)
        photo = await self.media.put(request.original_content)
        known = replace(was, photo=photo, sent_at=self.api.transports.clock()).also_at(await self.links.link(photo))
        await self._keep(request.listing_id, known)
        return known.addresses[-1]

    def _position(self, shelf: Shelf, request: PublishRequest) -> int:
        """Return where it goes: beyond the end is the end. Raises RejectedByStore."""
        position = min(request.position, shelf.end + 1)
        if position > POSITIONS_MOST:
            raise RejectedByStore(
                f"it has {POSITIONS_MOST} pictures already, the most a listing can have",
                store=self.api.name,
                field="images",
            )
        standing = shelf.ids.get(position)
        if standing != request.replaces and not (_is_of_others(standing) and _is_of_others(request.replaces)):
            raise RejectedByStore(
                f"the picture at position {position} changed while yours was made: look at the listing, then try again",
                store=self.api.name,
                field="position",
            )
        return position

    def _image(self, shelf: Shelf, position: int) -> ListingImage:
        return ListingImage(shelf.ids[position], position, shelf.addresses[position], "")

    def _check(self, request: PublishRequest) -> None:
        problem = ""
        if request.position < 1:
            field, problem = "position", f"there is no position {request.position}: the main picture is 1"
        elif request.content_type not in CONTENT_TYPES:
            field, problem = "content_type", f"it takes JPEG, PNG, TIFF and GIF, not {request.content_type}"
        elif not 0 < len(request.content) <= RULES.max_bytes:
            field, problem = "content", f"a picture has 1 to {RULES.max_bytes:,} bytes, not {len(request.content):,}"
        if problem:
            raise RejectedByStore(problem, store=self.api.name, field=field)

    def _rejected(self, why: str) -> StoreError:
        return RejectedByStore(why, store=self.api.name, field="image")


def _locator(api: AmazonApi, op: str, position: int, address: str) -> Json:
    value = {"marketplace_id": api.marketplace.marketplace_id} | ({"media_location": address} if address else {})
    return {"op": op, "path": f"/attributes/{SLOTS[position - 1]}", "value": [value]}


def _is_of_others(image_id: ImageId | None) -> bool:
    return image_id is not None and image_id.startswith(OTHERS)


def _is_against(issue: Json, position: int) -> bool:
    """Whether Amazon refuses the picture at this position: an error that names it, or one of pictures that names none."""
    names: Sequence[str] = issue.get("attributeNames") or ()
    if issue.get("severity") != "ERROR":
        return False
    if names:
        return SLOTS[position - 1] in names
    return position == 1 and bool(_PICTURE_ISSUES & set(issue.get("categories") or ()))
