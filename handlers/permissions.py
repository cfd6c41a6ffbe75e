"""What each store lets us do, what of that is used, and what is missing: `permissions`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.connect_intents import ShowPermissions
from domain.connect_replies import PermissionsShown, ScopeLine, StorePermissions
from domain.connecting import Feature, GivenScope
from domain.errors import MissingScope, StoreDown, StoreError
from domain.ports import StorePlatform
from handlers.connect import feature_of, store_named
from handlers.desk import Asked, Desk
from handlers.failures import sentence_for

CHECK_S: Final = 20.0
"""A store that has not said what we may do by then is shown as it was last known."""


async def show_permissions(asked: Asked, intent: ShowPermissions, desk: Desk) -> None:
    """Answer with the rights of one store, or of all that have any; each store is asked what it gives now."""
    if intent.store:
        chosen: Sequence[StorePlatform] = [await store_named(asked, intent.store, desk)]
    else:
        chosen = await desk.stores.of_team(asked.member.team_id)
    chosen = [one for one in chosen if desk.connecting.features(one.store.platform)]
    asked_now = await asyncio.gather(*(_given_now(one) for one in chosen))
    now = desk.clock()
    lines = []
    async with desk.work(asked.incoming) as work:
        for platform, (held, trouble, refused) in zip(chosen, asked_now, strict=True):
            if refused:
                known = await work.connections.scopes_of(platform.store.store_id)
                held = tuple(one.name for one in known if one.name != refused)
            if held is not None:
                await work.connections.give_scopes(platform.store, held, now=now)
            given = await work.connections.scopes_of(platform.store.store_id)
            lines.append(_shown(platform, desk, given, trouble, now))
        await work.answer(PermissionsShown(tuple(lines)))


async def _given_now(platform: StorePlatform) -> tuple[tuple[str, ...] | None, str, str]:
    """Return the rights the store gives us now, or None; why it does not say; and the right it refused us meanwhile."""
    try:
        async with asyncio.timeout(CHECK_S):
            return (await platform.check()).scopes, "", ""
    except MissingScope as error:
        # Amazon has no list of roles to ask for: the first call that needs one shows what is missing.
        return None, sentence_for(error), error.scope
    except StoreError as error:
        return None, sentence_for(error), ""
    except TimeoutError:
        return None, sentence_for(StoreDown("It said nothing.", store=platform.store.name)), ""


def _shown(
    platform: StorePlatform, desk: Desk, given: Sequence[GivenScope], trouble: str, now: datetime
) -> StorePermissions:
    features = desk.connecting.features(platform.store.platform)
    held = {one.name for one in given}
    missing = [
        ScopeLine(scope.name, feature.name.value)
        for feature in features
        for scope in feature.scopes
        if scope.name not in held and not _is_implied(scope.name, held)
    ]
    lines = [ScopeLine(one.name, _feature(features, one.name), one.used_at, one.is_unused(now)) for one in given]
    label = desk.connecting.label(platform.store.platform)
    return StorePermissions(platform.store.name, label, tuple(lines), tuple(missing), trouble)


def _feature(features: Sequence[Feature], scope: str) -> str:
    found = feature_of(features, scope)
    return found.name.value if found else ""


def _is_implied(scope: str, held: set[str]) -> bool:
    """At Shopify the right to write is the right to read as well, and the shop names only the former."""
    return scope.startswith("read_") and scope.replace("read_", "write_", 1) in held
