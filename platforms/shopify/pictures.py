"""Putting a picture into a Shopify product and taking it back: a walk that may be broken off and taken up anywhere.

Each step reads what is there and does the next thing: append (the one write that must not be repeated), wait
until it is processed, swap, wait until the move is done. Whoever starts again finds the mark and goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from domain.catalog import ImageId, ListingId, ListingImage
from domain.errors import Ambiguous, ChangedMeanwhile, NotFound, RejectedByStore, StoreDown
from domain.ports import PublishRequest, RestoreRequest
from platforms.shopify.api import ShopifyApi
from platforms.shopify.media import (
    FAILED,
    MEDIA_MOST,
    PAGE,
    PAGE_COST,
    READY,
    Gallery,
    Mark,
    Medium,
    as_gid,
    gallery_in,
    medium_in,
    read_gallery,
)

log = logging.getLogger("packshot.stores")

POLLS_S: Final = (0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 15.0, 15.0)
"""Pauses between looks, a minute in all: pictures take seconds. After that the job comes back later."""
TRIES: Final = 3
"""A swap or a move whose answer was lost is looked at and done again so often."""


async def publish(api: ShopifyApi, request: PublishRequest) -> ListingImage:
    """See StorePlatform.publish_image."""
    mark = Mark.of(request.key, request.listing_id)
    gallery = await read_gallery(api, request.listing_id, before_change=True)
    made = gallery.made_for(mark)
    done = next((one for one in made if not mark.is_unfinished(one) and one.is_shown), None)
    if done is not None:
        return await _again_at_place(api, request, gallery, done)
    await _check_place(api, request, gallery, made)
    ours = next((one for one in made if one.status != FAILED), None)
    for spoilt in (one for one in made if one.status == FAILED):
        await _delete(api, spoilt)
    if ours is None:
        ours = await _append(api, request, mark)
    ours = await _processed(api, ours)
    return await _swapped(api, request, gallery, ours, spare=[one for one in made if one.media_id != ours.media_id])


async def restore(api: ShopifyApi, request: RestoreRequest) -> ListingImage | None:
    """See RestoresImages.restore_image: the original is attached again, ours detached, nothing deleted."""
    for _ in range(TRIES):
        gallery = await read_gallery(api, request.listing_id, before_change=True)
        if gallery.image_of(request.ours) is None:
            return await _as_restored(api, request, gallery)
        _check_still_ours(api, request, gallery)
        try:
            job = await _restored(api, request, gallery)
        except Ambiguous:
            continue
        except NotFound:
            return await _restored_from_bytes(api, request)
        if request.original is None:
            return None
        return await _at_place(api, request.listing_id, request.original, gallery.index_of(request.ours), job)
    raise Ambiguous(f"{api.store_name} broke off while I put the picture back.", store=api.store_name)


async def remove(api: ShopifyApi, listing_id: ListingId, image_id: ImageId) -> None:
    """See RemovesImages.remove_image: detached, not deleted."""
    for _ in range(TRIES):
        gallery = await read_gallery(api, listing_id)
        if all(medium.media_id != image_id for medium in gallery.media):
            return
        try:
            await _update_files(api, [_detaching(listing_id, image_id)])
        except (Ambiguous, NotFound):
            continue
        return
    raise Ambiguous(f"{api.store_name} broke off while I took the picture away.", store=api.store_name)


async def set_alt(api: ShopifyApi, listing_id: ListingId, image_id: ImageId, alt: str) -> ListingImage:
    """See WritesAltText.set_alt_text. The text belongs to the file: other products that show it have it too."""
    await api.ask(
        "file_update", {"files": [{"id": image_id, "alt": alt}]}, is_repeatable=True, scope="write_files", cost=20
    )
    image = (await read_gallery(api, listing_id)).image_of(image_id)
    if image is None:
        raise NotFound(f"The picture {image_id} is not on that product.", store=api.store_name)
    if image.alt != alt:
        raise StoreDown(f"{api.store_name} still shows the text of before.", store=api.store_name)
    return image


# ---------------------------------------------------------------- publishing, step by step


async def _check_place(api: ShopifyApi, request: PublishRequest, gallery: Gallery, made: Sequence[Medium]) -> None:
    """Raise RejectedByStore where another picture than the expected one stands there, or no more fit."""
    others = gallery.without(made)
    standing = others.at(request.position)
    if (standing.image_id if standing else None) != request.replaces:
        if made:
            await _update_files(api, [_detaching(request.listing_id, one.media_id) for one in made])
        raise RejectedByStore(
            f"The picture at position {request.position} of “{gallery.title}” changed while yours was made: "
            "look at the listing, then try again.",
            store=api.store_name,
            field="position",
        )
    if not made and len(gallery.media) >= MEDIA_MOST:
        raise RejectedByStore(
            f"“{gallery.title}” has {len(gallery.media)} pictures and videos, the most a product can have: "
            "remove one, then try again.",
            store=api.store_name,
            field="images",
        )


async def _append(api: ShopifyApi, request: PublishRequest, mark: Mark) -> Medium:
    """Upload and add at the end. Raises Ambiguous where nobody can tell whether it was added."""
    filename, content_type = mark.filename(request.content_type), request.content_type
    target = await api.staged_target(filename=filename, content_type=content_type)
    await api.upload(target, request.content, filename=filename, content_type=content_type)
    tagged = mark.tagged(request.alt)
    variables = {
        "product": {"id": as_gid("Product", request.listing_id)},
        "media": [{"originalSource": target.source, "mediaContentType": "IMAGE", "alt": tagged}],
    }
    try:
        data = await api.ask("product_append_media", variables, scope="write_products", cost=40)
        nodes = data["productUpdate"]["product"]["media"]["nodes"]
        added = next((node for node in nodes if node["alt"] == tagged), None)
        if added is not None:
            return Medium(added["id"], tagged, added["status"], is_image=True, url="")
        lost = Ambiguous(f"{api.store_name} said yes and does not show the picture.", store=api.store_name)
    except Ambiguous as error:
        lost = error
    found = (await read_gallery(api, request.listing_id)).made_for(mark)
    if not found:
        raise lost
    return found[0]


async def _processed(api: ShopifyApi, ours: Medium) -> Medium:
    """Wait until Shopify made something of it. Raises RejectedByStore with its reason, StoreDown when it takes long."""
    for pause_s in (0.0, *POLLS_S):
        if ours.status == READY and ours.url:
            return ours
        if ours.status == FAILED:
            await _delete(api, ours)
            raise RejectedByStore(
                ours.problem or "the picture could not be processed", store=api.store_name, field="content"
            )
        if pause_s:
            await api.pause(pause_s)
        data = await api.ask("media_status_poll", {"ids": [ours.media_id]}, scope="read_products", cost=5)
        [node] = data["nodes"]
        if node is None:
            raise NotFound("The picture was removed while it was being processed.", store=api.store_name)
        ours = medium_in(node)
    raise StoreDown(f"{api.store_name} is still processing the picture.", store=api.store_name)


async def _swapped(
    api: ShopifyApi, request: PublishRequest, gallery: Gallery, ours: Medium, *, spare: Sequence[Medium]
) -> ListingImage:
    """Put ours where `replaces` stands and detach that, in one call that may be taken up again; then read back."""
    mark = Mark.of(request.key, request.listing_id)
    for attempt in range(TRIES):
        if attempt:
            gallery = await read_gallery(api, request.listing_id, before_change=True)
        now = next((one for one in gallery.media if one.media_id == ours.media_id), ours)
        index = _index(gallery, request, [ours, *spare])
        if attempt and not mark.is_unfinished(now):
            return await _at_place(api, request.listing_id, ours.media_id, index, None)
        try:
            data = await api.ask(
                "swap_media", _swap(request, gallery, ours, index, spare), scope="write_files", cost=80
            )
        except Ambiguous:
            continue
        reordered = data.get("productReorderMedia") or {}
        return await _at_place(api, request.listing_id, ours.media_id, index, _job(reordered))
    raise Ambiguous(f"{api.store_name} broke off while I put the picture in its place.", store=api.store_name)


def _index(gallery: Gallery, request: PublishRequest, ours: Sequence[Medium]) -> int | None:
    """Where ours belongs among all media, None for the end; found by what stands there, or by what stood there."""
    made = {one.media_id for one in ours}
    others = gallery.without([one for one in gallery.media if one.media_id in made])
    if request.replaces is None:
        return None
    if any(medium.media_id == request.replaces for medium in others.media):
        return others.index_of(request.replaces)
    after = others.at(request.position)
    return None if after is None else others.index_of(after.image_id)


def _swap(
    request: PublishRequest, gallery: Gallery, ours: Medium, index: int | None, spare: Sequence[Medium]
) -> dict[str, Any]:
    files: list[dict[str, Any]] = [{"id": ours.media_id, "alt": request.alt}]
    files += [_detaching(request.listing_id, one.media_id) for one in spare if one.status != FAILED]
    variants: tuple[str, ...] = ()
    if request.replaces is not None and any(one.media_id == request.replaces for one in gallery.media):
        files.append(_detaching(request.listing_id, request.replaces))
        variants = gallery.variants.get(request.replaces, ())
    return {
        "product": as_gid("Product", request.listing_id),
        "files": files,
        "hasMoves": index is not None,
        "moves": _moves(ours.media_id, index),
        "hasVariants": bool(variants),
        "offVariants": [{"variantId": one, "mediaIds": [request.replaces]} for one in variants],
        "ontoVariants": [{"variantId": one, "mediaIds": [ours.media_id]} for one in variants],
    }


async def _at_place(
    api: ShopifyApi, listing_id: ListingId, media_id: str, index: int | None, job: str | None
) -> ListingImage:
    """Wait for the move, reading back in the same call; order it again where it did not come about."""
    product = as_gid("Product", listing_id)
    for _ in range(TRIES):
        gallery = await _moved(api, listing_id, job) if job else await read_gallery(api, listing_id)
        image = gallery.image_of(media_id)
        if image is None:
            raise NotFound("The picture was taken off the product meanwhile.", store=api.store_name)
        if index is None or gallery.index_of(media_id) == index:
            return image
        moves = {"id": product, "moves": _moves(media_id, index)}
        data = await api.ask("product_reorder_media", moves, is_repeatable=True, scope="write_products", cost=20)
        job = _job(data["productReorderMedia"])
    raise StoreDown(f"{api.store_name} has not moved the picture to its place yet.", store=api.store_name)


async def _moved(api: ShopifyApi, listing_id: ListingId, job: str) -> Gallery:
    """Wait for a move's job and return the gallery as the answer that called it done had it."""
    asked = {"job": job, "id": as_gid("Product", listing_id), "first": PAGE}
    for pause_s in (*POLLS_S, 0.0):
        data = await api.ask("reordered_poll", asked, scope="read_products", cost=PAGE_COST)
        # A job is forgotten some time after it was done.
        if data["job"] is None or data["job"]["done"]:
            product = data["product"]
            if product is None:
                raise NotFound(f"The product {listing_id} is not on {api.store_name}.", store=api.store_name)
            is_whole = not product["media"]["pageInfo"]["hasNextPage"]
            return gallery_in(product) if is_whole else await read_gallery(api, listing_id)
        await api.pause(pause_s)
    raise StoreDown(f"{api.store_name} is still sorting the pictures.", store=api.store_name)


async def _again_at_place(api: ShopifyApi, request: PublishRequest, gallery: Gallery, ours: Medium) -> ListingImage:
    """Return what an earlier call published; where it was broken off before the move was done, see to the move."""
    image = gallery.image_of(ours.media_id)
    assert image is not None
    is_replaced = request.replaces is not None and gallery.image_of(request.replaces) is None
    if image.position == request.position or not is_replaced:
        return image
    return await _at_place(api, request.listing_id, ours.media_id, _index(gallery, request, [ours]), None)


# ---------------------------------------------------------------- undo, step by step


def _check_still_ours(api: ShopifyApi, request: RestoreRequest, gallery: Gallery) -> None:
    """Raise ChangedMeanwhile when ours stands elsewhere, or the original is back already."""
    ours = gallery.image_of(request.ours)
    assert ours is not None
    # Published beyond the end it was appended, so it may stand before its position.
    was_appended = request.original is None and gallery.at(request.position) is None
    is_back = request.original is not None and gallery.image_of(request.original) is not None
    if is_back or not (ours.position == request.position or was_appended):
        raise _changed(api, gallery)


async def _as_restored(api: ShopifyApi, request: RestoreRequest, gallery: Gallery) -> ListingImage | None:
    """Ours is gone: return what an earlier undo put back, moving it to its place. Raises ChangedMeanwhile."""
    standing = gallery.at(request.position)
    if request.original is None and standing is None:
        return None
    again = Mark.of(_again(request), request.listing_id)
    copies = [image for one in gallery.made_for(again) if (image := gallery.image_of(one.media_id))]
    back = (gallery.image_of(request.original) if request.original else None) or next(iter(copies), None)
    if back is None:
        raise _changed(api, gallery)
    if standing is None or back == standing:
        return back
    return await _at_place(api, request.listing_id, back.image_id, gallery.index_of(standing.image_id), None)


async def _restored(api: ShopifyApi, request: RestoreRequest, gallery: Gallery) -> str | None:
    """Detach ours, attach the original in its stead, and return the move's job."""
    product = as_gid("Product", request.listing_id)
    files: list[dict[str, Any]] = [_detaching(request.listing_id, request.ours)]
    index: int | None = None
    variants: tuple[str, ...] = ()
    if request.original is not None:
        files.append({"id": request.original, "referencesToAdd": [product]})
        index, variants = gallery.index_of(request.ours), gallery.variants.get(request.ours, ())
    asked = {
        "product": product,
        "files": files,
        "hasMoves": index is not None,
        "moves": _moves(request.original or "", index),
        "hasVariants": bool(variants),
        "ontoVariants": [{"variantId": one, "mediaIds": [request.original]} for one in variants],
    }
    data = await api.ask("restore_media", asked, scope="write_files", cost=80)
    return _job(data.get("productReorderMedia") or {})


async def _restored_from_bytes(api: ShopifyApi, request: RestoreRequest) -> ListingImage:
    """Somebody deleted the original's file: publish the bytes we kept in place of ours. Raises NotFound without them."""
    if request.original_content is None:
        raise NotFound(f"The picture that stood there is gone from {api.store_name}.", store=api.store_name)
    return await publish(
        api,
        PublishRequest(
            key=_again(request),
            listing_id=request.listing_id,
            position=request.position,
            content=request.original_content,
            content_type=_content_type(request.original_content),
            alt=request.original_alt,
            replaces=request.ours,
        ),
    )


def _again(request: RestoreRequest) -> str:
    return f"restore:{request.key}"


def _content_type(content: bytes) -> str:
    """Shopify refuses a name that does not fit the bytes; what it served is one of these."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"GIF8"):
        return "image/gif"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


def _changed(api: ShopifyApi, gallery: Gallery) -> ChangedMeanwhile:
    return ChangedMeanwhile(store=api.store_name, sku=gallery.title)


# ---------------------------------------------------------------- small writes


def _moves(media_id: str, index: int | None) -> list[dict[str, str]]:
    return [] if index is None else [{"id": media_id, "newPosition": str(index)}]


def _job(payload: dict[str, Any]) -> str | None:
    job = payload.get("job")
    return job["id"] if job else None


def _detaching(listing_id: ListingId, media_id: str) -> dict[str, Any]:
    return {"id": media_id, "referencesToRemove": [as_gid("Product", listing_id)]}


async def _update_files(api: ShopifyApi, files: Sequence[dict[str, Any]]) -> None:
    await api.ask("file_update", {"files": list(files)}, scope="write_files", cost=20)


async def _delete(api: ShopifyApi, ours: Medium) -> None:
    """Take away our own upload that came to nothing. Buyers never see it, so that it stays is worth a line only."""
    try:
        await api.ask("file_delete", {"fileIds": [ours.media_id]}, is_repeatable=True, scope="write_files", cost=20)
    except (RejectedByStore, NotFound) as error:
        log.warning("a failed upload stays at the store", extra={"store": api.store_name, "reason": str(error)})
