"""App Home: what Packshot is for, what waits for a decision, what holds in the direct messages."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from domain.catalog import Sha256
from domain.errors import BadInput, Fault, PackshotError
from domain.people import Role
from domain.replies import Card, PreviewReady, SettingsShown
from domain.tokens import Token
from handlers.buttons import buttons
from handlers.faces import alt_text
from handlers.slack.api import translated
from handlers.slack.blocks import Block, actions, button, context, header, image, section, sentence, words_of
from handlers.slack.cards import card_actions, card_facts
from handlers.slack.files import NotReady
from handlers.slack.front import Front
from handlers.slack.people import Person
from handlers.slack.pictures import file_name
from handlers.slack.render import settings_rows
from handlers.words import Words

HOME_SETTINGS = "home_settings"
SHOWN_PREVIEWS = 20
"""Three blocks each, of the 100 that a Home may have."""
SHOWN_THUMBNAILS = 8
"""Of the oldest: each may be an upload of five calls, and a Home is looked at often. A picture that stands beside a
block costs no block of its own."""
NO_THUMBNAILS: Mapping[str, str] = {}

View = dict[str, Any]

log = logging.getLogger(__name__)


async def publish_home(front: Front, person: Person, *, pressed: str = "") -> None:
    """Draw somebody's Home as things are now; `pressed` is a token whose decision is still on its way.

    At once with the pictures that are up already, and once more when the others are: nobody waits for an upload.
    """
    missing = await _draw(front, person, pressed)
    if [card for card in missing if await _upload(front, person, card)]:
        await _draw(front, person, pressed)


async def _draw(front: Front, person: Person, pressed: str) -> Sequence[Card]:
    """Publish the Home and return the cards whose pictures are not up yet, as many as have one here."""
    words = front.words(person)
    missing: list[Card] = []
    thumbnails: dict[str, str] = {}
    member = await front.desk.member(person.actor)
    if member is None:
        view = stranger_view(words)
    else:
        place = await front.direct_place(person.actor.actor_id)
        waiting = await front.desk.waiting(member, limit=SHOWN_PREVIEWS + 1)
        settings = await front.desk.settings(place)
        for card in [reply.card for reply in waiting[:SHOWN_THUMBNAILS] if _picture_of(reply.card)]:
            if file_id := front.pictures.known(_picture_of(card)):
                thumbnails[card.enhancement_id] = file_id
            else:
                missing.append(card)
        may_decide = member.role.covers(Role.APPROVER)

        def view_with(shown: Mapping[str, str]) -> View:
            return home_view(waiting, settings, words, may_decide=may_decide, pressed=pressed, thumbnails=shown)

        try:
            await _publish(front, person, view_with(thumbnails))
            return missing
        except Fault as error:
            if not thumbnails:
                raise
            # A file that somebody deleted at Slack takes the whole view with it.
            log.warning("slack_home_without_pictures", extra={"error": str(error)})
            await _publish(front, person, view_with({}))
            return ()
    await _publish(front, person, view)
    return ()


async def _publish(front: Front, person: Person, view: View) -> None:
    async with translated():
        await front.client.views_publish(user_id=person.actor.actor_id, view=view)


async def _upload(front: Front, person: Person, card: Card) -> bool:
    """Bring a card's picture up; False where that cannot be, and the Home has its words all the same."""
    name = file_name(card.sku, str(card.revision))
    try:
        await front.pictures.file_id(_picture_of(card), name=name, alt=alt_text(card, front.words(person)))
    except (NotReady, PackshotError) as error:
        log.info("slack_thumbnail_left_out", extra={"error": str(error)})
        return False
    return True


def _picture_of(card: Card) -> Sha256:
    return card.preview or card.after or card.before or Sha256("")


def home_view(
    waiting: Sequence[PreviewReady],
    settings: SettingsShown,
    words: Words,
    *,
    may_decide: bool,
    pressed: str = "",
    thumbnails: Mapping[str, str] = NO_THUMBNAILS,
) -> View:
    """Return the Home of a member; `thumbnails` are file ids at Slack by enhancement."""
    blocks = _purpose(words)
    blocks.append(header(words("Waiting for a decision")))
    if not waiting:
        blocks.append(section(words("Nothing waits. Send me a photo with the SKU as its text to start.")))
    decided = _subject(pressed)
    for reply in waiting[:SHOWN_PREVIEWS]:
        blocks += _preview(
            reply,
            words,
            is_pressed=reply.card.enhancement_id == decided,
            may_decide=may_decide,
            file_id=thumbnails.get(reply.card.enhancement_id, ""),
        )
    if len(waiting) > SHOWN_PREVIEWS:
        blocks.append(context(sentence(words("There are more: `status` says how many."))))
    return {"type": "home", "blocks": [*blocks, {"type": "divider"}, *_settings(settings, words)]}


def stranger_view(words: Words) -> View:
    """Return the Home of somebody we do not know."""
    said = words("I do not know you yet: ask an admin of your shop for an invitation, then send `join CODE`.")
    return {"type": "home", "blocks": [*_purpose(words)[:2], section(sentence(said))]}


def _purpose(words: Words) -> list[Block]:
    return [
        header("Packshot"),
        section(
            words("I turn a phone photo into a clean listing picture. You approve it, and I publish it to the shop.")
        ),
        context(sentence(words("Send me a photo with the SKU as its text, or type `/packshot enhance MUG-01`."))),
    ]


def _preview(reply: PreviewReady, words: Words, *, is_pressed: bool, may_decide: bool, file_id: str) -> list[Block]:
    card = reply.card
    thumbnail = image(file_id, alt_text(card, words)) if file_id else None
    told = section(f"👉 *{words_of(card.title or card.sku)}*\n{card_facts(card, words)}", thumbnail)
    if is_pressed:
        return [told, context(words("⏳ Your decision is on its way."))]
    if not may_decide:
        return [told, context(words("An approver decides."))]
    return [told, card_actions(card, buttons(reply), words)]


def _settings(settings: SettingsShown, words: Words) -> list[Block]:
    change = button(words("Settings"), "settings", HOME_SETTINGS)
    return [
        section("\n".join([f"*{words('Settings of our direct messages')}*", *settings_rows(settings, words)])),
        actions([change]),
    ]


def _subject(token: str) -> str:
    try:
        return Token.parse(token).subject_id
    except BadInput:
        return ""
