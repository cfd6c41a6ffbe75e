"""Who Slack says somebody is, and whether their workspace vouches for them.

A full member of our workspace becomes one of the team with their first event. Guests, bots and people of
other workspaces (Slack Connect) stay strangers, unless an admin invited them by a code.
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

FRESH_S = 600.0
"""How long a profile is believed; users.info is Tier 4, and an event must be acknowledged within 3 s."""

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


class People:
    """Profiles and memberships, remembered for a while."""

    def __init__(self, desk: ChatDesk, client: AsyncWebClient, default_role: Role) -> None:
        self._desk = desk
        self._client = client
        self._default_role = default_role
        self._identity: Identity | None = None
        self._known: dict[str, tuple[float, Person]] = {}
        self._admitted: set[str] = set()

    async def identity(self) -> Identity:
        """Return who we are; asked of Slack once. Raises what `translated` does."""
        if self._identity is None:
            async with translated():
                answer = await self._client.auth_test()
            self._identity = Identity(str(answer["team_id"]), str(answer["user_id"]), str(answer.get("bot_id") or ""))
        return self._identity

    async def admitted(self, user_id: str) -> Person:
        """Return a person, made a member first where their workspace vouches for them.

        Raises StoreDown or RateLimited when Slack cannot tell and nothing is known of them: the event is
        then not acknowledged and comes again. Raises Fault when the database is away.
        """
        person = await self.find(user_id)
        if person.is_full_member and user_id not in self._admitted:
            await self._desk.admit(person.actor, self._default_role)
            self._admitted.add(user_id)
        return person

    async def find(self, user_id: str) -> Person:
        """Return a person's profile; an old one when Slack does not answer, a member's name when there is none."""
        looked_at, person = self._known.get(user_id, (float("-inf"), None))
        if person is not None and time.monotonic() - looked_at < FRESH_S:
            return person
        try:
            async with translated():
                answer = await self._client.users_info(user=user_id, include_locale=True)
        except PackshotError as error:
            if code_of(error) in _HIDDEN:
                return Person(Actor(ChatName.SLACK, user_id, user_id))
            log.warning("slack_profile_not_read", extra={"user": user_id, "error": str(error)})
            if person is not None:
                return person
            actor = Actor(ChatName.SLACK, user_id, user_id)
            member = await self._desk.member(actor)
            if member is None:
                raise
            return Person(Actor(ChatName.SLACK, user_id, member.name))
        person = self._read(user_id, dict(answer.get("user") or {}), (await self.identity()).team_id)
        self._known[user_id] = time.monotonic(), person
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
        )
