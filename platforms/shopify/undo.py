"""Taking a picture back out of a Shopify product: the original is attached again, ours detached, nothing deleted."""

from __future__ import annotations

from typing import Any

from domain.catalog import ListingImage
from domain.errors import Ambiguous, ChangedMeanwhile, NotFound
from domain.ports import PublishRequest, RestoreRequest
from platforms.shopify.api import ShopifyApi
from platforms.shopify.media import Gallery, Mark, as_gid, read_gallery
from platforms.shopify.pictures import TRIES, at_place, detaching, job_in, moves
from platforms.shopify.publishing import publish


async def restore(api: ShopifyApi, request: RestoreRequest) -> ListingImage | None:
    """See RestoresImages.restore_image."""
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
        return await at_place(api, request.listing_id, request.original, gallery.index_of(request.ours), job)
    raise Ambiguous(f"{api.store_name} broke off while I put the picture back.", store=api.store_name)


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
    return await at_place(api, request.listing_id, back.image_id, gallery.index_of(standing.image_id), None)


async def _restored(api: ShopifyApi, request: RestoreRequest, gallery: Gallery) -> str | None:
    """Detach ours, attach the original in its stead, and return the move's job."""
    product = as_gid("Product", request.listing_id)
    files: list[dict[str, Any]] = [detaching(request.listing_id, request.ours)]
    index: int | None = None
    variants: tuple[str, ...] = ()
    if request.original is not None:
        files.append({"id": request.original, "referencesToAdd": [product]})
        index, variants = gallery.index_of(request.ours), gallery.variants.get(request.ours, ())
    asked = {
        "product": product,
        "files": files,
        "hasMoves": index is not None,
        "moves": moves(request.original or "", index),
        "hasVariants": bool(variants),
        "ontoVariants": [{"variantId": one, "mediaIds": [request.original]} for one in variants],
    }
    data = await api.ask("restore_media", asked, scope="write_files", cost=80)
    return job_in(data.get("productReorderMedia"))


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
