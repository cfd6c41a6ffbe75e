"""What every listener needs: take an event, know the person, and do things after the acknowledgement.

Nothing after an acknowledgement may fail unheard: `later` logs it and tells the person.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import PackshotError
from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName, Place
from handlers.arrive import ChatDesk
from handlers.slack.api import translated
from handlers.slack.blocks import escaped
from handlers.slack.people import People, Person
from handlers.slack.pictures import Pictures
from handlers.slack.wire import SOURCE, message_event, place_of
from handlers.words import Words, known_language

log = logging.getLogger(__name__)


class Front:
    """The desk as Slack's listeners see it."""

    def __init__(
        self, desk: ChatDesk, client: AsyncWebClient, people: People, pictures: Pictures, *, account: str = ""
    ) -> None:
        """`account` is the workspace's id where there may be several; its files are fetched with its own token."""
        self.desk = desk
        self._account = account
        self.client = client
        self.people = people
        self.pictures = pictures
        self._direct: dict[str, str] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def take(
        self,
        event_id: str,
        person: Person,
        place: Place,
        *,
        text: str = "",
        token: str = "",
        options: Mapping[str, str] | None = None,
        attachments: tuple[Attachment, ...] = (),
        message_id: str = "",
        reply_to: str = "",
    ) -> bool:
        """Make an event durable; False when it was known. `event_id` is Slack's, and stable over its retries."""
        incoming = self.incoming(
            event_id,
            person,
            place,
            text=text,
            token=token,
            options=options,
            attachments=attachments,
            message_id=message_id,
            reply_to=reply_to,
        )
        return await self.desk.take(incoming)

    def incoming(
        self,
        event_id: str,
        person: Person,
        place: Place,
        *,
        text: str = "",
        token: str = "",
        options: Mapping[str, str] | None = None,
        attachments: tuple[Attachment, ...] = (),
        message_id: str = "",
        reply_to: str = "",
    ) -> Incoming:
        """Return the event in our words; what it answers is the thread's first message."""
        return Incoming(
            event_key=f"{SOURCE}:{event_id}",
            team_id=self.desk.team_id,
            actor=person.actor,
            place=place,
            text=text,
            token=token,
            options=dict(options or {}),
            attachments=tuple(replace(each, account=self._account) for each in attachments),
            message_id=message_id,
            reply_to=reply_to or place.thread_id,
            language=person.language,
            timezone=person.timezone,
        )

    async def place_under(self, user_id: str, channel: str, thread_ts: str) -> Place | None:
        """Return where talk in a channel's thread belongs; None when the thread has nothing to do with us.

        It hangs under one of our cards or under what a card was asked for with. Or under the message that made
        us ask this person a question: that was asked in the channel itself, so its answer belongs there.
        """
        top = place_of(channel)
        async with self.desk.desk.work.reading() as rows:
            member = await rows.people.find_member(self.desk.team_id, Actor(ChatName.SLACK, user_id, user_id))
            if member is not None:
                question = await rows.questions.latest_open(top, member.member_id)
                if question is not None and question.event_key == f"{SOURCE}:{message_event(channel, thread_ts)}":
                    return top
            if await rows.places.card_under(self.desk.team_id, top, thread_ts) is not None:
                return place_of(channel, thread_ts)
        return None

    async def direct_place(self, user_id: str) -> Place:
        """Return somebody's direct messages with us, for what is asked outside of any conversation."""
        if user_id not in self._direct:
            async with translated():
                opened = await self.client.conversations_open(users=user_id)
            self._direct[user_id] = str(opened["channel"]["id"])
        return place_of(self._direct[user_id])

    def words(self, person: Person) -> Words:
        """Return the texts in a person's own language, for what only they see."""
        return Words(known_language(person.language), person.timezone or "UTC")

    def later(self, work: Coroutine[Any, Any, None], person: Person, what: str) -> None:
        """Do something after the acknowledgement; its failure reaches the log and the person."""
        task = asyncio.create_task(self._watched(work, person, what))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait for what runs after acknowledgements: before the process ends, nothing is cut off."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def tell(self, person: Person, sentence: str) -> None:
        """Write to somebody directly. Raises what `translated` does."""
        place = await self.direct_place(person.actor.actor_id)
        async with translated():
            await self.client.chat_postMessage(channel=place.place_id, text=escaped(sentence))

    async def _watched(self, work: Coroutine[Any, Any, None], person: Person, what: str) -> None:
        try:
            await work
        except Exception:
            log.exception("slack_late_failure", extra={"what": what})
            words = self.words(person)
            try:
                await self.tell(person, words("That did not work, and it is my fault: try again in a minute."))
            except PackshotError as error:
                log.warning("slack_person_not_told", extra={"error": str(error)})
