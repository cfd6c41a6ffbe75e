"""Small changes to a product's pictures, and waiting for a move: what publishing and undo are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.catalog import ImageId, ListingId, ListingImage
from domain.errors import Ambiguous, NotFound, StoreDown
from platforms.shopify.api import ShopifyApi
from platforms.shopify.media import PAGE, PAGE_COST, Gallery, as_gid, gallery_in, read_gallery

POLLS_S: Final = (0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 10.0, 15.0, 15.0)
"""Pauses between looks, a minute in all: pictures take seconds. After that the job comes back later."""
TRIES: Final = 3
"""A change whose answer was lost is looked at and done again so often."""


async def remove(api: ShopifyApi, listing_id: ListingId, image_id: ImageId) -> None:
    """See RemovesImages.remove_image: detached, not deleted."""
    for _ in range(TRIES):
        gallery = await read_gallery(api, listing_id)
        if all(medium.media_id != image_id for medium in gallery.media):
            return
        try:
            await update_files(api, [detaching(listing_id, image_id)])
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


async def at_place(
    api: ShopifyApi, listing_id: ListingId, media_id: str, index: int | None, job: str | None
) -> ListingImage:
    """Wait for a move to `index` (from 0, over all media; None: anywhere), and return the picture as read back.

    Where the move did not come about it is ordered again. Raises StoreDown when that does not help, NotFound.
    """
    product = as_gid("Product", listing_id)
    for _ in range(TRIES):
        gallery = await _moved(api, listing_id, job) if job else await read_gallery(api, listing_id)
        image = gallery.image_of(media_id)
        if image is None:
            raise NotFound("The picture was taken off the product meanwhile.", store=api.store_name)
        if index is None or gallery.index_of(media_id) == index:
            return image
        asked = {"id": product, "moves": moves(media_id, index)}
        data = await api.ask("product_reorder_media", asked, is_repeatable=True, scope="write_products", cost=20)
        job = job_in(data["productReorderMedia"])
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


def moves(media_id: str, index: int | None) -> list[dict[str, str]]:
    """Return the move of one medium to a place from 0; none for None."""
    return [] if index is None else [{"id": media_id, "newPosition": str(index)}]


def job_in(payload: Mapping[str, Any] | None) -> str | None:
    """Return the id of the job that a reorder began, None where nothing was moved."""
    job = (payload or {}).get("job")
    return job["id"] if job else None


def detaching(listing_id: ListingId, media_id: str) -> dict[str, Any]:
    """Return the change that takes a file off a product."""
    return {"id": media_id, "referencesToRemove": [as_gid("Product", listing_id)]}


async def update_files(api: ShopifyApi, files: Sequence[Mapping[str, Any]]) -> None:
    """Change files, all of them or none."""
    await api.ask("file_update", {"files": list(files)}, scope="write_files", cost=20)
