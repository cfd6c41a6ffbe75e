"""Connecting a store and taking it away, seen from a chat: `connect`, `reconnect`, `disconnect`, `permissions`.

A chat hands out a link and nothing else: keys are typed and consent is given on our page (bot/connect_pages.py) or the
vendor's, never in a conversation. Of a link only the hash of its code is kept.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from domain.catalog import PlatformName, Store
from domain.connect_intents import ConnectStore, DisconnectStore, ReconnectStore
from domain.connect_replies import ConnectOffered, DisconnectAsked, PermissionMissing, StoreDisconnected
from domain.connecting import LINK_LIFE, ConnectLink, Feature, FeatureName, hashed
from domain.enhancement import Placement, PlacementEvent, PlacementState
from domain.errors import BadInput, MissingScope, NeedsReconnect, NotPossible, StaleButton, StoreError
from domain.intents import Press
from domain.people import Role
from domain.ports import StorePlatform, UnitOfWork
from domain.powers import RevokesAccess
from domain.rows import AuditEntry
from domain.sentences import Sentence
from handlers.card import show_card
from handlers.desk import Asked, Desk

log = logging.getLogger("packshot.handlers")

CODE_BYTES: Final = 24
_FIRST_DAY: Final = date(2026, 1, 1)
"""A question's button carries its day, counted from here."""


async def connect(asked: Asked, intent: ConnectStore, desk: Desk) -> None:
    """Answer with a link to connect one more store. Raises BadInput for a platform or a shop that is none."""
    known = desk.connecting.platforms()
    platform = known.get(intent.platform)
    if platform is None:
        names = ", ".join(name for name, one in known.items() if name == one.value)
        raise BadInput(
            "I cannot connect “{word}”: the stores I know are {names}.", word=intent.platform[:40], names=names
        )
    given = desk.connecting.given(platform, intent.shop)
    await _offer(asked, desk, platform, given=given)


async def reconnect(asked: Asked, intent: ReconnectStore, desk: Desk) -> None:
    """Answer with a link that gives a store other keys, or allows one thing more. Raises BadInput."""
    store = (await store_named(asked, intent.store, desk)).store
    known = {feature.name.value for feature in desk.connecting.features(store.platform)}
    for name in intent.features:
        if name not in known:
            raise BadInput(
                "{store} has no right of its own for “{feature}”: `permissions` shows what it has.",
                store=store.name,
                feature=name,
            )
    await offer_more(asked, store, intent.features, desk)


async def offer_more(asked: Asked, store: Store, features: Sequence[str], desk: Desk, *, scope: str = "") -> None:
    """Answer with a link for a store that is connected already; `scope` is the right whose want led here."""
    _check_has_keys(store, desk)
    await _offer(asked, desk, store.platform, store=store, features=tuple(features), scope=scope)


async def _offer(
    asked: Asked,
    desk: Desk,
    platform: PlatformName,
    *,
    given: Mapping[str, str] | None = None,
    store: Store | None = None,
    features: tuple[str, ...] = (),
    scope: str = "",
) -> None:
    code = secrets.token_urlsafe(CODE_BYTES)
    address = desk.connecting.address(platform, code)
    link = ConnectLink(
        hashed(code),
        asked.member.team_id,
        asked.member.member_id,
        asked.incoming.place,
        platform,
        desk.clock() + LINK_LIFE,
        store_id=store.store_id if store else "",
        given=given or {},
        wanted=features,
    )
    offered = ConnectOffered(
        desk.connecting.label(platform),
        store.name if store else "",
        address.url,
        link.expires_at,
        address.is_local,
        features,
        scope,
    )
    async with desk.work(asked.incoming) as work:
        await work.connections.add_link(link)
        await work.answer(offered)


# ---------------------------------------------------------------- a right is missing


async def offer_missing(asked: Asked, error: MissingScope, desk: Desk) -> None:
    """Say which right was missing: an admin gets the link that asks for it, anybody else a question for an admin."""
    store = (await store_named(asked, error.store, desk)).store
    feature = feature_of(desk.connecting.features(store.platform), error.scope)
    if feature is not None and asked.member.role.covers(Role.ADMIN):
        await offer_more(asked, store, (feature.name.value,), desk, scope=error.scope)
        return
    async with desk.work(asked.incoming) as work:
        await work.answer(_missing(store, error.scope, feature))


async def say_missing(work: UnitOfWork, placement: Placement, error: MissingScope, desk: Desk) -> None:
    """Under a card whose picture a store did not take for want of a right: which, and a button for an admin."""
    platform = placement.target.platform
    feature = feature_of(desk.connecting.features(platform), error.scope)
    store = Store(placement.target.store_id, placement.team_id, platform, placement.target.store_name)
    await work.say_under(placement.enhancement_id, _missing(store, error.scope, feature))


async def allow(asked: Asked, press: Press, desk: Desk) -> None:
    """An admin pressed “Allow it”: answer with the link that asks for this feature. Raises BadInput, NotPossible."""
    store = await _store_of_token(asked, press, desk)
    names = list(FeatureName)
    if press.token.number >= len(names):
        raise BadInput("I do not know that button: `permissions` shows what each store lets me do.")
    await offer_more(asked, store, (names[press.token.number].value,), desk)


def _missing(store: Store, scope: str, feature: Feature | None) -> PermissionMissing:
    return PermissionMissing(store.store_id, store.name, scope, feature.name.value if feature else "")


def feature_of(features: Sequence[Feature], scope: str) -> Feature | None:
    """Return what a right is for, None where it is none of these."""
    return next((one for one in features if any(each.name == scope for each in one.scopes)), None)


# ---------------------------------------------------------------- taking a store away


async def ask_disconnect(asked: Asked, intent: DisconnectStore, desk: Desk) -> None:
    """Ask once more. Raises BadInput for a store that is not connected, NotPossible for a built-in one."""
    platform = await store_named(asked, intent.store, desk)
    store = platform.store
    _check_has_keys(store, desk)
    question = DisconnectAsked(
        store.store_id,
        store.name,
        desk.connecting.label(store.platform),
        _day(desk),
        isinstance(platform, RevokesAccess),
        desk.connecting.taken_away_at(store.platform),
    )
    async with desk.work(asked.incoming) as work:
        await work.answer(question)


async def disconnect(asked: Asked, press: Press, desk: Desk) -> None:
    """An admin said yes: end our access there, stop what is on its way, and delete the keys here.

    Our access is ended first, because afterwards there is no key to end it with. Where the platform does not do it,
    the answer says where a person does. Raises StaleButton for a question of another day.
    """
    store = await _store_of_token(asked, press, desk)
    _check_has_keys(store, desk)
    if press.token.number != _day(desk):
        raise StaleButton("That question is of another day: send `disconnect {store}` again.", store=store.name)
    shop = await desk.connecting.shop_of(store)
    is_revoked = await _revoked(store, desk)
    now = desk.clock()
    async with desk.work(asked.incoming) as work:
        moving = await work.connections.moving_at(store.store_id)
        for placement_id in moving:
            await _stop(work, await work.placements.load(placement_id))
        if not await work.connections.disconnect(store.store_id, shop=shop, now=now):
            raise NotPossible("{store} is disconnected already.", store=store.name)
        label = desk.connecting.label(store.platform)
        where = "" if is_revoked else desk.connecting.taken_away_at(store.platform)
        await work.answer(StoreDisconnected(store.name, label, asked.member.name, is_revoked, where, len(moving)))
        what = f"{store.name} ({label})" + (", access ended there" if is_revoked else "")
        await work.audit(AuditEntry(store.team_id, now, asked.member.name, "disconnected", "", store.store_id, what))
    desk.connecting.forget(store.store_id)


async def _revoked(store: Store, desk: Desk) -> bool:
    platform = await desk.stores.open(store.store_id)
    if not isinstance(platform, RevokesAccess):
        return False
    try:
        await platform.revoke()
    except NeedsReconnect:
        return True  # the key was dead before us
    except StoreError as error:
        log.warning("access was not ended at the store", extra={"store": store.store_id, "reason": str(error)})
        return False
    return True


async def _stop(work: UnitOfWork, placement: Placement) -> None:
    """End a placement that can go on no more, where a person reads it: what may be in the shop is theirs to look at."""
    store = placement.target.store_name
    was_sent = placement.state is not PlacementState.APPROVED and placement.replaced is not None
    event = PlacementEvent.LOSE_SIGHT if was_sent else PlacementEvent.FAIL
    failure = Sentence("{store} was disconnected before this was sent, so nothing was changed there.", store=store)
    if placement.state is PlacementState.RESTORING:
        event = PlacementEvent.FAIL
        failure = Sentence(
            "{store} was disconnected before the old picture was back: connect it again, then retry.", store=store
        )
    elif was_sent:
        failure = Sentence(
            "{store} was disconnected while this was on its way: look there and press what you see.", store=store
        )
    await work.placements.save(replace(placement.after(event), failure=failure), was=placement)
    await show_card(work, await work.enhancements.load(placement.enhancement_id))


# ---------------------------------------------------------------- which store is meant


async def store_named(asked: Asked, name: str, desk: Desk) -> StorePlatform:
    """Return the team's store of that name, in any case, or the only one of that platform. Raises BadInput."""
    connected = await desk.stores.of_team(asked.member.team_id)
    wanted = name.strip().casefold()
    by_name = [one for one in connected if one.store.name.casefold() == wanted]
    by_platform = [one for one in connected if one.store.platform.value == wanted]
    found = by_name or (by_platform if len(by_platform) == 1 else [])
    if not found:
        known = ", ".join(one.store.name for one in connected)
        raise BadInput("No connected store is called “{name}”: there is {known}.", name=name, known=known)
    return found[0]


async def _store_of_token(asked: Asked, press: Press, desk: Desk) -> Store:
    connected = await desk.stores.of_team(asked.member.team_id)
    found = next((one.store for one in connected if one.store.store_id == press.token.subject_id), None)
    if found is None:
        raise BadInput("That store is not connected any more: `stores` lists those that are.")
    return found


def _check_has_keys(store: Store, desk: Desk) -> None:
    if not desk.connecting.features(store.platform):
        raise NotPossible("{store} is built in: there are no keys to give or to take away.", store=store.name)


def _day(desk: Desk) -> int:
    return (desk.clock().date() - _FIRST_DAY).days
