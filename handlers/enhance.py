"""From a photo to a preview: `start` makes the row and its job, the steps `fetch`, `improve` and
`offer` run in a worker, and `enhance_failed` is where they end when they cannot.

Every step may run twice (a worker may die after its effect): each looks at the row first and saves
by compare-and-set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.catalog import Sha256
from domain.enhancement import (
    MOVING_ENHANCEMENTS,
    Enhancement,
    EnhancementEvent,
    EnhancementState,
    Revision,
    StoredPicture,
    Target,
)
from domain.errors import BadInput, NotPossible
from domain.jobs import enhance_job
from domain.picture import Enhanced
from domain.ports import FetchesPictures, UnitOfWork
from domain.recipe import Recipe
from domain.rows import AuditEntry
from domain.stripped import without_metadata
from handlers import scale
from handlers.card import card_reply, show_card
from handlers.desk import Asked, Desk, id_from
from handlers.failures import sentence_for
from handlers.products import Found

BOT = "Packshot"
"""Who did what no person did, in the audit."""
MAX_POSITION = 20
"""Etsy's limit of pictures a listing, the highest of the platforms we know exactly."""


async def start(
    work: UnitOfWork,
    asked: Asked,
    desk: Desk,
    found: Found,
    *,
    targets: tuple[Target, ...],
    photos: Sequence[Sha256 | None],
    recipe: Recipe,
    first_position: int,
    source: str = "",
) -> int:
    """Start one enhancement a photo, in the caller's transaction; None means: fetch it from the store.

    Returns how many were new: the same `source` (this event, unless said) starts nothing twice.

    The first photo goes to `first_position`, the second to the next one, and so on.
    """
    others = await work.enhancements.of_sku(asked.incoming.team_id, found.sku, limit=scale.LOOKED_AT)
    incoming = asked.incoming
    begun = 0
    for position, photo in enumerate(photos, start=first_position):
        enhancement = Enhancement(
            enhancement_id=id_from(incoming.team_id, source or incoming.event_key, found.sku.key, str(position)),
            team_id=incoming.team_id,
            sku=found.sku,
            title=found.title_at(targets),
            photo=photo,
            state=EnhancementState.RECEIVED,
            revision=Revision(1, scale.inherited(recipe, position, others)),
            targets=tuple(replace(target, position=position) for target in targets),
            place=incoming.place,
            requested_by=asked.member.member_id,
            requested_by_name=asked.member.name,
            created_at=desk.clock(),
        )
        if await work.enhancements.add(enhancement):
            begun += 1
            await work.enqueue(enhance_job(enhancement))
            await show_card(work, enhancement)
            where = ", ".join(target.store_name for target in targets) + (
                f", picture {position}" if position > 1 else ""
            )
            await work.audit(audit_entry(enhancement, desk, asked.member.name, "requested", where))
    return begun


async def check_reach(desk: Desk, targets: Sequence[Target]) -> None:
    """Raise NotPossible where a store could not fetch the picture in the end: before anything is begun."""
    for store_id in dict.fromkeys(target.store_id for target in targets):
        store = await desk.stores.open(store_id)
        if isinstance(store, FetchesPictures):
            await store.check_reach()


def choose_targets(found: Found, stores: Sequence[str]) -> tuple[Target, ...] | None:
    """Return where to publish: the stores that were named, or the only listing; None means ask.

    `all` names every store. A store's own name goes before its platform's: "on Shelf" must not publish
    to another shelf too. Raises BadInput for a store that does not exist or does not have it.
    """
    if not stores:
        return found.targets if len(found.targets) == 1 else None
    if [word.lower() for word in stores] == ["all"]:
        return found.targets
    chosen: list[Target] = []
    for word in stores:
        key = word.casefold()
        matches = [item for item in found.targets if key == item.store_name.casefold()]
        matches = matches or [item for item in found.targets if key == item.platform.value]
        if not matches:
            names = ", ".join(found.store_names)
            raise BadInput(
                "{sku} is not in a store called “{word}”: it is in {names}; `stores` lists them all.",
                sku=found.sku.value,
                word=word,
                names=names,
            )
        chosen += matches
    return tuple(dict.fromkeys(chosen))


def read_options(options: Mapping[str, str]) -> tuple[Recipe, int]:
    """Return the recipe and the picture position (1 = main) of `background= shadow= engine= position=`."""
    rest = dict(options)
    position = rest.pop("position", "1")
    if not position.isdecimal() or not 1 <= int(position) <= MAX_POSITION:
        raise BadInput("The position is a number from 1 (the main picture) to {most}: `position=2`.", most=MAX_POSITION)
    return Recipe().changed(rest), int(position)


# ---------------------------------------------------------------- the steps of the job


async def fetch(enhancement_id: str, desk: Desk) -> None:
    """Step 1: have the photo's bytes, from the chat or from the store. Raises UserError, StoreError."""
    async with desk.work() as work:
        enhancement = await work.enhancements.load(enhancement_id)
        if enhancement.state not in MOVING_ENHANCEMENTS:
            return
        if enhancement.state is EnhancementState.RECEIVED:
            started = enhancement.after(EnhancementEvent.START)
            await work.enhancements.save(started, was=enhancement)
            await show_card(work, started)
            enhancement = started
    if enhancement.photo is None:
        fetched = await _fetch_from_store(enhancement, desk)
        photo = await desk.media.put(await asyncio.to_thread(without_metadata, fetched))
        async with desk.work() as work:
            await work.enhancements.save(replace(enhancement, photo=photo), was=enhancement)


async def _fetch_from_store(enhancement: Enhancement, desk: Desk) -> bytes:
    target = enhancement.targets[0]
    store = await desk.stores.open(target.store_id)
    images = await store.read_images(target.listing_id)
    image = next((image for image in images if image.position == target.position), None)
    if image is None:
        sku, store_name = enhancement.sku.value, target.store_name
        if not images:
            raise NotPossible(
                "{sku} has no picture yet on {store}: send me a photo with the SKU as its caption.",
                sku=sku,
                store=store_name,
            )
        raise NotPossible(
            "{sku} has no picture at position {position} on {store}: send me a photo with the SKU as its caption.",
            sku=sku,
            position=target.position,
            store=store_name,
        )
    return await store.fetch_image(image)


async def improve(enhancement_id: str, desk: Desk) -> None:
    """Step 2: pixels. Raises BadPhoto, NotPossible."""
    async with desk.work.reading() as rows:
        enhancement = await rows.enhancements.load(enhancement_id)
    if enhancement.state is not EnhancementState.ENHANCING or enhancement.photo is None:
        return
    stores = [await desk.stores.open(target.store_id) for target in enhancement.targets]
    rules = {rules.name: rules for rules in (desk.stores.rules(store.store) for store in stores)}
    photo = await desk.media.get(enhancement.photo)
    drawn_by = await scale.as_first_picture(enhancement, tuple(rules.values()), desk)
    enhanced = await desk.enhancer.enhance(photo, enhancement.revision.recipe, drawn_by)
    revision = await _store_pictures(enhancement.revision, enhanced, desk)
    async with desk.work() as work:
        await work.enhancements.save(replace(enhancement, revision=revision), was=enhancement)


async def _store_pictures(revision: Revision, enhanced: Enhanced, desk: Desk) -> Revision:
    contents = [*(picture.content for picture in enhanced.pictures), enhanced.before, enhanced.after, enhanced.preview]
    *pictures, before, after, preview = await desk.media.put_all(contents)
    stored = tuple(
        StoredPicture(made.rules_name, name, made.content_type, made.width_px, made.height_px, made.findings)
        for made, name in zip(enhanced.pictures, pictures, strict=True)
    )
    return replace(
        revision,
        pictures=stored,
        before=before,
        after=after,
        preview=preview,
        engine=enhanced.engine,
        confidence=enhanced.confidence,
        findings=enhanced.findings,
    )


async def offer(enhancement_id: str, desk: Desk) -> None:
    """Step 3: show the preview and wait for a person, in the database and nowhere else."""
    async with desk.work() as work:
        enhancement = await work.enhancements.load(enhancement_id)
        if enhancement.state is not EnhancementState.ENHANCING or not enhancement.revision.pictures:
            return
        offered = replace(enhancement.after(EnhancementEvent.OFFER), offered_at=desk.clock())
        await work.enhancements.save(offered, was=enhancement)
        await show_card(work, offered)
        await work.show_in_watching(enhancement_id, card_reply(offered, ()))
        await work.audit(
            audit_entry(offered, desk, BOT, "offered", f"revision {offered.revision.number}", was=enhancement)
        )


async def enhance_failed(enhancement_id: str, error: BaseException, desk: Desk) -> None:
    """Where the job ends when it cannot: the row says so, and the person hears why."""
    async with desk.work() as work:
        enhancement = await work.enhancements.load(enhancement_id)
        if enhancement.state not in MOVING_ENHANCEMENTS:
            return
        failed = replace(enhancement.after(EnhancementEvent.FAIL), failure=sentence_for(error))
        await work.enhancements.save(failed, was=enhancement)
        await show_card(work, failed)
        await work.audit(audit_entry(failed, desk, BOT, "failed", failed.failure, was=enhancement))


def audit_entry(
    enhancement: Enhancement, desk: Desk, who: str, action: str, what: str, *, was: Enhancement | None = None
) -> AuditEntry:
    """Return the audit line of something that happened to an enhancement now, and what it `was` before."""
    return AuditEntry(
        enhancement.team_id,
        desk.clock(),
        who,
        action,
        enhancement.sku.value,
        enhancement.enhancement_id,
        what,
        # A job has no place of its own; what a person did is of the place where they said it.
        place=enhancement.place if who == BOT else None,
        before=_facts(was) if was else {},
        after=_facts(enhancement),
    )


def _facts(enhancement: Enhancement) -> dict[str, object]:
    return {"state": enhancement.state.value, "revision": enhancement.revision.number}
