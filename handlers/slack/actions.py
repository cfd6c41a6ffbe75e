"""Presses, shortcuts and modals.

Slack never sends an interaction twice by itself, and in both transports a press carries its own `trigger_id`.
A submitted modal may come twice, when our answer was too late and the person pressed again: its key is
the view's id, which both carry. What needs an answer within 3 s (a modal) is opened before
anything else; what can be taken is taken before it is acknowledged.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse

from domain.errors import BadInput, PackshotError
from domain.people import Place, Role
from domain.tokens import Action, Token
from handlers.slack import modals, parts_form
from handlers.slack.api import translated
from handlers.slack.cards import MORE, PRESS, SAY, SAYS
from handlers.slack.fields import View, WrongAnswer
from handlers.slack.front import Front
from handlers.slack.home import HOME_SETTINGS, publish_home
from handlers.slack.offices import Office
from handlers.slack.parts import SEVERAL
from handlers.slack.people import Person
from handlers.slack.recipe_form import read_recipe
from handlers.slack.wire import attachments_of, place_of

log = logging.getLogger(__name__)

MESSAGE_SHORTCUT, GLOBAL_SHORTCUT = "enhance_photo", "enhance_sku"
"""callback_ids of the shortcuts, as in manifest.yaml."""

Body = dict[str, Any]
Asked = Callable[["Actions", AsyncAck, Body], Awaitable[BoltResponse]]
Submitted = Callable[["Actions", AsyncAck, Body, Body], Awaitable[BoltResponse]]
_PRESSES = re.compile(rf"^({PRESS}|{MORE}|{SAY})(:.*)?$")


def listen(app: AsyncApp) -> None:
    """Register everything that is pressed. Bolt hands over the office of the event's workspace by its name."""

    async def pressed(ack: AsyncAck, body: Body, action: Body, office: Office) -> BoltResponse:
        return await Actions(office.front).pressed(ack, body, action)

    def asked(method: Asked) -> Callable[[AsyncAck, Body, Office], Awaitable[BoltResponse]]:
        async def answer(ack: AsyncAck, body: Body, office: Office) -> BoltResponse:
            return await method(Actions(office.front), ack, body)

        return answer

    def submitted(method: Submitted) -> Callable[[AsyncAck, Body, Body, Office], Awaitable[BoltResponse]]:
        async def answer(ack: AsyncAck, body: Body, view: Body, office: Office) -> BoltResponse:
            return await method(Actions(office.front), ack, body, view)

        return answer

    app.action(_PRESSES)(pressed)
    app.action(HOME_SETTINGS)(asked(Actions.settings_asked))
    # A button of an older version of us, or one that only opens a page: nothing to do but to say so.
    app.action(re.compile(".*"))(nothing)
    app.shortcut(MESSAGE_SHORTCUT)(asked(Actions.photo_shortcut))
    app.shortcut(GLOBAL_SHORTCUT)(asked(Actions.sku_shortcut))
    app.view(modals.REJECT)(submitted(Actions.rejected))
    app.view(modals.REDO)(submitted(Actions.redone))
    app.view(parts_form.PARTS)(submitted(Actions.parts_chosen))
    app.view(modals.ENHANCE_PHOTO)(submitted(Actions.photo_named))
    app.view(modals.ENHANCE_SKU)(submitted(Actions.sku_named))
    app.view(modals.SETTINGS)(submitted(Actions.settings_chosen))


async def nothing(ack: AsyncAck, action: Body) -> BoltResponse:
    """Acknowledge what has no meaning here."""
    log.info("slack_unknown_action", extra={"action_id": str(action.get("action_id"))[:80]})
    return await ack()


class Actions:
    """One method an action, shortcut or submission."""

    def __init__(self, front: Front) -> None:
        self._front = front

    # ------------------------------------------------------------ presses

    async def pressed(self, ack: AsyncAck, body: Body, action: Body) -> BoltResponse:
        """A button with a token, or one that says something for the person."""
        person = await self._person(body)
        place, message_id = await self._where(body, person)
        value = str(action.get("value") or (action.get("selected_option") or {}).get("value") or "")
        if value.startswith(SEVERAL):
            await self._open_parts(body, person, place, value, message_id)
            return await ack()
        asks = "" if value.startswith(SAYS) else _asks(value)
        if asks and not await self._front.desk.foresee(
            self._front.incoming(_press_id(body), person, place, token=value, message_id=message_id)
        ):
            words = self._front.words(person)
            about = {"token": value, "channel": place.place_id, "thread": place.thread_id, "message": message_id}
            build = modals.reject_modal if asks == "reason" else modals.redo_modal
            await self._open(body, person, build(about, words))
            return await ack()
        # A press that will not count is taken too: its answer explains privately and draws the card anew.
        said, token = (value.removeprefix(SAYS), "") if value.startswith(SAYS) else ("", value)
        await self._front.take(_press_id(body), person, place, text=said, token=token, message_id=message_id)
        self._redraw_home(body, person, value)
        return await ack()

    async def settings_asked(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """The Home's settings button."""
        person = await self._person(body)
        place = await self._front.direct_place(person.actor.actor_id)
        now, member = await self._front.desk.settings(place), await self._front.desk.member(person.actor)
        about = {"channel": place.place_id, "thread": "", "message": ""}
        may_watch = member is not None and member.role.covers(Role.ADMIN)
        view = modals.settings_modal(now, about, self._front.words(person), may_watch=may_watch)
        await self._open(body, person, view)
        return await ack()

    # ------------------------------------------------------------ shortcuts

    async def photo_shortcut(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """“Enhance this photo” on a message: ask which product it shows."""
        person = await self._person(body)
        words, message = self._front.words(person), body.get("message") or {}
        files = attachments_of(message.get("files") or ())
        if not files:
            await self._open(body, person, modals.no_photo_modal(words))
            return await ack()
        thread = str(message.get("thread_ts") or "")
        ts = str(message.get("ts") or body.get("message_ts") or "")
        about = {"channel": body["channel"]["id"], "thread": thread if thread != ts else "", "message": ts}
        await self._open(body, person, modals.enhance_photo_modal(about, files, words))
        return await ack()

    async def sku_shortcut(self, ack: AsyncAck, body: Body) -> BoltResponse:
        """“Enhance a product” from anywhere."""
        person = await self._person(body)
        await self._open(body, person, modals.enhance_sku_modal(self._front.words(person)))
        return await ack()

    # ------------------------------------------------------------ submissions

    async def rejected(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """A reason was given, or none."""
        return await self._press_of_modal(ack, body, view, text=modals.read_reason(view))

    async def redone(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """Another background or shadow was chosen."""
        person = await self._person(body)
        try:
            options = read_recipe(view, self._front.words(person))
        except WrongAnswer as wrong:
            return await ack(response_action="errors", errors=wrong.errors)
        return await self._press_of_modal(ack, body, view, options=options)

    async def parts_chosen(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """Parts and fields of a photo, several at once."""
        person = await self._person(body)
        try:
            options = parts_form.read_parts(view, self._front.words(person))
        except WrongAnswer as wrong:
            return await ack(response_action="errors", errors=wrong.errors)
        return await self._press_of_modal(ack, body, view, options=options)

    async def photo_named(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """The SKU of a photo that was already in the conversation."""
        person = await self._person(body)
        try:
            sku = modals.read_sku(view, self._front.words(person))
        except WrongAnswer as wrong:
            return await ack(response_action="errors", errors=wrong.errors)
        about = modals.read_about(view)
        await self._front.take(
            _submission_id(view),
            person,
            _place_of(about),
            text=modals.enhance_command(sku, {}),
            attachments=modals.read_files(about),
            message_id=str(about.get("message", "")),
        )
        return await ack()

    async def sku_named(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """A product was named out of the blue: the answer goes to the person's direct messages."""
        person = await self._person(body)
        words = self._front.words(person)
        try:
            command = modals.enhance_command(modals.read_sku(view, words), read_recipe(view, words))
        except WrongAnswer as wrong:
            return await ack(response_action="errors", errors=wrong.errors)
        place = await self._front.direct_place(person.actor.actor_id)
        await self._front.take(_submission_id(view), person, place, text=command)
        return await ack()

    async def settings_chosen(self, ack: AsyncAck, body: Body, view: Body) -> BoltResponse:
        """New settings for the direct messages."""
        person = await self._person(body)
        try:
            command = modals.read_settings(view, self._front.words(person))
        except WrongAnswer as wrong:
            return await ack(response_action="errors", errors=wrong.errors)
        await self._front.take(_submission_id(view), person, _place_of(modals.read_about(view)), text=command)
        return await ack()

    async def _press_of_modal(
        self, ack: AsyncAck, body: Body, view: Body, *, text: str = "", options: Mapping[str, str] | None = None
    ) -> BoltResponse:
        person, about = await self._person(body), modals.read_about(view)
        token = str(about.get("token", ""))
        await self._front.take(
            _submission_id(view),
            person,
            _place_of(about),
            token=token,
            text=text,
            options=options,
            message_id=str(about.get("message", "")),
        )
        if not about.get("message"):
            self._front.later(publish_home(self._front, person, pressed=token), person, "home after a modal")
        return await ack()

    # ------------------------------------------------------------ who and where

    async def _person(self, body: Body) -> Person:
        return await self._front.people.admitted(str(body["user"]["id"]))

    async def _where(self, body: Body, person: Person) -> tuple[Place, str]:
        """Return the place of a press and the ts of its message; the Home has neither, so it is the direct messages."""
        container = body.get("container") or {}
        channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
        if not channel:
            return await self._front.direct_place(person.actor.actor_id), ""
        thread, ts = str(container.get("thread_ts") or ""), str(container.get("message_ts") or "")
        return place_of(channel, thread if thread != ts else ""), ts

    async def _open_parts(self, body: Body, person: Person, place: Place, value: str, message_id: str) -> None:
        about = {"channel": place.place_id, "thread": place.thread_id, "message": message_id}
        await self._open(body, person, parts_form.parts_modal(value, about, self._front.words(person)))

    async def _open(self, body: Body, person: Person, view: View) -> None:
        """Open a modal: the trigger is good for 3 s. Too late is said to the person, since nothing was taken."""
        try:
            async with translated():
                await self._front.client.views_open(trigger_id=body["trigger_id"], view=view)
        except PackshotError as error:
            log.warning("slack_modal_not_opened", extra={"error": str(error)})
            words = self._front.words(person)
            said = words("Slack did not open the form in time, and nothing was changed: press again.")
            self._front.later(self._front.tell(person, said), person, "a modal that did not open")

    def _redraw_home(self, body: Body, person: Person, token: str) -> None:
        if (body.get("view") or {}).get("type") == "home":
            self._front.later(publish_home(self._front, person, pressed=token), person, "home after a press")


def _asks(token: str) -> str:
    """Return what to ask before a token counts: reason, recipe or nothing."""
    try:
        action = Token.parse(token).action
    except BadInput:
        return ""  # forged or from another version: taken as it is, and refused with a sentence there
    return {Action.REJECT: "reason", Action.REDO: "recipe"}.get(action, "")


def _press_id(body: Body) -> str:
    return f"press:{body['trigger_id']}"


def _submission_id(view: Body) -> str:
    return f"view:{view['id']}"


def _place_of(about: Mapping[str, Any]) -> Place:
    return place_of(str(about["channel"]), str(about.get("thread", "")))
