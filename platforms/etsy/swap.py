"""Putting one picture in another's place at Etsy, so that it can be cut off anywhere and taken up again.

Etsy gives a picture no tag of ours and changes a listing's pictures one call at a time. So what is about to be
done is noted first (which pictures stood there, which one goes, what ours says), and the id of ours as soon as
Etsy tells it. Who comes back after a crash finds by the note what was done: the one picture with our text that
was not there before is ours. The order is set by the list of ids and read back, since Etsy honours neither
`rank` nor `overwrite` reliably (etsy/open-api issues 594, 558, 298).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from domain.catalog import ListingId
from domain.errors import Ambiguous, NotFound, RejectedByStore, StoreDown, StoreError
from platforms.etsy.api import EtsyApi
from platforms.etsy.index import noted
from platforms.etsy.payloads import Image, VariationImage

log = logging.getLogger("packshot.stores")

IMAGES_MOST: Final = 20
"""Etsy's own limit (`image_ids` of updateListing); some listings are still held to 10, which only a refusal tells."""
ALT_MOST_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Swap:
    """What is noted of one change. `before`: the ids that stood there; `out`: the one that goes, None to append;
    `ours`: the one that comes, once its id is known; `made_room`: `out` (which said `alt_out`) went first, the
    listing being full; `links`: the variations (property, value, picture) of the listing, where one showed `out`.
    """

    before: tuple[int, ...]
    out: int | None
    position: int
    alt: str
    alt_out: str = ""
    ours: int | None = None
    made_room: bool = False
    links: tuple[tuple[int, int, int], ...] = ()
    is_done: bool = False

    def target(self, now: Sequence[int]) -> list[int]:
        """Return the order that is wanted, from the ids that stand there now (ours among them)."""
        others = [one for one in now if one not in {self.ours, self.out}]
        if self.out in self.before:
            place = sum(1 for one in self.before[: self.before.index(self.out)] if one in others)
        else:
            place = min(self.position - 1, len(others))
        return [*others[:place], *([self.ours] if self.ours is not None else []), *others[place:]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The picture that comes: its bytes, and its id where Etsy had it on the listing before."""

    content: bytes | None
    content_type: str
    known: int | None = None


class Swaps:
    """One listing's changes, by name."""

    def __init__(self, api: EtsyApi, listing_id: ListingId, kept: Mapping[str, str], *, is_varied: bool) -> None:
        self._api = api
        self._listing_id = listing_id
        self._is_varied = is_varied
        self._all = {name: _read(text) for name, text in kept.items() if name.startswith(("publish:", "undo:"))}

    @classmethod
    async def load(cls, api: EtsyApi, listing_id: ListingId) -> Swaps:
        """Read what is noted of a listing. The index is there before anybody can ask for one of its pictures."""
        index = await noted(api)
        kept = await api.notes.of_listing(api.store.store_id, listing_id)
        return cls(api, listing_id, kept, is_varied=index is not None and listing_id in index.varied)

    def of(self, name: str) -> Swap | None:
        """Return what is noted under a name."""
        return self._all.get(name)

    async def note(self, name: str, swap: Swap) -> Swap:
        """Note it, on the disk when this returns."""
        self._all[name] = swap
        await self._api.notes.keep(self._api.store.store_id, self._listing_id, name, json.dumps(asdict(swap)))
        return swap

    async def found(self, name: str, images: Sequence[Image]) -> Swap | None:
        """Return the note, with the id of ours where the pictures now tell it for the first time."""
        swap = self.of(name)
        if swap is None or swap.is_done or swap.ours is not None:
            return swap
        strays = self._strays(swap, images)
        return await self.note(name, replace(swap, ours=strays[0])) if strays else swap

    async def finish(self, name: str, swap: Swap, wanted: Wanted, images: Sequence[Image]) -> tuple[Image, ...]:
        """Bring ours onto the listing where it is not yet, set the order, read it back, and note that it is done.

        Returns the pictures as read back; which of them is ours is then noted.
        Raises RejectedByStore with the listing as it was; Ambiguous where nobody can tell whether ours was added.
        """
        now = [image.listing_image_id for image in images]
        if self._is_varied and swap.out in now:
            swap = await self._keep_links(name, swap)
        if swap.ours not in now:
            swap = await self._bring(name, swap, wanted, now)
            now = [*now, swap.ours] if swap.ours is not None else now
        late = set(self._strays(swap, images))
        target = swap.target([one for one in now if one not in late])
        standing: tuple[Image, ...] = ()
        for _ in range(2):
            await self._order(target)
            standing = await self._api.get_listing_images(self._listing_id)
            ids = [image.listing_image_id for image in standing]
            if ids == target:
                await self._link(swap)
                await self.note(name, replace(swap, is_done=True))
                return standing
            if swap.out is not None and swap.out in ids:
                await self.take_out(swap.out)
            late = set(self._strays(swap, standing))
            target = swap.target([one for one in ids if one not in late])
        store = self._api.store.name
        raise StoreDown(f"{store} keeps the pictures in another order than it was told.", store=store)

    async def _keep_links(self, name: str, swap: Swap) -> Swap:
        """Note which variations show what goes: Etsy forgets a link with its picture."""
        links = await self._api.get_listing_variation_images(self._listing_id)
        if swap.out not in {link.image_id for link in links}:
            return swap
        kept = tuple((link.property_id, link.value_id, link.image_id) for link in links)
        return await self.note(name, replace(swap, links=kept))

    async def _link(self, swap: Swap) -> None:
        """Let the variations that showed what went show ours."""
        if not swap.links or swap.ours is None:
            return
        links = [
            VariationImage(property_id=name, value_id=value, image_id=swap.ours if image == swap.out else image)
            for name, value, image in swap.links
        ]
        try:
            await self._api.update_variation_images(self._listing_id, links)
        except RejectedByStore as error:
            # The picture stands where it was wanted; a link that Etsy refuses does not make that untrue.
            log.warning("a variation lost its picture", extra={"listing": self._listing_id, "why": str(error)})

    async def take_out(self, image_id: int) -> None:
        """Take a picture off; one that is gone is no error."""
        try:
            await self._api.delete_listing_image(self._listing_id, image_id)
        except NotFound:
            await self._api.get_listing_images(self._listing_id)

    async def _bring(self, name: str, swap: Swap, wanted: Wanted, now: Sequence[int]) -> Swap:
        """Add ours at the end of the listing, and note its id."""
        if len(now) >= IMAGES_MOST and swap.out in now:
            swap = await self._make_room(name, swap)
        try:
            added = await self._add(name, swap, wanted, len(now) + 1)
        except RejectedByStore as error:
            if error.field == "images" and swap.out in now and not swap.made_room:
                swap = await self._make_room(name, swap)
                added = await self._add_or_undo_room(name, swap, wanted, len(now))
            else:
                await self._undo_room(swap)
                raise
        return await self.note(name, replace(swap, ours=added))

    async def _add_or_undo_room(self, name: str, swap: Swap, wanted: Wanted, rank: int) -> int:
        try:
            return await self._add(name, swap, wanted, rank)
        except RejectedByStore:
            await self._undo_room(swap)
            raise

    async def _add(self, name: str, swap: Swap, wanted: Wanted, rank: int) -> int:
        rank = min(rank, IMAGES_MOST)
        if wanted.known is not None:
            try:
                known = await self._api.assign_listing_image(self._listing_id, wanted.known, rank=rank, alt=swap.alt)
            except (NotFound, RejectedByStore) as error:
                is_full = isinstance(error, RejectedByStore) and error.field == "images"
                if is_full or wanted.content is None:
                    raise
                # Etsy keeps the copy of a picture that was taken off for as long as it likes; then the bytes go again.
            else:
                return known.listing_image_id
        if wanted.content is None:
            store = self._api.store.name
            raise NotFound(f"The picture that stood there is gone from {store}.", store=store)
        try:
            image = await self._api.upload_listing_image(
                self._listing_id, wanted.content, wanted.content_type, rank=rank, alt=swap.alt
            )
        except Ambiguous as unclear:
            return await self._look(swap, unclear)
        return image.listing_image_id

    async def _look(self, swap: Swap, unclear: Ambiguous) -> int:
        """Return the id of ours where it is there after all; else nobody can tell."""
        try:
            strays = self._strays(swap, await self._api.get_listing_images(self._listing_id))
        except StoreError as error:
            raise unclear from error
        if not strays:
            raise unclear
        return strays[0]

    def _strays(self, swap: Swap, images: Sequence[Image]) -> list[int]:
        """Return pictures that were not there before, say what ours says, and belong to no other change of ours."""
        others = {one.ours for one in self._all.values()} | {swap.ours}
        return [
            image.listing_image_id
            for image in images
            if image.listing_image_id not in swap.before
            and image.listing_image_id not in others
            and " ".join(image.alt.split()) == " ".join(swap.alt.split())
        ]

    async def _make_room(self, name: str, swap: Swap) -> Swap:
        assert swap.out is not None
        noted = await self.note(name, replace(swap, made_room=True))
        await self.take_out(swap.out)
        return noted

    async def _undo_room(self, swap: Swap) -> None:
        """Put back what made room for a picture that Etsy then refused."""
        if not swap.made_room or swap.out is None:
            return
        standing = await self._api.get_listing_images(self._listing_id)
        if swap.out not in {image.listing_image_id for image in standing}:
            await self._api.assign_listing_image(self._listing_id, swap.out, rank=swap.position, alt=swap.alt_out)
        await self._order(list(swap.before))

    async def _order(self, ids: Sequence[int]) -> None:
        await self._api.update_listing(self._listing_id, [("image_ids[]", one) for one in ids])


def _read(text: str) -> Swap:
    kept = json.loads(text)
    links = tuple((name, value, image) for name, value, image in kept["links"])
    return Swap(**{**kept, "before": tuple(kept["before"]), "links": links})
