"""What a one-time link leads to, step by step: look at it, choose, ask the vendor, take the answer, keep the keys.

A link is good for its member and the first browser that goes on with it, until it has ended; an answer of a vendor for
the question it was given to, once. Whatever does not fit is refused with one sentence, and keeps nothing.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.keeping import keep, store_for
from bot.stores import ConnectedStores
from bot.visits import LEFT_OUT, Visit, choice_of, chosen_scopes, connected, features_of
from domain.catalog import Store, StoreId
from domain.connect_replies import StoreConnected
from domain.connecting import LINK_LIFE, ConnectLink, hashed
from domain.errors import NotPossible, StoreError, UserError
from domain.people import Member, Role
from domain.ports import Clock, Work
from domain.rows import AuditEntry
from handlers.connect_page_words import (
    CANNOT_ASK,
    LINK_ELSEWHERE,
    LINK_NO_ADMIN,
    LINK_OF_ANOTHER,
    LINK_OLD,
    LINK_UNKNOWN,
    LINK_USED,
    MISSING,
    SAID_NO,
    STORE_GONE,
)
from handlers.failures import sentence_for
from platforms.descriptor import Asked, Descriptor, Given
from platforms.registry import PLATFORMS

CONNECTED: Final = "connected"
"""How a link has ended that led to a store; its id stands behind a colon."""


class LinkRefused(UserError):
    """A link or an answer that does not count. `reason` is for the log."""

    def __init__(self, reason: str, template: str, /, *, status: int = 403) -> None:
        super().__init__(template)
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class Step:
    """What comes after a form: `page` is the vendor's; `is_pasted` whether its answer is pasted; else it is `done`."""

    page: str = ""
    is_pasted: bool = False
    done: StoreConnected | None = None


@dataclass(frozen=True, slots=True)
class Consents:
    """The flow. `is_public`: vendors' pages can send a browser back to us at `base_url`."""

    stores: ConnectedStores
    work: Work
    clock: Clock
    base_url: str
    is_public: bool

    async def look(self, platform: str, code: str, *, browser: str, signed_in: Member | None) -> Visit:
        """Return what a link's page shows. Raises LinkRefused."""
        link = await self._link(hashed(code))
        if link.platform.value != platform:
            raise _unknown("of another platform")
        return await self._visit(link, browser=browser, signed_in=signed_in)

    async def choose(
        self, visit: Visit, *, browser: str, features: Sequence[str], typed: Mapping[str, str], way: str = ""
    ) -> Step:
        """Go on with what was chosen and typed. Raises LinkRefused, BadInput, NotPossible, StoreError."""
        descriptor = visit.descriptor
        async with self.work() as work:
            if not await work.connections.begin(visit.link.link_hash, browser_hash=hashed(browser), now=self.clock()):
                raise _elsewhere()
        asked_for = {one.name for one in (*visit.fields, *visit.typed_instead)}
        new = {name: value.strip() for name, value in typed.items() if name in asked_for and value.strip()}
        own = {**visit.own, **descriptor.clean({**visit.link.given, **new})}
        scopes = chosen_scopes(visit, features)
        if any(setting.name == LEFT_OUT for setting in descriptor.settings):
            every = [scope.name for feature in descriptor.features for scope in feature.scopes]
            own[LEFT_OUT] = ",".join(name for name in every if name not in scopes)
        way = "typed" if way == "typed" and visit.typed_instead else visit.way
        if way in {"vendor", "paste"} and descriptor.consent is not None:
            return await self._ask(visit, own, scopes, browser=browser, is_pasted=way == "paste")
        complete = descriptor.complete(own, self.stores.deployment)
        descriptor.require(complete)
        return Step(done=await self._keep(visit.link, visit.member, descriptor, own, Given({})))

    async def paste(self, visit: Visit, *, browser: str, landed: str) -> StoreConnected:
        """Take the address that the seller pasted. Raises as `answer` does; a wrong paste may be mended."""
        sealed = visit.link.sealed
        if sealed is None or visit.link.browser_hash != hashed(browser):
            raise _elsewhere()
        return await self._take(visit.link, visit.member, landed, is_final=False)

    async def answer(
        self, platform: str, state: str, landed: str, *, browser: str, signed_in: Member | None
    ) -> StoreConnected:
        """Take a vendor's answer, once. Raises LinkRefused, BadInput, StoreError; the link has ended then."""
        async with self.work.reading() as rows:
            link = await rows.connections.find_asked(hashed(state)) if state else None
        if link is None or link.platform.value != platform:
            raise _unknown("of no question")
        if not hmac.compare_digest(link.browser_hash, hashed(browser)):
            raise _elsewhere()
        visit = await self._visit(link, browser=browser, signed_in=signed_in)
        async with self.work() as work:
            if not await work.connections.take_answer(hashed(state), now=self.clock()):
                raise _unknown("answered before, or too late")
        return await self._take(link, visit.member, landed, is_final=True)

    async def hash_of_state(self, state: str) -> str:
        """Return which link a state belongs to. Raises LinkRefused for none."""
        async with self.work.reading() as rows:
            link = await rows.connections.find_asked(hashed(state)) if state else None
        if link is None:
            raise _unknown("of no question")
        return link.link_hash

    async def outcome(self, link_hash: str, *, browser: str) -> tuple[ConnectLink, Store, tuple[str, ...]]:
        """Return a link that has led to a store, that store and its features. Raises LinkRefused for any other."""
        link = await self._link(link_hash)
        outcome, _, store_id = link.ended.partition(":")
        if outcome != CONNECTED or not hmac.compare_digest(link.browser_hash, hashed(browser)):
            raise _elsewhere()
        store = await self.stores.rows.get(StoreId(store_id))
        if store is None:
            raise LinkRefused("gone", STORE_GONE, status=410)
        async with self.work.reading() as rows:
            held = {one.name for one in await rows.connections.scopes_of(store.store_id)}
        return link, store, features_of(PLATFORMS[link.platform], held)

    def page_of(self, link: ConnectLink) -> str:
        """Return the vendor's page that was asked. Raises LinkRefused where none was."""
        if link.sealed is None:
            raise _unknown("nothing asked")
        page: str = json.loads(self.stores.vault.decrypt(link.sealed))["page"]
        return page

    # ------------------------------------------------------------ who may

    async def _link(self, link_hash: str) -> ConnectLink:
        async with self.work.reading() as rows:
            link = await rows.connections.find_link(link_hash)
        if link is None:
            raise _unknown("never made, or replaced")
        return link

    async def _visit(self, link: ConnectLink, *, browser: str, signed_in: Member | None) -> Visit:
        if link.ended:
            raise LinkRefused("used", LINK_USED, status=410)
        if link.expires_at <= self.clock():
            raise LinkRefused("expired", LINK_OLD, status=410)
        if link.browser_hash and link.browser_hash != hashed(browser):
            raise _elsewhere()
        async with self.work.reading() as rows:
            members = {one.member_id: one for one in await rows.people.members(link.team_id)}
            team = await rows.people.team(link.team_id)
            given = (
                {one.name for one in await rows.connections.scopes_of(StoreId(link.store_id))}
                if link.store_id
                else set()
            )
        member = members.get(link.member_id)
        if member is None or not member.role.covers(Role.ADMIN):
            raise LinkRefused("no admin", LINK_NO_ADMIN)
        if signed_in is not None and signed_in.member_id != member.member_id:
            raise LinkRefused("another member", LINK_OF_ANOTHER)
        return await self._shown(link, member, team.name, given)

    async def _shown(self, link: ConnectLink, member: Member, team_name: str, given: set[str]) -> Visit:
        descriptor = PLATFORMS[link.platform]
        store = await self.stores.rows.get(StoreId(link.store_id)) if link.store_id else None
        if link.store_id and store is None:
            raise LinkRefused("gone", STORE_GONE, status=410)
        own = await self.stores.own_settings(store) if store else dict(link.given)
        choices = tuple(choice_of(feature, link, given) for feature in descriptor.features)
        way = self._way(link, descriptor, own)
        complete = descriptor.complete(own, self.stores.deployment)
        consent = descriptor.consent
        by_vendor = set(consent.gives) if consent is not None and way in {"vendor", "paste"} else set()
        lacking = [one for one in descriptor.settings if one.is_needed and not complete[one.name]]
        if store is not None and way == "typed":
            # New keys for a store that has some: ask for its own secrets again, empty ones stay as they are.
            lacking = [
                one for one in descriptor.settings if one.is_asked and one.is_secret and own.get(one.name)
            ] or lacking
        fields = tuple(one for one in lacking if one.name not in by_vendor)
        instead = tuple(one for one in descriptor.settings if one.name in by_vendor and one.is_asked)
        return Visit(
            link, member, team_name, descriptor, store, own, choices, way, fields, instead if way == "vendor" else ()
        )

    def _way(self, link: ConnectLink, descriptor: Descriptor, own: Mapping[str, str]) -> str:
        """Return how consent is given; a setting still to be typed counts as given."""
        consent = descriptor.consent
        has_left_out = any(one.name == LEFT_OUT for one in descriptor.settings)
        if link.store_id and has_left_out and _is_withheld(descriptor, link.wanted, own):
            return "here"  # the vendor gave it all at once: only we held back
        if consent is None:
            return "typed"
        settings = dict(self._completed(descriptor, own))
        for setting in descriptor.settings:
            if setting.is_asked and not settings[setting.name] and setting.name not in consent.gives:
                settings[setting.name] = "https://typed.example"
        if self.is_public and consent.is_open(settings):
            return "vendor"
        if consent.can_paste and consent.is_open({**settings, "redirect_url": self._pasted_at(descriptor, own)}):
            return "paste"
        return "typed"

    # ------------------------------------------------------------ asking the vendor

    def _completed(self, descriptor: Descriptor, own: Mapping[str, str]) -> Mapping[str, str]:
        complete = descriptor.complete(own, self.stores.deployment)
        return {**complete, "redirect_url": f"{self.base_url}/connect/{descriptor.platform.value}/callback"}

    def _pasted_at(self, descriptor: Descriptor, own: Mapping[str, str]) -> str:
        """Where the vendor sends a browser that cannot come to us: an address the seller registered for the app."""
        return descriptor.complete(own, self.stores.deployment).get("redirect_url", "")

    async def _ask(
        self, visit: Visit, own: Mapping[str, str], scopes: Sequence[str], *, browser: str, is_pasted: bool
    ) -> Step:
        descriptor, consent = visit.descriptor, visit.descriptor.consent
        assert consent is not None, "only a platform with a page of consent has this way"
        complete = descriptor.complete(own, self.stores.deployment)
        missing = [
            one
            for one in descriptor.settings
            if one.is_needed and not complete[one.name] and one.name not in consent.gives
        ]
        if missing:
            raise NotPossible(MISSING, names=", ".join(one.label for one in missing))
        settings = {**self._completed(descriptor, own), "rights": " ".join(scopes)}
        if is_pasted:
            settings["redirect_url"] = self._pasted_at(descriptor, own)
        if not consent.is_open(settings):
            raise NotPossible(CANNOT_ASK, platform=descriptor.label)
        asked = consent.ask(settings)
        kept = {"page": asked.page, "state": asked.state, "kept": asked.kept, "own": dict(own), "settings": settings}
        async with self.work() as work:
            await work.connections.ask(
                visit.link.link_hash,
                browser_hash=hashed(browser),
                state_hash=hashed(asked.state),
                sealed=self.stores.vault.encrypt(json.dumps(kept)),
                expires_at=self.clock() + LINK_LIFE,
            )
        return Step(page=asked.page, is_pasted=is_pasted)

    async def _take(self, link: ConnectLink, member: Member, landed: str, *, is_final: bool) -> StoreConnected:
        """Redeem a vendor's answer. `is_final`: whatever is wrong with it ends the link."""
        assert link.sealed is not None, "a link with a state has what was asked"
        kept = json.loads(self.stores.vault.decrypt(link.sealed))
        descriptor = PLATFORMS[link.platform]
        consent = descriptor.consent
        assert consent is not None, "only a platform with a page of consent was asked"
        asked = Asked(kept["page"], kept["state"], kept["kept"])
        try:
            given = await consent.take(kept["settings"], asked, landed, self.stores.supplies.transports)
            return await self._keep(link, member, descriptor, {**kept["own"], **given.settings}, given)
        except (UserError, StoreError) as error:
            if is_final:
                async with self.work() as work:
                    await work.connections.end_link(link.link_hash, "refused")
            if isinstance(error, StoreError):
                raise NotPossible(
                    SAID_NO,
                    platform=descriptor.label,
                    why=sentence_for(error),
                ) from error
            raise

    # ------------------------------------------------------------ keeping

    async def _keep(
        self, link: ConnectLink, member: Member, descriptor: Descriptor, own: Mapping[str, str], given: Given
    ) -> StoreConnected:
        """Keep the keys where they work, and tell the chat where it began; all of that once."""
        if link.store_id:
            store, is_new = await self.stores.rows.get(StoreId(link.store_id)), False
            if store is None:
                raise LinkRefused("gone", STORE_GONE, status=410)
        else:
            store, is_new = await store_for(self.stores, link.team_id, descriptor, own)
        is_used_up = given.tokens is not None or "refresh_token" in given.settings
        kept = await keep(self.stores, store, own, is_new=is_new, tokens=given.tokens, even_silent=is_used_up)
        scopes = kept.health.scopes if kept.health else ()
        now = self.clock()
        async with self.work() as work:
            if not await work.connections.end_link(link.link_hash, f"{CONNECTED}:{store.store_id}"):
                raise LinkRefused("used meanwhile", LINK_USED, status=410)
            new = await work.connections.give_scopes(store, scopes, now=now) if kept.health else ()
            said = connected(kept, descriptor, by=member.name)
            await work.say_in(link.place, said, team_id=link.team_id)
            action = "connected" if is_new else "reconnected"
            what = f"{store.name} ({descriptor.label})"
            entry = AuditEntry(link.team_id, now, member.name, action, "", store.store_id, what)
            await work.audit(replace(entry, place=link.place))
            if new and not is_new:
                granted = replace(entry, action="granted", what=f"{store.name}: {', '.join(new)}")
                await work.audit(replace(granted, place=link.place))
        # What was asked so far was asked before anybody knew which rights there are.
        self.stores.supplies.transports.forget(store.store_id)
        return said


def _is_withheld(descriptor: Descriptor, wanted: Sequence[str], own: Mapping[str, str]) -> bool:
    """Whether a wish is for what the vendor has given, and only we do not use."""
    withheld = set(own.get(LEFT_OUT, "").split(","))
    wishes = [feature for feature in descriptor.features if feature.name.value in wanted]
    return bool(wishes) and all({scope.name for scope in feature.scopes} <= withheld for feature in wishes)


def new_browser() -> str:
    """Return a name for a browser that has none yet."""
    return secrets.token_urlsafe(24)


def _unknown(reason: str) -> LinkRefused:
    return LinkRefused(reason, LINK_UNKNOWN, status=404)


def _elsewhere() -> LinkRefused:
    return LinkRefused("another browser", LINK_ELSEWHERE)
