"""`packshot store add`, `packshot stores`: connect a store, test its key, show what it may do.

No branch for any platform here: what a store needs to be opened is its descriptor's word.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from getpass import getpass

from bot.app import App, migrate_all, open_app
from bot.clock import utc_now
from bot.keeping import keep, shop_in, store_called
from bot.settings import Settings
from bot.stores import ConnectedStores
from domain.catalog import Store
from domain.connection import StoreHealth
from domain.errors import BadInput, NotPossible, StoreDown, StoreError
from domain.people import Team
from domain.rows import AuditEntry
from handlers.failures import sentence_for
from platforms.descriptor import Descriptor, Setting
from platforms.registry import PLATFORMS

CHECK_S = 20.0
"""A store that has not said who we are by then is not waited for."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A store and what it says, or why it says nothing."""

    store: Store
    health: StoreHealth | None
    trouble: str
    last_ok_at: datetime | None


async def add_store(settings: Settings, platform: str, *, name: str, given: Sequence[str], team: str = "") -> int:
    """Connect a store, or connect it again under the same name; keeps it only where its key works.

    `given` are NAME=VALUE; what is missing is asked for where somebody sits at the keyboard. Raises BadInput,
    NotPossible.
    """
    descriptor = descriptor_of(platform)
    typed = _pairs(descriptor, given)
    await migrate_all(settings)
    async with open_app(settings, base_url=settings.public_url or f"http://127.0.0.1:{settings.port}") as app:
        typed |= _asked(descriptor, descriptor.complete(typed, app.stores.deployment))
        own = dict(descriptor.clean(typed))
        own |= await _consented(app, descriptor, descriptor.complete(own, app.stores.deployment))
        complete = descriptor.complete(own, app.stores.deployment)
        descriptor.require(complete)
        store, is_new = await _named(app, await app.team_named(team), descriptor, name, own)
        try:
            kept = await keep(app.stores, store, own, is_new=is_new)
        except StoreError as error:
            rest = "nothing was kept" if is_new else "what was there is kept"
            raise NotPossible(
                f"{descriptor.label} says no ({error}), so {rest}: check each value, then try again."
            ) from error
        if kept.health is None:
            raise NotPossible(
                f"{store.name} is kept, but could not be asked yet: {kept.trouble} `packshot stores` asks again."
            )
        async with app.desk.work() as work:
            await work.connections.give_scopes(store, kept.health.scopes, now=utc_now())
            what = f"{store.name} ({descriptor.label})"
            action = "connected" if is_new else "reconnected"
            await work.audit(AuditEntry(store.team_id, utc_now(), app.owner.name, action, "", store.store_id, what))
        print(f"{store.name} is connected{'' if is_new else ' again'}.")
        _show(Connected(store, kept.health, "", None), settings.public_url)
    return 0


async def list_stores(settings: Settings, team_name: str = "") -> int:
    """Print every store with its health; returns 1 when one of them needs a person."""
    await migrate_all(settings)
    async with open_app(settings, base_url=settings.public_url or f"http://127.0.0.1:{settings.port}") as app:
        team = await app.team_named(team_name)
        found = await ask_stores(app.stores, await app.stores.rows.list(team.team_id))
    for one in found:
        print(f"{'!' if one.trouble else '✓'} {one.store.name} ({PLATFORMS[one.store.platform].label})")
        _show(one, settings.public_url)
    return 1 if any(one.trouble for one in found) else 0


async def ask_stores(stores: ConnectedStores, connected: Sequence[Store]) -> list[Connected]:
    """Ask each of these stores who we are there."""
    found = []
    for store in connected:
        contact = await stores.contact(store)
        try:
            async with asyncio.timeout(CHECK_S):
                health = await (await stores.open(store.store_id)).check()
        except StoreError as error:
            found.append(Connected(store, None, sentence_for(error), contact.last_ok_at))
        except TimeoutError:
            down = StoreDown(f"{store.name} said nothing.", store=store.name)
            found.append(Connected(store, None, sentence_for(down), contact.last_ok_at))
        else:
            found.append(Connected(store, health, "", contact.last_ok_at))
    return found


def health_lines(health: StoreHealth) -> list[str]:
    """Return what a store says of itself, then what to do, a line each."""
    lines = [f"account: {health.account}, {health.listing_count} listings"]
    if health.scopes:
        lines.append(f"may: {', '.join(health.scopes)}")
    if health.key_expires_at:
        lines.append(f"key good until {health.key_expires_at:%Y-%m-%d}")
    return lines + what_to_do(health)


def what_to_do(health: StoreHealth) -> list[str]:
    """Return what a person should mend, a sentence each."""
    lacking = [
        f"The right {scope.name} is missing ({scope.reason}): grant it, then connect again." for scope in health.missing
    ]
    return [*lacking, *health.notes]


def descriptor_of(platform: str) -> Descriptor:
    """Return the platform a word means. Raises BadInput naming those that can be connected."""
    known = {one.platform.value: one for one in PLATFORMS.values() if one.settings}
    if platform.lower() not in known:
        names = ", ".join(known) or "none yet"
        raise BadInput(f"I cannot connect {platform}: the stores I know are {names}.")
    return known[platform.lower()]


def _show(one: Connected, public_url: str) -> None:
    for line in [one.trouble] if one.health is None else health_lines(one.health):
        print(f"    {line}")
    if one.health is None and one.last_ok_at:
        print(f"    last answer: {one.last_ok_at:%Y-%m-%d %H:%M} UTC")
    if public_url and PLATFORMS[one.store.platform].hear:
        print(f"    webhooks may go to: {public_url}/webhooks/{one.store.platform.value}/{one.store.store_id}")


async def _named(app: App, team: Team, descriptor: Descriptor, name: str, own: Mapping[str, str]) -> tuple[Store, bool]:
    """Return the store a name means; one that was disconnected under it is revived, where it is the same shop."""
    wanted = name or descriptor.label
    gone = await app.stores.rows.find_disconnected(team.team_id, wanted, shop_in(descriptor, own))
    if gone is not None and gone.platform is descriptor.platform:
        return gone, False
    return await store_called(app.stores, team.team_id, descriptor, wanted)


def _pairs(descriptor: Descriptor, given: Sequence[str]) -> dict[str, str]:
    known = {one.name for one in descriptor.settings}
    pairs = {}
    for item in given:
        name, middle, value = item.partition("=")
        if not middle or name not in known:
            names = ", ".join(sorted(known))
            raise BadInput(f"--set takes NAME=VALUE, and {descriptor.label} knows {names}.")
        pairs[name] = value.strip()
    return pairs


def _asked(descriptor: Descriptor, complete: Mapping[str, str]) -> dict[str, str]:
    """Ask for what is needed and missing; nothing where nobody sits at the keyboard."""
    if not sys.stdin.isatty():
        return {}
    wanted = [one for one in descriptor.settings if one.is_asked and one.is_needed and not complete[one.name]]
    return {one.name: _answer(one) for one in wanted}


async def _consented(app: App, descriptor: Descriptor, complete: Mapping[str, str]) -> dict[str, str]:
    """Send the seller to the vendor's page and take what comes of it; nothing where nobody sits at the keyboard."""
    consent = descriptor.consent
    if (
        consent is None
        or not consent.can_paste
        or not sys.stdin.isatty()
        or all(complete[one] for one in consent.gives)
    ):
        return {}
    if any(one.is_needed and not complete[one.name] and one.name not in consent.gives for one in descriptor.settings):
        return {}
    asked = consent.ask(complete)
    print(
        f"Open this page and say yes. Then paste the address your browser shows, even if nothing is to be seen there:\n"
        f"{asked.page}\nAddress: ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    landed = sys.stdin.readline()
    try:
        # Its first tokens would be the second thing to keep; the refresh token gives others.
        return dict((await consent.take(complete, asked, landed, app.stores.supplies.transports)).settings)
    except StoreError as error:
        raise NotPossible(f"{descriptor.label} says no ({error}), so nothing was kept: start again.") from error


def _answer(setting: Setting) -> str:
    """Read one line from the keyboard; a secret is not shown."""
    if setting.is_secret:
        return getpass(f"{setting.label}: ").strip()
    print(f"{setting.label}: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
