"""A product's media as Shopify has them, and how ours are known among them.

Shopify keeps no key of ours with a picture. So the file carries it in its name, which ends up in the picture's
address once it is processed; until it stands in its place, its alternative text carries it too. A picture with
the mark in its text is unfinished, one with the mark only in its address is done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from domain.catalog import ImageId, ListingId, ListingImage
from domain.errors import MissingScope, NotFound
from platforms.shopify.api import ShopifyApi

PAGE: Final = 50
MEDIA_MOST: Final = 250
"""Media a product may have. Source: STORES.md (third party)."""
ALT_MOST_CHARS: Final = 512
NEEDED_TO_CHANGE: Final = ("write_products", "write_files")
READY, FAILED = "READY", "FAILED"
PAGE_COST: Final = 170.0
BEFORE_CHANGE_COST: Final = 680.0
"""At most: 50 media with their image and errors, 100 variants with one medium each."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One entry of a product's gallery: a picture, a video or a model."""

    media_id: str
    alt: str
    status: str
    is_image: bool
    url: str
    problem: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether buyers see it as a picture: it has an address from the moment it is processed."""
        return self.is_image and bool(self.url) and self.status != FAILED


@dataclass(frozen=True, slots=True)
class Mark:
    """The name by which a publish key is found again."""

    value: str

    @classmethod
    def of(cls, key: str, listing_id: ListingId) -> Mark:
        """Return the mark of a key on a listing: short, of letters and digits, and telling nothing."""
        named = "\n".join((listing_id, key))
        return cls(f"packshot-{hashlib.sha256(named.encode()).hexdigest()[:24]}")

    def filename(self, content_type: str) -> str:
        """Return the file's name."""
        return f"{self.value}.{'jpg' if content_type == 'image/jpeg' else content_type.partition('/')[2]}"

    def tagged(self, alt: str) -> str:
        """Return a text with the mark behind it."""
        ending = f" ({self.value})"
        return alt[: ALT_MOST_CHARS - len(ending)] + ending

    def is_unfinished(self, medium: Medium) -> bool:
        """Whether it is ours and not in its place yet."""
        return self.value in medium.alt

    def is_ours(self, medium: Medium) -> bool:
        """Whether we made it; a name that was taken gets `_` and a UUID behind it."""
        named = re.search(rf"/{self.value}(_[0-9a-f-]+)?\.\w+(\?|$)", medium.url)
        return named is not None or self.is_unfinished(medium)


@dataclass(frozen=True, slots=True)
class Gallery:
    """A product's media in order. `variants` by the medium they point at, filled where it was asked for."""

    listing_id: ListingId
    title: str
    media: tuple[Medium, ...]
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def images(self) -> tuple[ListingImage, ...]:
        """Return what buyers see, numbered from 1; videos and models are not counted."""
        shown = (medium for medium in self.media if medium.is_shown)
        return tuple(as_image(medium, position) for position, medium in enumerate(shown, start=1))

    def image_of(self, media_id: str) -> ListingImage | None:
        """Return a picture with its position, None where it is not shown."""
        return next((image for image in self.images() if image.image_id == media_id), None)

    def at(self, position: int) -> ListingImage | None:
        """Return the picture at a 1-based position."""
        images = self.images()
        return images[position - 1] if 1 <= position <= len(images) else None

    def made_for(self, mark: Mark) -> list[Medium]:
        """Return every medium with this mark; more than one only after a write that came late."""
        return [medium for medium in self.media if mark.is_ours(medium)]

    def without(self, media: Sequence[Medium]) -> Gallery:
        """Return it as it would be without some."""
        return replace(self, media=tuple(medium for medium in self.media if medium not in media))

    def index_of(self, media_id: str) -> int:
        """Return the place among all media, from 0, as moves count it."""
        return [medium.media_id for medium in self.media].index(media_id)


def as_image(medium: Medium, position: int) -> ListingImage:
    """Return a picture as the port has it."""
    return ListingImage(ImageId(medium.media_id), position, medium.url, medium.alt)


def medium_in(node: Mapping[str, Any]) -> Medium:
    """Return a medium from its node."""
    errors = node.get("mediaErrors") or ()
    return Medium(
        media_id=node["id"],
        alt=node.get("alt") or "",
        status=node["status"],
        is_image=node["__typename"] == "MediaImage",
        url=(node.get("image") or {}).get("url") or "",
        problem="; ".join(dict.fromkeys(str(error.get("details") or error["message"]) for error in errors)),
    )


def gallery_in(product: Mapping[str, Any]) -> Gallery:
    """Return a gallery from a product's node."""
    variants: dict[str, tuple[str, ...]] = {}
    for variant in (product.get("variants") or {}).get("nodes", ()):
        for shown in variant["media"]["nodes"]:
            variants[shown["id"]] = (*variants.get(shown["id"], ()), variant["id"])
    media = tuple(medium_in(node) for node in product["media"]["nodes"])
    return Gallery(ListingId(product["id"]), product["title"], media, variants)


async def read_gallery(api: ShopifyApi, listing_id: ListingId, *, before_change: bool = False) -> Gallery:
    """Return all media of a product, read now, 50 a call. Raises NotFound.

    `before_change` also reads which variants point at them, and raises MissingScope for a right that a change needs.
    """
    gallery: Gallery | None = None
    after: str | None = None
    while True:
        is_first = before_change and gallery is None
        asked = {"id": as_gid("Product", listing_id), "first": PAGE, "after": after, "beforeChange": is_first}
        cost = BEFORE_CHANGE_COST if is_first else PAGE_COST
        data = await api.ask("product_media", asked, scope="read_products", cost=cost)
        if is_first:
            _check_rights(api, data["currentAppInstallation"])
        product = data["product"]
        if product is None:
            raise NotFound(f"The product {listing_id} is not on {api.store_name}.", store=api.store_name)
        page = gallery_in(product)
        gallery = page if gallery is None else replace(gallery, media=(*gallery.media, *page.media))
        info = product["media"]["pageInfo"]
        if not info["hasNextPage"]:
            return gallery
        after = info["endCursor"]


def is_held(scope: str, held: Collection[str]) -> bool:
    """Whether we have a right; Shopify lists a right to write without the right to read that it brings."""
    return scope in held or scope.replace("read_", "write_", 1) in held


def _check_rights(api: ShopifyApi, installation: Mapping[str, Any]) -> None:
    held = {one["handle"] for one in installation["accessScopes"]}
    for scope in NEEDED_TO_CHANGE:
        if not is_held(scope, held):
            raise MissingScope(store=api.store_name, scope=scope)


def as_gid(kind: str, value: str) -> str:
    """Return Shopify's global id of a thing, whether it is given whole or as its number."""
    return value if value.startswith("gid://") else f"gid://shopify/{kind}/{value}"
