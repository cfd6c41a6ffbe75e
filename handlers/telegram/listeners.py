"""Telegram's way in: a webhook, or long polling where there is no public address.

Durable before acknowledged: a webhook hears 200, and a poll's offset moves on, only after the event is
a row. So the polling loop is our own: python-telegram-bot's Updater confirms an update when it is put
into a queue in memory, and a crash would lose what is in there.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from telegram import Update
from telegram.error import BadRequest, TelegramError

from domain.errors import Fault
from handlers.arrive import ChatDesk
from handlers.telegram.api import open_bot, open_requests, without_token
from handlers.telegram.line import Line, Pace
from handlers.telegram.menus import set_menus
from handlers.telegram.presses import answer_press, away, pressed_in, take_press
from handlers.telegram.reading import Me, actor_of, read_message
from handlers.words import Words, known_language

ALLOWED_UPDATES = ["message", "callback_query"]
MAX_BODY_BYTES = 1_000_000
WEBHOOK_PATH = "/telegram/webhook"
_HEADER = "x-telegram-bot-api-secret-token"
_POLLER = "telegram-poller"
_TRIES = 3

log = logging.getLogger("packshot.telegram")


class TelegramListeners:
    """Takes updates. `routes` are for the web app; `run` keeps the line to Telegram until it is cancelled."""

    def __init__(
        self,
        desk: ChatDesk,
        *,
        token: str,
        api_url: str,
        webhook_secret: str = "",
        public_url: str = "",
        pace: Pace = Pace(),  # noqa: B008 - frozen
    ) -> None:
        self._desk = desk
        self._secret = webhook_secret
        self._public_url = public_url.rstrip("/")
        self._pace = pace
        # Polls hold a connection for half a minute each, so they have connections of their own (PTB#3087).
        self._polls = open_requests(pool_size=2, read_timeout_s=pace.poll_s + 10)
        self._requests = open_requests(pool_size=32, read_timeout_s=10.0)
        self._bot = open_bot(token=token, api_url=api_url, requests=self._requests)
        self._updates_url = f"{api_url.rstrip('/')}/bot{token}/getUpdates"
        self._me: Me | None = None
        self._stumbled: Counter[int] = Counter()
        self._answers: set[asyncio.Task[None]] = set()

    @property
    def has_webhook(self) -> bool:
        """Whether Telegram can reach us; otherwise we ask it."""
        return bool(self._secret) and self._public_url.startswith("https://")

    def routes(self) -> list[BaseRoute]:
        """Return the webhook's route."""
        return [Route(WEBHOOK_PATH, self.webhook, methods=["POST"])]

    # ------------------------------------------------------------ webhook

    async def webhook(self, request: Request) -> Response:
        """Take one update. 403 without the secret, 413, 400; 503 asks Telegram to bring it again."""
        told = request.headers.get(_HEADER, "")
        if not self._secret or not hmac.compare_digest(told.encode(), self._secret.encode()):
            return _said(403, "This address is for Telegram, and the secret is missing or wrong.")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                return _said(413, "That update is larger than 1 MB.")
        try:
            raw = json.loads(body)
            update_id = raw["update_id"]
        except (ValueError, KeyError, TypeError):
            return _said(400, "That is no update: it wants JSON with an update_id.")
        if not isinstance(update_id, int):
            return _said(400, "That is no update: its update_id is no number.")
        try:
            await self.take(raw)
        except (Fault, TelegramError) as error:
            log.warning("an update was not taken and will come again: %s", without_token(str(error)))
            return _said(503, "I could not keep that now: bring it again.")
        return Response(status_code=200)

    # ------------------------------------------------------------ the line

    async def run(self) -> None:
        """Keep the line: set the webhook and the menus, or poll. Survives whatever the network does."""
        line = Line(self._pace)
        await self._polls.initialize()  # once more after an earlier run has ended
        await self._requests.initialize()
        try:
            await line.until_done(self._who, "greeting Telegram")
            await line.until_done(self._set_menus, "setting the menus")
            if self.has_webhook:
                await line.until_done(self._set_webhook, "setting the webhook")
                await asyncio.Event().wait()
            await self._poll_while_held(line)
        finally:
            for task in self._answers:
                task.cancel()
            await asyncio.gather(*self._answers, return_exceptions=True)
            await self._polls.shutdown()
            await self._requests.shutdown()

    async def _set_menus(self) -> None:
        try:
            await set_menus(self._bot)
        except BadRequest as error:  # a text that Telegram does not like; people can still type
            log.error("telegram refused a command menu: %s", without_token(error.message))

    async def _who(self) -> Me:
        if self._me is None:
            user = await self._bot.get_me()
            self._me = Me(user.id, user.username or "")
        return self._me

    async def _set_webhook(self) -> None:
        await self._bot.set_webhook(
            f"{self._public_url}{WEBHOOK_PATH}", secret_token=self._secret, allowed_updates=ALLOWED_UPDATES
        )
        log.info("telegram sends its updates to the webhook")

    async def _poll_while_held(self, line: Line) -> None:
        """Poll while the lock is ours: two pollers of one bot throw each other out (409)."""
        while True:
            async with self._desk.hold(_POLLER) as is_ours:
                if is_ours:
                    log.info("this process polls telegram")
                    await line.until_done(self._bot.delete_webhook, "deleting the webhook")
                    await self._poll(line)
            await asyncio.sleep(self._pace.hold_every_s)

    async def _poll(self, line: Line) -> None:
        offset = 0
        while True:
            found: list[dict[str, Any]] = await line.until_done(lambda: self._ask(offset), "polling")  # noqa: B023 - awaited at once
            for raw in found:
                await line.until_done(lambda: self._take_polled(raw), "taking an update")  # noqa: B023 - awaited at once
                offset = max(offset, int(raw["update_id"]) + 1)

    async def _ask(self, offset: int) -> list[dict[str, Any]]:
        query = {"timeout": int(self._pace.poll_s), "allowed_updates": json.dumps(ALLOWED_UPDATES)}
        if offset:
            query["offset"] = offset
        # Raw on purpose: Bot.get_updates reads the whole batch, and one odd update would stop them all.
        found: Any = await self._polls.post(f"{self._updates_url}?{urlencode(query)}")
        return list(found)

    async def _take_polled(self, raw: dict[str, Any]) -> None:
        """Take one; what our own code stumbles over is tried three times and then left out, for those behind it."""
        try:
            await self.take(raw)
        except (TelegramError, Fault):
            raise
        except Exception as error:
            self._stumbled[raw["update_id"]] += 1
            if self._stumbled[raw["update_id"]] < _TRIES:
                raise Fault("listener_stumbled", f"{type(error).__name__} on an update") from error
            log.exception("an update is left out, my own fault", extra={"update_id": raw["update_id"]})

    # ------------------------------------------------------------ one update

    async def take(self, raw: dict[str, Any]) -> None:
        """Take one update, as Telegram sends it. Raises Fault, TelegramError: it must come again."""
        me = await self._who()
        try:
            update = Update.de_json(raw, self._bot)
        except (TypeError, ValueError, KeyError, AttributeError):
            # It would come again for ever and stop all that stand behind it.
            log.exception("an update cannot be read and is left out", extra={"update_id": raw.get("update_id")})
            return
        if update.callback_query:
            await self._take_press(update, me)
        elif update.message:
            await self._take_message(update, me)

    async def _take_press(self, update: Update, me: Me) -> None:
        query = update.callback_query
        assert query is not None
        try:
            desk = self._desk
            if (place := pressed_in(query)) is not None and query.message is not None:
                desk = await desk.at(place, actor_of(query.from_user), message_id=str(query.message.message_id))
            answer = await take_press(query, update.update_id, me, desk)
        except Fault:
            self._soon(answer_press(self._bot, query, away(query)))
            raise
        self._soon(answer_press(self._bot, query, answer))

    async def _take_message(self, update: Update, me: Me) -> None:
        read = read_message(update, me, self._desk.team_id)
        if read is None:
            return
        incoming = read.incoming
        is_group = incoming.place.place_id.startswith("-")
        if read.is_copy:
            if read.is_addressed:
                self._soon(self._explain_copy(incoming.place.place_id, int(incoming.message_id), incoming.language))
            return
        desk = await self._desk.at(
            incoming.place, incoming.actor, message_id=incoming.reply_to, settles=is_group and read.is_addressed
        )
        if is_group and not read.is_command and await desk.member(incoming.actor) is None:
            return  # a stranger in a group hears of us only when they use a command
        await desk.take(replace(incoming, team_id=desk.team_id, is_spare=not read.is_addressed))

    async def _explain_copy(self, place_id: str, message_id: int, language: str) -> None:
        words = Words(known_language(language))
        said = words(
            "That is a copy of my preview, and only the original can be decided: send card SKU to see it here."
        )
        try:
            await self._bot.send_message(place_id, said, reply_to_message_id=message_id)
        except TelegramError as error:
            log.warning("a copy was not explained: %s", without_token(error.message))

    def _soon(self, answer: Coroutine[Any, Any, None]) -> None:
        """Answer beside the line: a slow answer to one person must not hold up the next update."""
        task = asyncio.create_task(answer)
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)


def _said(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=status)
