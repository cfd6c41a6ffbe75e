"""`compare`: the photo, the version before and the one now, side by side; a correction never hides what it replaced."""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog import Sha256
from domain.enhancement import Enhancement, Revision
from domain.errors import Fault, NotPossible
from domain.intents import CompareVersions, Press
from domain.recipe import Recipe
from domain.replies import Compared, Version
from handlers import decide
from handlers.desk import Asked, Desk

MOST_VERSIONS = 3
"""Beside the photo: the newest; more panels than that are too small to compare on a phone."""


async def compare(asked: Asked, intent: CompareVersions, desk: Desk) -> None:
    """Show the versions of one picture. Raises BadInput where there is none, NotPossible where none is kept."""
    async with desk.work.reading() as rows:
        enhancement = await decide.meant(rows, asked, intent)
        revisions = await rows.enhancements.revisions(enhancement.enhancement_id)
    await _show(asked, desk, enhancement, revisions)


async def compare_pressed(asked: Asked, press: Press, desk: Desk) -> None:
    """The same for a card's button, whatever revision it was drawn for."""
    await compare(asked, CompareVersions(enhancement_id=press.token.subject_id), desk)


async def _show(asked: Asked, desk: Desk, enhancement: Enhancement, revisions: Sequence[Revision]) -> None:
    kept: list[tuple[Revision, bytes]] = []
    for revision in reversed(revisions):
        content = await _kept(desk, revision.after)
        if content is not None and len(kept) < MOST_VERSIONS:
            kept.insert(0, (revision, content))
    newest = kept[-1][0] if kept else None
    photo = await _kept(desk, newest.before if newest else None)
    if newest is None or newest.before is None or photo is None:
        raise NotPossible("No finished picture of {sku} is kept to compare: redo it first.", sku=enhancement.sku.value)
    panels = [("Before", photo), *((f"Version {revision.number}", content) for revision, content in kept)]
    sheet = await desk.media.put(await desk.enhancer.beside(panels))
    versions = tuple(
        _version(revision, revision.after, revisions) for revision, _ in kept if revision.after is not None
    )
    async with desk.work(asked.incoming) as work:
        await work.answer(Compared(enhancement.sku.value, enhancement.title, newest.before, versions, sheet))


async def _kept(desk: Desk, name: Sha256 | None) -> bytes | None:
    """Return the bytes, None where retention has taken them."""
    if name is None:
        return None
    try:
        return await desk.media.get(name)
    except Fault as fault:
        if fault.code != "media_missing":
            raise
        return None


def _scale(recipe: Recipe) -> float | str | None:
    return "sku" if recipe.scale_as_sku else recipe.scale_percent


def _version(revision: Revision, picture: Sha256, revisions: Sequence[Revision]) -> Version:
    """Return a version with how its recipe differs from the one before it."""
    was = next((each.recipe for each in reversed(revisions) if each.number < revision.number), None)
    if was is None:
        return Version(revision.number, picture)
    now = revision.recipe
    pairs = {
        "background": (was.background, now.background),
        "shadow": (was.shadow, now.shadow),
        "margin": (was.margin_percent, now.margin_percent),
        "brightness": (was.brightness_stops, now.brightness_stops),
        "white": (was.white, now.white),
        "aspect": (was.aspect, now.aspect),
        "scale": (_scale(was), _scale(now)),
        "thing": (was.thing, now.thing),
        "engine": (was.engine, now.engine),
    }
    changed = [f"{name}={'auto' if new is None else new}" for name, (old, new) in pairs.items() if old != new]
    changed += [f"{hint.kind}=none" for hint in was.hints if hint not in now.hints]
    added = [hint.kind for hint in now.hints if hint not in was.hints]
    changes = " ".join(dict.fromkeys(changed))
    return Version(revision.number, picture, changes, added.count("keep"), added.count("remove"))
