"""Putting a picture into a Shopify product: a walk that may be broken off and taken up anywhere.

Each step reads what is there and does the next thing: append (the one write that must not be repeated), wait
until it is processed, swap, wait until the move is done. Whoever starts again finds the mark and goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from domain.catalog import ListingImage
from domain.errors import Ambiguous, NotFound, RejectedByStore, StoreDown
from domain.ports import PublishRequest
from platforms.shopify.api import ShopifyApi
from platforms.shopify.media import FAILED, MEDIA_MOST, READY, Gallery, Mark, Medium, as_gid, medium_in, read_gallery
from platforms.shopify.pictures import POLLS_S, TRIES, at_place, detaching, job_in, moves, update_files

log = logging.getLogger("packshot.stores")


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


async def _again_at_place(api: ShopifyApi, request: PublishRequest, gallery: Gallery, ours: Medium) -> ListingImage:
    """Return what an earlier call published; where it was broken off before the move was done, see to the move."""
    image = gallery.image_of(ours.media_id)
    assert image is not None
    is_replaced = request.replaces is not None and gallery.image_of(request.replaces) is None
    if image.position == request.position or not is_replaced:
        return image
    return await at_place(api, request.listing_id, ours.media_id, _index(gallery, request, [ours]), None)


async def _check_place(api: ShopifyApi, request: PublishRequest, gallery: Gallery, made: Sequence[Medium]) -> None:
    """Raise RejectedByStore where another picture than the expected one stands there, or no more fit."""
    others = gallery.without(made)
    standing = others.at(request.position)
    if (standing.image_id if standing else None) != request.replaces:
        if made:
            await update_files(api, [detaching(request.listing_id, one.media_id) for one in made])
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
            return await at_place(api, request.listing_id, ours.media_id, index, None)
        try:
            data = await api.ask(
                "swap_media", _swap(request, gallery, ours, index, spare), scope="write_files", cost=80
            )
        except Ambiguous:
            continue
        job = job_in(data.get("productReorderMedia"))
        return await at_place(api, request.listing_id, ours.media_id, index, job)
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
    files += [detaching(request.listing_id, one.media_id) for one in spare if one.status != FAILED]
    variants: tuple[str, ...] = ()
    if request.replaces is not None and any(one.media_id == request.replaces for one in gallery.media):
        files.append(detaching(request.listing_id, request.replaces))
        variants = gallery.variants.get(request.replaces, ())
    return {
        "product": as_gid("Product", request.listing_id),
        "files": files,
        "hasMoves": index is not None,
        "moves": moves(ours.media_id, index),
        "hasVariants": bool(variants),
        "offVariants": [{"variantId": one, "mediaIds": [request.replaces]} for one in variants],
        "ontoVariants": [{"variantId": one, "mediaIds": [ours.media_id]} for one in variants],
    }


async def _delete(api: ShopifyApi, ours: Medium) -> None:
    """Take away our own upload that came to nothing. Buyers never see it, so that it stays is worth a line only."""
    try:
        await api.ask("file_delete", {"fileIds": [ours.media_id]}, is_repeatable=True, scope="write_files", cost=20)
    except (RejectedByStore, NotFound) as error:
        log.warning("a failed upload stays at the store", extra={"store": api.store_name, "reason": str(error)})
