"""A listing's pictures at Etsy: publish, find again, put back, describe, take off. How a swap is done is swap.py."""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog import ImageId, ListingId, ListingImage
from domain.errors import ChangedMeanwhile, NotFound, RejectedByStore
from domain.ports import PublishRequest, RestoreRequest
from platforms.etsy.api import EtsyApi
from platforms.etsy.payloads import Image
from platforms.etsy.swap import ALT_MOST_CHARS, IMAGES_MOST, Swap, Swaps, Wanted


def shown(images: Sequence[Image]) -> tuple[ListingImage, ...]:
    """Return pictures in our words, numbered from 1 in the order they stand."""
    return tuple(
        ListingImage(ImageId(str(image.listing_image_id)), position, image.url_fullxfull, image.alt)
        for position, image in enumerate(images, start=1)
    )


async def read(api: EtsyApi, listing_id: ListingId) -> tuple[ListingImage, ...]:
    """Return the pictures as they stand now. Raises NotFound."""
    return shown(await api.get_listing_images(listing_id))


async def publish(api: EtsyApi, request: PublishRequest) -> ListingImage:
    """Put the picture in the place of `replaces`, or at the end; four calls where nothing comes in between."""
    swaps, name = await Swaps.load(api, request.listing_id), f"publish:{request.key}"
    images = await api.get_listing_images(request.listing_id)
    swap = await swaps.found(name, images)
    if swap is not None and swap.is_done and (here := _shown_one(images, swap.ours)):
        return here
    known = swap.ours if swap is not None else None
    if swap is None or not _is_under_way(swap, images):
        _check(api, request, images)
        at = _at(images, request.position)
        swap = await swaps.note(
            name,
            Swap(
                before=_ids(images),
                out=_number(request.replaces),
                position=request.position,
                alt=request.alt[:ALT_MOST_CHARS],
                alt_out=at.alt if at else "",
            ),
        )
    try:
        standing = await swaps.finish(name, swap, Wanted(request.content, request.content_type, known), images)
    except RejectedByStore as error:
        if error.field == "images":
            raise _full(api, len(images)) from error
        raise
    return _ours(swaps, name, standing)


async def find_published(api: EtsyApi, key: str, listing_id: ListingId) -> ListingImage | None:
    """Return our picture of a key where it stands alone: one whose predecessor is still there is not finished."""
    swaps = await Swaps.load(api, listing_id)
    images = await api.get_listing_images(listing_id)
    swap = await swaps.found(f"publish:{key}", images)
    if swap is None or (not swap.is_done and swap.out in _ids(images)):
        return None
    return _shown_one(images, swap.ours)


async def restore(api: EtsyApi, request: RestoreRequest) -> ListingImage | None:
    """Put the original back under its own id, which Etsy keeps; its bytes go again only where Etsy has lost it."""
    swaps, name = await Swaps.load(api, request.listing_id), f"undo:{request.key}"
    images = await api.get_listing_images(request.listing_id)
    swap = await swaps.found(name, images)
    ours, original = _number(request.ours), _number(request.original)
    if swap is None or not _is_under_way(swap, images):
        at = _at(images, request.position)
        if ours not in _ids(images):
            came_back = {original, swap.ours if swap is not None and swap.is_done else original}
            if at is None and original is None:
                return None
            if at is not None and at.listing_image_id in came_back:
                return _shown_one(images, at.listing_image_id)
            raise await _changed(api, request.listing_id)
        # Published beyond the end it was appended, so it may stand before its position.
        was_appended = original is None and at is None
        if original in _ids(images) or not (was_appended or (at and at.listing_image_id == ours)):
            raise await _changed(api, request.listing_id)
        if original is None:
            assert ours is not None
            await swaps.take_out(ours)
            return None
        alt = request.original_alt[:ALT_MOST_CHARS]
        alt_out = next(image.alt for image in images if image.listing_image_id == ours)
        swap = Swap(before=_ids(images), out=ours, position=request.position, alt=alt, alt_out=alt_out)
        await swaps.note(name, swap)
    wanted = Wanted(request.original_content, _content_type(request.original_content), original)
    return _ours(swaps, name, await swaps.finish(name, swap, wanted, images))


async def set_alt_text(api: EtsyApi, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
    """Change a picture's text and keep everybody's place, which Etsy does not always do by itself.

    Raises RejectedByStore(field="images") for a full listing: Etsy then takes the change for a new picture
    (etsy/open-api issue 606).
    """
    before = await api.get_listing_images(listing_id)
    number, text = _number(image_id), alt[:ALT_MOST_CHARS]
    old = next((image for image in before if image.listing_image_id == number), None)
    if old is None or number is None:
        raise NotFound(f"That picture is not on {api.store.name}.", store=api.store.name)
    if old.alt != text:
        try:
            await api.assign_listing_image(listing_id, number, rank=_ids(before).index(number) + 1, alt=text)
        except RejectedByStore as error:
            if error.field == "images":
                raise _full(api, len(before)) from error
            raise
        if _ids(await api.get_listing_images(listing_id)) != _ids(before):
            await api.update_listing(listing_id, [("image_ids[]", one) for one in _ids(before)])
    changed = _shown_one(await api.get_listing_images(listing_id), number)
    if changed is None or changed.alt != text:
        raise RejectedByStore("it kept the old text", store=api.store.name, field="alt")
    return changed


async def remove(api: EtsyApi, listing_id: ListingId, image_id: ImageId) -> None:
    """Take a picture off; one that is gone already is no error."""
    number = _number(image_id)
    if number:
        await (await Swaps.load(api, listing_id)).take_out(number)


def _check(api: EtsyApi, request: PublishRequest, images: Sequence[Image]) -> None:
    """Raise RejectedByStore where another picture than `replaces` stands there, or no more fit."""
    at = _at(images, request.position)
    if request.position < 1 or (at.listing_image_id if at else None) != _number(request.replaces):
        raise RejectedByStore(
            f"the picture at position {request.position} changed while yours was made: look at the listing",
            store=api.store.name,
            field="position",
        )
    if at is None and len(images) >= IMAGES_MOST:
        raise _full(api, len(images))


def _full(api: EtsyApi, count: int) -> RejectedByStore:
    return RejectedByStore(
        f"the listing has {count} pictures, the most it may have: take one off there, or replace one",
        store=api.store.name,
        field="images",
    )


async def _changed(api: EtsyApi, listing_id: ListingId) -> ChangedMeanwhile:
    listing = await api.get_listing(listing_id)
    return ChangedMeanwhile(store=api.store.name, sku=listing.skus[0] if listing.skus else listing.title)


def _ours(swaps: Swaps, name: str, standing: Sequence[Image]) -> ListingImage:
    """Return the picture a finished swap has brought."""
    swap = swaps.of(name)
    image = _shown_one(standing, swap.ours if swap else None)
    assert image is not None, "a swap is finished only once its picture was read back"
    return image


def _is_under_way(swap: Swap, images: Sequence[Image]) -> bool:
    """Whether a swap was cut off so far on that it must be finished: ours came, or what it replaces went."""
    ids = _ids(images)
    has_gone = swap.made_room and swap.out not in ids
    return not swap.is_done and (swap.ours in ids or has_gone)


def _at(images: Sequence[Image], position: int) -> Image | None:
    return images[position - 1] if 1 <= position <= len(images) else None


def _ids(images: Sequence[Image]) -> tuple[int, ...]:
    return tuple(image.listing_image_id for image in images)


def _shown_one(images: Sequence[Image], number: int | None) -> ListingImage | None:
    return next((image for image in shown(images) if image.image_id == str(number)), None)


def _number(image_id: ImageId | None) -> int | None:
    """Return an id as Etsy writes it; what is no number is no picture of Etsy's: 0."""
    if image_id is None:
        return None
    return int(image_id) if image_id.isascii() and image_id.isdigit() else 0


def _content_type(content: bytes | None) -> str:
    return "image/png" if content is not None and content.startswith(b"\x89PNG") else "image/jpeg"
