"""Every message to a chat is a row first; this loop brings the rows to the chats.

One holder at a time (a lock in `bot/slots.py`), so that a place hears things in order: a place's next
message is begun when the one before it is settled. Places, and chats even more, do not wait for each
other. What a chat may not take yet (`bot/pacing.py`) is held here in memory; what it refused for now
is written down with the time of the next try.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from bot.courtesy import Courtesy
from bot.pacing import Pacer
from domain.chat_ports import Chat, Limit
from domain.errors import Fault, NeedsReconnect, PackshotError, RateLimited, StoreDown, Undeliverable
from domain.people import ChatName
from domain.ports import Clock
from handlers import undelivered
from storage.bell import Bell
from storage.outbox import OutboxRows
from storage.waiting import QueuedMessage

log = logging.getLogger("packshot.outbox")

T = TypeVar("T")

POLL_S = 0.2
"""How long another process's message may lie unseen; our own ring the bell."""
LOOK_PAUSE_S = 0.03
AT_ONCE = 25
"""Deliveries of one chat under way: a chat that hangs must not take every connection."""
MOST_HELD = 1000
"""Held messages of one chat that are passed over to look for another that may go."""
RETRY_AFTER_S, LONGEST_RETRY_S = 5.0, 300.0
SHARED_PAUSE_S = 5.0
SILENT_AFTER = timedelta(minutes=2)
"""Shorter silences mend themselves before anybody has read about them."""
HOPELESS_AFTER = 12
"""So many failures of one message, while its chat took others in between, are the message's own (half an hour)."""
LONGEST_DELIVERY_S = 180.0
DATABASE_PAUSE_S = 0.2
GRACE_S = 5.0
PASSING_FAULTS = ("database_", "media_down")
"""Ours, and over in a while: a message is not lost to a locked database."""


@dataclass(slots=True)
class _Line:
    """What is going on with one chat; by outbox id."""

    under_way: set[int] = field(default_factory=set)
    held_until: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Stumble:
    """A message that its chat does not answer, and how often that was so although others arrived meanwhile."""

    outbox_id: int
    tried_at: datetime
    times: int = 0


@dataclass(slots=True)
class Outbox:
    """Delivers what is due, place by place. `monotonic` paces, `clock` is written into rows."""

    rows: OutboxRows
    chats: Mapping[ChatName, Chat]
    clock: Clock
    bell: Bell
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random
    courtesy: Courtesy = field(default_factory=Courtesy)
    _pacer: Pacer = field(default_factory=Pacer)
    _lines: dict[ChatName, _Line] = field(default_factory=lambda: {chat: _Line() for chat in ChatName})
    _deliveries: set[asyncio.Task[None]] = field(default_factory=set)
    _heard_at: dict[tuple[str, ChatName], datetime] = field(default_factory=dict)
    """When a team's chat last took a message."""
    _stumbles: dict[str, _Stumble] = field(default_factory=dict)
    """By place: only its first message is tried."""

    async def run(self) -> None:
        """Deliver for ever; cancel to stop. What is under way then may still end, so that it is marked."""
        try:
            while True:
                seen = self.bell.rung
                try:
                    begun = await self._begin_due()
                except Fault as error:  # the database is away: its own message, not ours to lose
                    log.warning("outbox waits", extra={"code": error.code})
                    await asyncio.sleep(1.0)
                    continue
                for delivery in [delivery for delivery in self._deliveries if delivery.done()]:
                    self._deliveries.remove(delivery)
                    delivery.result()
                # A look reads what everybody wrote since the last one: many rings, one look.
                await asyncio.sleep(max(LOOK_PAUSE_S, 2 * self.courtesy.pause_s()))
                if not begun:
                    await self.bell.wait(after=seen, timeout_s=self._look_again_in_s())
        finally:
            await self._end(grace_s=GRACE_S)

    async def deliver_due(self) -> int:
        """Deliver the first waiting message of every place; return how many were tried."""
        begun = await self._begin_due()
        try:
            await asyncio.gather(*self._deliveries)
        finally:
            await self._end(grace_s=0)
        return begun

    async def _end(self, *, grace_s: float) -> None:
        deliveries, self._deliveries = self._deliveries, set()
        if deliveries and grace_s:
            # A chat's answer that nobody writes down would be a message sent twice.
            await asyncio.wait(deliveries, timeout=grace_s)
        for delivery in deliveries:
            delivery.cancel()
        await asyncio.gather(*deliveries, return_exceptions=True)

    def next_free_at(self) -> float | None:
        """Return when (by `monotonic`) the first message that is held back may go; None when none is."""
        return min((at for line in self._lines.values() for at in line.held_until.values()), default=None)

    def _look_again_in_s(self) -> float:
        free_at = self.next_free_at()
        return POLL_S if free_at is None else min(POLL_S, max(0.0, free_at - self.monotonic()))

    # ------------------------------------------------------------ what may go now

    async def _begin_due(self) -> int:
        now = self.monotonic()
        for line in self._lines.values():
            line.held_until = {outbox_id: at for outbox_id, at in line.held_until.items() if at > now}
        begun = 0
        for chat_name in await self.rows.waiting_chats(self.clock()):
            line = self._lines[chat_name]
            room = AT_ONCE - len(line.under_way)
            if room <= 0 or len(line.held_until) >= MOST_HELD:
                continue
            skip = [*line.under_way, *line.held_until]
            for message in await self.rows.due(self.clock(), room, chat=chat_name, skip=skip):
                begun += self._begin(message, line)
        return begun

    def _begin(self, message: QueuedMessage, line: _Line) -> bool:
        limits = self._limits(message)
        now = self.monotonic()
        free_at = self._pacer.free_at(limits, now)
        if free_at > now:
            line.held_until[message.outbox_id] = free_at
            return False
        # Counted here and not in the task: the next message must see that this one goes.
        started = self._pacer.start(limits, now)

        async def deliver() -> None:
            try:
                await self._deliver(message, limits)
            finally:
                started.done(self.monotonic())
                line.under_way.remove(message.outbox_id)
                self.bell.ring()

        line.under_way.add(message.outbox_id)
        self._deliveries.add(asyncio.create_task(deliver()))
        return True

    def _limits(self, message: QueuedMessage) -> Sequence[Limit]:
        """Return the chat's limits, and the place's own key, which a pause blocks whatever the chat's limits are."""
        chat = self.chats.get(message.outgoing.place.chat)
        place = Limit(_place_key(message), AT_ONCE, 0.0)
        if chat is None:
            return (place,)
        try:
            return (*chat.limits(message.outgoing), place)
        except Exception:  # told again, and settled, by the delivery that follows
            log.exception("a chat could not say its limits")
            return (place,)

    # ------------------------------------------------------------ one message

    async def _deliver(self, message: QueuedMessage, limits: Sequence[Limit]) -> None:
        chat_name = message.outgoing.place.chat
        chat = self.chats.get(chat_name)
        if chat is None:
            await self._lost(message, f"no {chat_name} in this deployment", undelivered.NOT_CONNECTED)
            return
        # An edit may be repeated, and so may a line of our own; of a new message word is left first.
        is_new = not message.outgoing.native_id and chat_name is not ChatName.CONSOLE
        if is_new and not await _written(lambda: self.rows.sending(message.outbox_id, self.clock())):
            return  # its place was closed meanwhile
        try:
            async with asyncio.timeout(LONGEST_DELIVERY_S):
                native_id = await self._shown(chat, message, is_new=is_new)
        except (PackshotError, TimeoutError) as error:
            await self._settle(message, limits, error)
        except Exception as error:  # one message that a chat stumbles over must not stop every other
            log.exception("a chat could not show a message", extra={"outbox_id": message.outbox_id})
            await self._lost(message, repr(error), undelivered.BROKEN)
        else:
            self._heard_at[message.outgoing.team_id, chat_name] = self.clock()
            self._stumbles.pop(_place_key(message), None)
            await _written(lambda: self.rows.sent(message.outbox_id, native_id))

    async def _settle(self, message: QueuedMessage, limits: Sequence[Limit], error: Exception) -> None:
        """Write down what becomes of a message that its chat did not take."""
        match error:
            case RateLimited():
                self._pause(message, limits, error.retry_after_s)
                await self._later(message, error, error.retry_after_s, is_refused=True)
            case StoreDown() | TimeoutError() if self._is_hopeless(message):
                await self._lost(message, str(error), undelivered.ALWAYS_FAILS)
            case StoreDown() | TimeoutError():
                await self._silent(message, error, undelivered.NO_ANSWER)
            case Undeliverable():
                await self._undeliverable(message, error.sentence, error.scope)
            case NeedsReconnect():
                await self._undeliverable(message, str(error), "chat")
            case Fault() if error.code.startswith(PASSING_FAULTS):
                await self._silent(message, error, undelivered.NO_STORAGE)
            case Fault():
                await self._lost(message, str(error), undelivered.BROKEN)
            case _:
                await self._lost(message, str(error), undelivered.REFUSED)

    def _pause(self, message: QueuedMessage, limits: Sequence[Limit], retry_after_s: float) -> None:
        """Hold back the place as long as asked, and whatever shares a limit as long as that limit can last.

        A chat does not say which limit it was: the 40 s of one group that spoke too often must not
        silence every other place for the sake of a limit that is over in a second.
        """
        now = self.monotonic()
        self._pacer.block([_place_key(message)], now + retry_after_s)
        for limit in limits:
            self._pacer.block([limit.key], now + min(retry_after_s, max(limit.per_s, SHARED_PAUSE_S)))

    async def _shown(self, chat: Chat, message: QueuedMessage, *, is_new: bool) -> str:
        if is_new and message.sending_since is not None:
            found = await chat.find_posted(message.outgoing)
            if found is not None:
                return found
            log.warning("sent again, it may have arrived before", extra={"outbox_id": message.outbox_id})
        return await chat.deliver(message.outgoing)

    async def _undeliverable(self, message: QueuedMessage, sentence: str, scope: str) -> None:
        log.warning("undeliverable", extra={"why": sentence, "scope": scope, "outbox_id": message.outbox_id})
        now, rows, outbox_id = self.clock(), self.rows, message.outbox_id
        match scope:
            case "message":
                await _written(lambda: rows.message_gone(outbox_id, sentence, now=now))
            case "place":
                await _written(lambda: rows.place_closed(outbox_id, sentence, now=now))
            case _:
                until = now + timedelta(seconds=LONGEST_RETRY_S)
                await _written(lambda: rows.chat_closed(outbox_id, sentence, now=now, until=until))

    async def _lost(self, message: QueuedMessage, why: str, sentence: str) -> None:
        log.error("message undeliverable", extra={"why": why, "outbox_id": message.outbox_id})
        now = self.clock()
        await _written(lambda: self.rows.lost(message.outbox_id, why, sentence=sentence, now=now))

    async def _silent(self, message: QueuedMessage, error: Exception, sentence: str) -> None:
        pause_s = min(RETRY_AFTER_S * 2 ** min(message.attempts, 10), LONGEST_RETRY_S) * (0.8 + 0.2 * self.jitter())
        await self._later(message, error, pause_s)
        outgoing, now = message.outgoing, self.clock()
        since = max(message.queued_at, self._heard_at.get((outgoing.team_id, outgoing.place.chat), message.queued_at))
        if message.attempts and now - since >= SILENT_AFTER:
            await _written(lambda: self.rows.chat_silent(message.outbox_id, sentence, now=now, since=since))

    def _is_hopeless(self, message: QueuedMessage) -> bool:
        """Whether it is this message that the chat cannot answer, so that its place must go on without it."""
        outgoing, now = message.outgoing, self.clock()
        stumble = self._stumbles.get(_place_key(message))
        if stumble is None or stumble.outbox_id != message.outbox_id:
            self._stumbles[_place_key(message)] = _Stumble(message.outbox_id, now)
            return False
        heard_at = self._heard_at.get((outgoing.team_id, outgoing.place.chat))
        stumble.times += heard_at is not None and heard_at > stumble.tried_at
        stumble.tried_at = now
        return stumble.times >= HOPELESS_AFTER

    async def _later(
        self, message: QueuedMessage, error: Exception, delay_s: float, *, is_refused: bool = False
    ) -> None:
        log.info("message waits", extra={"why": str(error), "outbox_id": message.outbox_id})
        at = self.clock() + timedelta(seconds=delay_s)
        await _written(lambda: self.rows.retry(message.outbox_id, at, str(error), is_refused=is_refused))


def _place_key(message: QueuedMessage) -> str:
    place = message.outgoing.place
    return f"place:{message.outgoing.team_id}:{place.chat.value}:{place.place_id}"


async def _written(write: Callable[[], Awaitable[T]]) -> T:
    """Write until the database takes it: what a chat has accepted must not be sent again for its sake."""
    pause_s = DATABASE_PAUSE_S
    while True:
        try:
            return await write()
        except Fault as error:
            if not error.code.startswith(PASSING_FAULTS):
                raise
            log.warning("outbox waits for the database", extra={"code": error.code})
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, RETRY_AFTER_S)
