"""People at the fake Slack: they write, share, press, open; each act is delivered as Slack delivers it.

`transport` is `socket` or `http`. What an act gives back is how it was taken; a real Slack would repeat
an event that was not, which a test does with `again`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_state import APP, BOT_USER, SIGNING_SECRET, TEAM, Conversation, Delivered, KeptFile, Person

ACK_S = 3.0


class SlackPeople:
    """Acts as anybody of the workspace. `events_url` is where signed HTTP goes."""

    def __init__(self, slack: FakeSlack, *, transport: str, events_url: str = "") -> None:
        self.slack = slack
        self.transport = transport
        self.events_url = events_url
        self.last_event: dict[str, Any] = {}
        self.ack_s = ACK_S

    # ------------------------------------------------------------ the workspace

    def person(self, name: str, **facts: Any) -> str:
        """Add somebody and return their id."""
        user = f"U{name.upper()}"
        self.slack.people[user] = Person(user, name, **facts)
        return user

    def channel(self, channel: str, *members: str, kind: str = "channels", with_bot: bool = True) -> str:
        """Add a channel; `kind` is channels or groups."""
        self.slack.conversations[channel] = Conversation(channel, kind, {*members, *((BOT_USER,) if with_bot else ())})
        return channel

    # ------------------------------------------------------------ acts

    async def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread: str = "",
        files: Sequence[KeptFile] = (),
        more: dict[str, Any] | None = None,
        twin: bool = True,
    ) -> Delivered:
        """Write a message, with files or without; `twin` False keeps app_mention from coming too."""
        place = self.slack.conversations.get(channel) or self.slack.conversations[self.slack.direct(user)]
        content: dict[str, Any] = {"user": user, "text": text, "team": self.slack.people[user].team}
        if files:
            content |= {"subtype": "file_share", "files": [self._shared(file) for file in files]}
        kept = self.slack.keep(place.id, content | (more or {}), thread=thread)["message"]
        self.slack.note(
            f"{user} says in {place.id}{f' thread {thread}' if thread else ''}: {text!r} {len(files)} files"
        )
        event = kept | {
            "channel": place.id,
            "channel_type": {"channels": "channel", "groups": "group"}.get(place.kind, "im"),
        }
        if thread:
            event["parent_user_id"] = self.slack.messages.get((place.id, thread), {}).get("user", "")
        delivered = await self.event(event)
        for file in files:
            shared = {"type": "file_shared", "file_id": file.id, "user_id": user, "file": {"id": file.id}}
            assert (await self.event(shared | {"channel_id": place.id})).is_taken
        if twin and place.kind != "im" and f"<@{BOT_USER}>" in text:
            mention = {name: value for name, value in event.items() if name not in {"subtype", "channel_type"}}
            delivered = await self.event(mention | {"type": "app_mention"})
        return delivered

    def file(self, user: str, name: str, content: bytes, *, type: str = "image/jpeg", **facts: Any) -> KeptFile:  # noqa: A002
        """Upload a file, ready to be shared."""
        file = KeptFile(f"F{next(self.slack.numbers)}", name, user, content, type, length=len(content), **facts)
        self.slack.files[file.id] = file
        return file

    def _shared(self, file: KeptFile) -> dict[str, Any]:
        if file.mode == "check_file_info":  # Slack Connect: only the id comes with the event
            return {"id": file.id, "file_access": "check_file_info"}
        return file.as_file(self.slack.base)

    async def command(self, user: str, channel: str, text: str) -> Delivered:
        """Type `/packshot TEXT`."""
        self.slack.note(f"{user} types in {channel}: /packshot {text}")
        return await self._deliver(
            "slash_commands",
            {
                "command": "/packshot",
                "text": text,
                "user_id": user,
                "channel_id": channel,
                "team_id": TEAM,
                "api_app_id": APP,
                "trigger_id": self.slack.trigger(),
                "response_url": f"{self.slack.base}/response/{next(self.slack.numbers)}",
            },
        )

    async def press(self, user: str, channel: str, ts: str, label: str) -> Delivered:
        """Press what is labelled so on a message, in the overflow too."""
        message = self.slack.messages[channel, ts]
        action = find_action(message["blocks"], label)
        self.slack.note(f"{user} presses {label!r} on {ts}")
        return await self.act(user, channel, message, action)

    async def act(self, user: str, channel: str, message: dict[str, Any], action: dict[str, Any]) -> Delivered:
        """Press any action, also one that is not drawn any more."""
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False}
        if thread := message.get("thread_ts"):
            container["thread_ts"] = thread
        more = {"container": container, "channel": {"id": channel}, "message": message}
        return await self._interact(user, "block_actions", {"actions": [action], **more})

    async def press_home(self, user: str, label: str) -> Delivered:
        """Press what is labelled so on one's Home, the first there."""
        view = self.slack.homes[user]
        action = find_action(view["blocks"], label)
        self.slack.note(f"{user} presses {label!r} at home")
        return await self._interact(
            user, "block_actions", {"actions": [action], "container": {"type": "view"}, "view": view}
        )

    async def shortcut(
        self, user: str, callback_id: str, message: dict[str, Any] | None = None, channel: str = ""
    ) -> Delivered:
        """Use a global shortcut, or one on a message."""
        self.slack.note(f"{user} uses the shortcut {callback_id}")
        if message is None:
            return await self._interact(user, "shortcut", {"callback_id": callback_id})
        more = {"message": message, "message_ts": message["ts"], "channel": {"id": channel}}
        return await self._interact(user, "message_action", {"callback_id": callback_id, **more})

    async def submit(self, user: str, view_id: str, **answers: str) -> Delivered:
        """Submit a modal with these answers by block; the others stay as they were drawn."""
        view = self.slack.views[view_id]
        values: dict[str, Any] = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                answer = answers.get(block["block_id"])
                values[block["block_id"]] = {element["action_id"]: _answered(element, answer)}
        self.slack.note(f"{user} submits {view['callback_id']} {answers}")
        return await self._interact(user, "view_submission", {"view": view | {"state": {"values": values}}})

    async def open_home(self, user: str) -> Delivered:
        """Look at the app's Home."""
        return await self.event(
            {"type": "app_home_opened", "user": user, "tab": "home", "channel": self.slack.direct(user)}
        )

    @property
    def newest_view(self) -> str:
        """The id of the modal opened last."""
        return list(self.slack.views)[-1]

    # ------------------------------------------------------------ delivery

    async def event(self, event: dict[str, Any], **body: Any) -> Delivered:
        """Deliver an event of the Events API."""
        number = next(self.slack.numbers)
        self.last_event = {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": event,
            "event_id": f"Ev{number:08d}",
            "event_time": int(time.time()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            **body,
        }
        return await self.again(retry_num=0)

    async def again(self, *, retry_num: int = 1) -> Delivered:
        """Deliver the last event once more, as Slack does when nobody acknowledged it."""
        return await self._deliver("events_api", self.last_event, retry_num=retry_num)

    async def _interact(self, user: str, kind: str, payload: dict[str, Any]) -> Delivered:
        person = self.slack.people[user]
        return await self._deliver(
            "interactive",
            {
                "type": kind,
                "team": {"id": TEAM},
                "user": {"id": user, "team_id": person.team, "name": person.name.lower()},
                "api_app_id": APP,
                "trigger_id": self.slack.trigger(),
                **payload,
            },
        )

    async def _deliver(self, kind: str, payload: dict[str, Any], *, retry_num: int = 0) -> Delivered:
        if self.transport == "socket":
            return await self._by_socket(kind, payload, retry_num)
        if kind == "events_api":
            body, content_type = json.dumps(payload), "application/json"
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content_type = urlencode(form), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content_type}
        if retry_num:
            headers |= {"x-slack-retry-num": str(retry_num), "x-slack-retry-reason": "http_timeout"}
        return await self.post(body.encode(), headers | signed(body.encode()))

    async def post(self, body: bytes, headers: dict[str, str]) -> Delivered:
        """Send bytes to our door."""
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.events_url, data=body, headers=headers) as answer,
        ):
            said = await answer.text()
            answered = json.loads(said) if said.startswith("{") else said
            self.slack.note(f"  acknowledged {answer.status}")
            return Delivered(answer.status, answered)

    async def _by_socket(self, kind: str, payload: dict[str, Any], retry_num: int) -> Delivered:
        socket = self.slack.sockets[-1]
        envelope_id = f"env-{next(self.slack.numbers)}"
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": True}
        if retry_num:
            envelope |= {"retry_attempt": retry_num, "retry_reason": "timeout"}
        await socket.ws.send_json(envelope)
        try:
            await self.slack.until(lambda: envelope_id in socket.acked, timeout_s=self.ack_s)
        except TimeoutError:
            self.slack.note("  not acknowledged")
            return Delivered(0)
        self.slack.note("  acknowledged")
        return Delivered(200, socket.acked[envelope_id])


def signed(body: bytes, *, secret: str = SIGNING_SECRET, age_s: int = 0) -> dict[str, str]:
    """Return the headers Slack signs a body with."""
    timestamp = str(int(time.time()) - age_s)
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def find_action(blocks: list[dict[str, Any]], label: str) -> dict[str, Any]:
    """Return the action a press of this label sends. Raises LookupError where nothing is labelled so."""
    for block in blocks:
        for element in [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]:
            if element["type"] == "button" and element["text"]["text"] == label:
                return {"type": "button", "action_id": element["action_id"], "value": element["value"]}
            for option in element.get("options", ()):
                if option["text"]["text"].startswith(label):
                    return {"type": "overflow", "action_id": element["action_id"], "selected_option": option}
    raise LookupError(label)


def labels(blocks: list[dict[str, Any]]) -> list[str]:
    """Return what can be pressed and seen at once."""
    return [
        element["text"]["text"]
        for block in blocks
        for element in [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else ())]
        if element["type"] == "button"
    ]


def _answered(element: dict[str, Any], answer: str | None) -> dict[str, Any]:
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": answer if answer is not None else element.get("initial_value")}
    if element["type"] == "multi_static_select":
        chosen_ones = [each for each in element["options"] if each["value"] in (answer or "").split()]
        return {"type": element["type"], "selected_options": chosen_ones}
    chosen = next((each for each in element["options"] if each["value"] == answer), element.get("initial_option"))
    return {"type": element["type"], "selected_option": chosen}


async def settled() -> None:
    """Let what is ready to run run."""
    await asyncio.sleep(0)
