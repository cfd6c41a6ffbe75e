"""Who Slack says somebody is, and whether their workspace vouches for them.

A full member of our workspace becomes one of the team with their first event. Guests, bots and people of
other workspaces (Slack Connect) stay strangers, unless an admin invited them by a code.

What Slack gave, Slack takes: who becomes a guest, or whose account is closed, is a stranger with their next
press. Slack tells of it (`user_change`), and since an event may be lost, a profile is believed for a minute
only. While Slack cannot tell, it is believed a little longer, and then nothing is taken from that person.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import PackshotError
from domain.people import Actor, ChatName, Role
from handlers.arrive import ChatDesk
from handlers.slack.api import code_of, translated

log = logging.getLogger(__name__)

FRESH_S = 60.0
"""How long a profile is believed; users.info is Tier 4, a hundred calls a minute."""
BELIEVED_S = 600.0
"""How long an older one is believed while Slack does not answer."""

_HIDDEN = {"user_not_found", "user_not_visible"}
"""Somebody of another workspace whom we may not look up: a stranger, and no reason to wait."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which workspace the bot token belongs to, and who we are in it."""

    team_id: str
    user_id: str
    bot_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as Slack knows them. `language` is a BCP 47 tag, `timezone` an IANA name; both may be empty."""

    actor: Actor
    language: str = ""
    timezone: str = ""
    is_full_member: bool = False
    is_gone: bool = False
    """Their account was closed: not even an invitation counts any more."""


class People:
    """Profiles and memberships, remembered for a while."""

    def __init__(self, desk: ChatDesk, client: AsyncWebClient, default_role: Role) -> None:
        self._desk = desk
        self._client = client
        self._default_role = default_role
        self._identity: Identity | None = None
        self._known: dict[str, tuple[float, Person]] = {}

    async def identity(self) -> Identity:
        """Return who we are; asked of Slack once. Raises what `translated` does."""
        if self._identity is None:
            async with translated():
                answer = await self._client.auth_test()
            self._identity = Identity(str(answer["team_id"]), str(answer["user_id"]), str(answer.get("bot_id") or ""))
        return self._identity

    async def admitted(self, user_id: str) -> Person:
        """Return a person, made a member first where their workspace vouches for them, and a stranger where not.

        Raises StoreDown or RateLimited when Slack cannot tell and their rights hang on its word: the event is
        then not acknowledged and comes again. Raises Fault when the database is away.
        """
        looked_at, person = self._known.get(user_id, (float("-inf"), None))
        age_s = time.monotonic() - looked_at
        if person is not None and age_s < FRESH_S:
            return person
        try:
            async with translated():
                answer = await self._client.users_info(user=user_id, include_locale=True)
        except PackshotError as error:
            if code_of(error) in _HIDDEN:
                return await self._settled(Person(Actor(ChatName.SLACK, user_id, user_id)))
            log.warning("slack_profile_not_read", extra={"user": user_id, "error": str(error)})
            if person is not None and age_s < BELIEVED_S:
                return person
            actor = Actor(ChatName.SLACK, user_id, user_id)
            member = await self._desk.member(actor)
            if member is None or await self._desk.is_vouched_for(actor):
                raise
            return Person(Actor(ChatName.SLACK, user_id, member.name))
        person = self._read(user_id, dict(answer.get("user") or {}), (await self.identity()).team_id)
        await self._settled(person)
        self._known[user_id] = time.monotonic(), person
        return person

    async def heard_of(self, user: dict[str, Any]) -> None:
        """Believe a `user_change` at once: rights go now, and come back with the person's next event."""
        user_id = str(user["id"])
        self._known.pop(user_id, None)
        person = self._read(user_id, user, (await self.identity()).team_id)
        if not person.is_full_member:
            await self._settled(person)

    async def _settled(self, person: Person) -> Person:
        """Bring our own people in line with what Slack says of one."""
        if person.is_full_member:
            await self._desk.admit(person.actor, self._default_role)
        else:
            await self._desk.suspend(person.actor, even_invited=person.is_gone)
        return person

    def _read(self, user_id: str, user: dict[str, Any], our_team: str) -> Person:
        profile = user.get("profile") or {}
        name = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
        outside = ("is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "deleted", "is_workflow_bot")
        return Person(
            Actor(ChatName.SLACK, user_id, str(name or user_id)[:80]),
            language=str(user.get("locale") or ""),
            timezone=str(user.get("tz") or ""),
            is_full_member=user.get("team_id") == our_team and not any(user.get(each) for each in outside),
            is_gone=bool(user.get("deleted")),
        )
