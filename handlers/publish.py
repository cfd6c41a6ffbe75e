"""From a yes to the shop, and back: the steps a worker runs for one placement.

`keep` saves what stands there now, `publish` puts ours in its place, `confirm` reads it back;
`look` asks a store that goes live later again and again; `put_back` is undo. Every step may run twice and looks at the row first: publishing is
find-or-create by the placement's publish key, whatever the attempt.
"""

from __future__ import annotations

from dataclasses import replace

from domain.catalog import ImageId, ListingImage
from domain.enhancement import Placement, PlacementEvent, PlacementState, Replaced
from domain.errors import Ambiguous, ChangedMeanwhile, Fault, MissingScope, RateLimited, RejectedByStore, StoreDown
from domain.jobs import look_job
from domain.ports import PublishRequest, RestoreRequest, RestoresImages, StorePlatform, UnitOfWork
from domain.powers import GoesLiveLater
from domain.sentences import Sentence
from handlers import connect
from handlers.card import show_card
from handlers.desk import Desk
from handlers.enhance import BOT, audit_entry
from handlers.failures import sentence_for, undo_sentence_for
from handlers.history_words import kept_sentence
from handlers.powers import lacking

_DIED_MIDWAY = frozenset({"dead_letter", "job_lost", "step_hung"})
"""Faults after which nobody can tell how far a step had come."""


async def keep(placement_id: str, desk: Desk) -> None:
    """Step 1: keep the bytes and id of what stands at the position, so that undo has them."""
    async with desk.work() as work:
        placement = await work.placements.load(placement_id)
        if placement.state is PlacementState.APPROVED:
            placement = await _move(work, desk, placement, PlacementEvent.BEGIN)
    if placement.state is not PlacementState.PUBLISHING:
        return
    store = await desk.stores.open(placement.target.store_id)
    image = _at(await store.read_images(placement.target.listing_id), placement.target.position)
    if not await _must_keep(placement, image, store):
        return
    replaced = Replaced(None, None)
    if image is not None:
        replaced = Replaced(image.image_id, await desk.media.put(await store.fetch_image(image)), image.alt)
    async with desk.work() as work:
        await work.placements.save(replace(placement, replaced=replaced), was=placement)


async def _must_keep(placement: Placement, image: ListingImage | None, store: StorePlatform) -> bool:
    """Whether what stands there is news. A retry may find the shop changed, or our own picture already there,
    and ours must never be kept as the original.
    """
    if placement.replaced is None:
        return True
    if image is None or image.image_id == placement.replaced.image_id:
        return False
    ours = await store.find_published(placement.publish_key, placement.target.listing_id)
    return ours is None or ours.image_id != image.image_id


async def publish(placement_id: str, desk: Desk) -> None:
    """Step 2: put our picture at the position. An outcome nobody can tell becomes `unclear`."""
    placement = await _load(placement_id, desk)
    if placement.state is not PlacementState.PUBLISHING or placement.replaced is None:
        return
    store = await desk.stores.open(placement.target.store_id)
    request = PublishRequest(
        key=placement.publish_key,
        listing_id=placement.target.listing_id,
        position=placement.target.position,
        content=await desk.media.get(placement.picture.photo),
        content_type=placement.picture.content_type,
        alt=placement.replaced.alt or await _alt(placement, desk),
        replaces=placement.replaced.image_id,
    )
    try:
        image = await store.publish_image(request)
    except Ambiguous as error:
        async with desk.work() as work:
            await _move(work, desk, placement, PlacementEvent.LOSE_SIGHT, failure=sentence_for(error))
        return
    async with desk.work() as work:
        await work.placements.save(replace(placement, image_id=image.image_id, url=image.url), was=placement)


async def confirm(placement_id: str, desk: Desk) -> None:
    """Step 3: read it back; only then it is live. Raises RejectedByStore when it is not there."""
    placement = await _load(placement_id, desk)
    if placement.state is not PlacementState.PUBLISHING or placement.image_id is None:
        return
    store = await desk.stores.open(placement.target.store_id)
    if isinstance(store, GoesLiveLater):
        if image := await _find_live(placement, store, desk):
            await _confirm(placement, image, desk)
            return
        async with desk.work() as work:
            begun = replace(placement, looks=0, failure="")
            moved = await _move(work, desk, placement, PlacementEvent.ACCEPT, instead=begun)
            await work.enqueue(look_job(moved, delay_s=desk.looks_after_s[0]))
        return
    images = await store.read_images(placement.target.listing_id)
    image = next((image for image in images if image.image_id == placement.image_id), None)
    if image is None:
        raise RejectedByStore("it said yes, but shows another picture", store=store.store.name, field="image")
    await _confirm(placement, image, desk)


async def _confirm(placement: Placement, image: ListingImage, desk: Desk) -> None:
    # A listing with two pictures has no position 6: ours was appended, and undo must know where it is.
    seen = replace(placement, target=replace(placement.target, position=image.position), url=image.url, failure="")
    async with desk.work() as work:
        await _move(work, desk, placement, PlacementEvent.CONFIRM, instead=seen)


async def look(placement_id: str, desk: Desk) -> None:
    """Look whether an accepted picture is live: if not, look again later, and after the last look ask a person.

    Every look has a job of its own, under the next attempt and after a longer wait, so that none blocks the
    store's queue. A store that does not answer costs one look, nothing more.
    """
    placement = await _load(placement_id, desk)
    if placement.state is not PlacementState.ACCEPTED:
        return
    store = await desk.stores.open(placement.target.store_id)
    if not isinstance(store, GoesLiveLater):
        raise lacking(store, GoesLiveLater)
    try:
        image = await _find_live(placement, store, desk)
    except (StoreDown, RateLimited):
        image = None
    if image is not None:
        await _confirm(placement, image, desk)
        return
    looked = replace(placement, attempt=placement.attempt + 1, looks=placement.looks + 1)
    async with desk.work() as work:
        if looked.looks < len(desk.looks_after_s):
            await work.placements.save(looked, was=placement)
            await work.enqueue(look_job(looked, delay_s=desk.looks_after_s[looked.looks]))
            return
        failure = Sentence(
            "{store} took the picture {hours} hours ago and does not show it: look there and press what you see.",
            store=store.store.name,
            hours=round(sum(desk.looks_after_s) / 3600),
        )
        await _move(work, desk, placement, PlacementEvent.LOSE_SIGHT, instead=looked, failure=failure)


async def _find_live(placement: Placement, store: StorePlatform, desk: Desk) -> ListingImage | None:
    """Look once. A picture that is refused after all is taken back, since it may hide the whole listing from buyers."""
    assert isinstance(store, GoesLiveLater)
    try:
        return await store.find_live(placement.publish_key, placement.target.listing_id)
    except RejectedByStore as error:
        if not isinstance(store, RestoresImages):
            raise
        try:
            await store.restore_image(await _restore_request(placement, store, desk))
        except ChangedMeanwhile:
            raise error from None
        why = f"{error}; what stood there before is back"
        raise RejectedByStore(why, store=error.store, field=error.field) from error


async def publish_failed(placement_id: str, error: BaseException, desk: Desk) -> None:
    """Where publishing ends when it cannot: the row says so, and the person hears why."""
    async with desk.work() as work:
        placement = await work.placements.load(placement_id)
        if placement.state in {PlacementState.APPROVED, PlacementState.PUBLISHING, PlacementState.ACCEPTED}:
            event = PlacementEvent.LOSE_SIGHT if _may_be_there(placement, error) else PlacementEvent.FAIL
            await _move(work, desk, placement, event, failure=sentence_for(error))
            if isinstance(error, MissingScope):
                await connect.say_missing(work, placement, error, desk)


def _may_be_there(placement: Placement, error: BaseException) -> bool:
    """Whether our picture may stand in the shop although the job failed; then a person looks, and undo stays possible."""
    if placement.image_id is not None and not isinstance(error, RejectedByStore):
        return placement.state in {PlacementState.PUBLISHING, PlacementState.ACCEPTED}
    was_sent = placement.state is PlacementState.PUBLISHING and placement.replaced is not None
    return was_sent and isinstance(error, Fault) and error.code in _DIED_MIDWAY


async def put_back(placement_id: str, desk: Desk) -> None:
    """Undo: restore what stood there before ours, and read it back.

    An image that is no longer ours is left alone; the card says so and the placement stays live.
    """
    placement = await _load(placement_id, desk)
    if placement.state is not PlacementState.RESTORING:
        return
    store = await desk.stores.open(placement.target.store_id)
    if not isinstance(store, RestoresImages):
        raise lacking(store, RestoresImages)
    request = await _restore_request(placement, store, desk)
    try:
        await store.restore_image(request)
    except ChangedMeanwhile as error:
        async with desk.work() as work:
            await _move(work, desk, placement, PlacementEvent.KEEP, note=error.sentence)
        return
    async with desk.work() as work:
        await _move(work, desk, placement, PlacementEvent.PUT_BACK, failure="")


async def _restore_request(placement: Placement, store: StorePlatform, desk: Desk) -> RestoreRequest:
    """Return what puts back what stood there before. Raises ChangedMeanwhile where ours is nowhere to be found."""
    replaced = placement.replaced or Replaced(None, None)
    return RestoreRequest(
        key=placement.publish_key,
        listing_id=placement.target.listing_id,
        position=placement.target.position,
        ours=placement.image_id or await _find_ours(placement, store),
        original=replaced.image_id,
        original_content=await desk.media.get(replaced.photo) if replaced.photo else None,
        original_alt=replaced.alt,
    )


async def restore_failed(placement_id: str, error: BaseException, desk: Desk) -> None:
    """Where undo ends when it cannot: ours is still live, and the person hears why."""
    async with desk.work() as work:
        placement = await work.placements.load(placement_id)
        if placement.state is PlacementState.RESTORING:
            await _move(work, desk, placement, PlacementEvent.FAIL, failure=undo_sentence_for(error))
            if isinstance(error, MissingScope):
                await connect.say_missing(work, placement, error, desk)


async def _move(
    work: UnitOfWork,
    desk: Desk,
    placement: Placement,
    event: PlacementEvent,
    *,
    instead: Placement | None = None,
    failure: str | None = None,
    note: str = "",
) -> Placement:
    """Save the move, bring the card up to date and write the audit line, in the caller's transaction.

    `instead` is the row with what is known now; `placement` is what it was.
    """
    moved = (instead or placement).after(event)
    if failure is not None:
        moved = replace(moved, failure=failure)
    await work.placements.save(moved, was=placement)
    enhancement = await work.enhancements.load(placement.enhancement_id)
    await show_card(work, enhancement, note=note)
    if moved.state is not placement.state:
        what = moved.target.store_name
        if moved.target.position > 1:
            what += f", picture {moved.target.position}"
        # The bot is the one who did it; the person's decision has a line of its own.
        entry = audit_entry(enhancement, desk, BOT, event.value, what)
        said = {"failure": kept_sentence(note or moved.failure)} if note or moved.failure else {}
        before, after = _facts(placement), {**_facts(moved), **said}
        await work.audit(replace(entry, before=before, after=after))
    return moved


async def _load(placement_id: str, desk: Desk) -> Placement:
    async with desk.work.reading() as rows:
        return await rows.placements.load(placement_id)


async def _alt(placement: Placement, desk: Desk) -> str:
    async with desk.work.reading() as rows:
        enhancement = await rows.enhancements.load(placement.enhancement_id)
    return enhancement.title or placement.sku.value


async def _find_ours(placement: Placement, store: StorePlatform) -> ImageId:
    """Return our image where a person told us it is there (after an unclear write)."""
    found = await store.find_published(placement.publish_key, placement.target.listing_id)
    if found is None:
        found = _at(await store.read_images(placement.target.listing_id), placement.target.position)
    if found is None:
        raise ChangedMeanwhile(store=store.store.name, sku=placement.sku.value)
    return found.image_id


def _at(images: tuple[ListingImage, ...], position: int) -> ListingImage | None:
    return next((image for image in images if image.position == position), None)


def _facts(placement: Placement) -> dict[str, object]:
    """Return what a line of the audit keeps of a placement: its state, and the picture that stands there."""
    replaced = placement.replaced.image_id if placement.replaced else None
    return {
        "store": placement.target.store_id,
        "listing": placement.target.listing_id,
        "state": placement.state.value,
        "picture": placement.image_id,
        "picture_before": replaced,
    }
