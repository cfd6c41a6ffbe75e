"""App Home: what Packshot is for, what waits for a decision, what holds in the direct messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.errors import BadInput
from domain.people import Role
from domain.replies import PreviewReady, SettingsShown
from domain.tokens import Token
from handlers.buttons import buttons
from handlers.slack.api import translated
from handlers.slack.blocks import Block, actions, button, context, header, section, sentence, words_of
from handlers.slack.cards import card_actions, card_facts
from handlers.slack.front import Front
from handlers.slack.people import Person
from handlers.slack.render import settings_rows
from handlers.words import Words

HOME_SETTINGS = "home_settings"
SHOWN_PREVIEWS = 20
"""Three blocks each, of the 100 that a Home may have."""

View = dict[str, Any]


async def publish_home(front: Front, person: Person, *, pressed: str = "") -> None:
    """Draw somebody's Home as things are now; `pressed` is a token whose decision is still on its way."""
    words = front.words(person)
    member = await front.desk.member(person.actor)
    if member is None:
        view = stranger_view(words)
    else:
        place = await front.direct_place(person.actor.actor_id)
        waiting = await front.desk.waiting(member, limit=SHOWN_PREVIEWS + 1)
        settings = await front.desk.settings(place)
        view = home_view(waiting, settings, words, may_decide=member.role.covers(Role.APPROVER), pressed=pressed)
    async with translated():
        await front.client.views_publish(user_id=person.actor.actor_id, view=view)


def home_view(
    waiting: Sequence[PreviewReady], settings: SettingsShown, words: Words, *, may_decide: bool, pressed: str = ""
) -> View:
    """Return the Home of a member."""
    blocks = _purpose(words)
    blocks.append(header(words("Waiting for a decision")))
    if not waiting:
        blocks.append(section(words("Nothing waits. Send me a photo with the SKU as its text to start.")))
    decided = _subject(pressed)
    for reply in waiting[:SHOWN_PREVIEWS]:
        blocks += _preview(reply, words, is_pressed=reply.card.enhancement_id == decided, may_decide=may_decide)
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


def _preview(reply: PreviewReady, words: Words, *, is_pressed: bool, may_decide: bool) -> list[Block]:
    card = reply.card
    told = section(f"👉 *{words_of(card.title or card.sku)}*\n{card_facts(card, words)}")
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
