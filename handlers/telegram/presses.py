"""Pressed buttons: taken, then answered at once, since a spinner turns until they are.

The order is foresee, take, answer. Foreseen first, because once the event is taken a worker may decide
it, and the presser would be told that somebody was faster: they themselves. A menu (reasons, recipes,
"really publish?") is Telegram's own affair and no event.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from telegram import Bot, CallbackQuery, Message
from telegram.error import TelegramError

from domain.errors import BadInput
from domain.intents import Incoming
from domain.people import ChatName, Place
from domain.replies import Card
from domain.tokens import Action, Token
from handlers.arrive import ChatDesk
from handlers.telegram.api import is_late, is_unchanged, without_token
from handlers.telegram.keyboards import Pressed, Verb, chosen, kind_rows, markup, menu_rows, read_data, with_links
from handlers.telegram.markup import cut
from handlers.telegram.reading import Me, actor_of, event_key, place_of
from handlers.words import Words, known_language, text

MAX_ALERT_CHARS = 200
_TOASTS: dict[Action, str] = {
    Action.APPROVE: text("Publishing…"),
    Action.REJECT: text("Rejected"),
    Action.REDO: text("Making it again…"),
    Action.UNDO: text("Undoing…"),
    Action.RETRY: text("Trying again…"),
    Action.CHOOSE_PART: text("Making it again…"),
    Action.KEEP: text("Numbering the parts…"),
    Action.REMOVE: text("Numbering the parts…"),
    Action.COMPARE: text("Laying them side by side…"),
}
_MENUS = frozenset({Verb.ASK, Verb.MENU, Verb.BACK})

log = logging.getLogger("packshot.telegram")


@dataclass(frozen=True, slots=True)
class Answer:
    """What stops the spinner."""

    words: str = ""
    is_alert: bool = False
    pressed: Pressed | None = None
    """The menu to show, None for none."""
    card: Card | None = None
    """What the menu is about, where it names that."""


async def take_press(query: CallbackQuery, update_id: int, me: Me, desk: ChatDesk) -> Answer:
    """Take a press and return its answer. Raises Fault when it could not be kept."""
    words = Words(known_language(query.from_user.language_code or ""))
    try:
        pressed = read_data(query.data or "")
        token = Token.parse(pressed.token)
        reason, options = chosen(pressed, token)
    except BadInput as error:
        return Answer(words.sentence(error.sentence), is_alert=True)
    incoming = _incoming(query, update_id, me, desk)
    if incoming is None:
        return Answer(words("That message is too old: ask for the card again with `card`."), is_alert=True)
    incoming = replace(incoming, text=reason, token=str(token), options=options)
    refused = await desk.foresee(incoming)
    if refused:
        # Taken all the same: whoever sees a stale card gets it refreshed.
        await desk.take(replace(incoming, is_told=True))
        return Answer(words.sentence(refused), is_alert=True)
    if pressed.verb in _MENUS:
        card = await desk.card(token) if pressed.verb in {Verb.ASK, Verb.MENU} else None
        return Answer(_menu_words(pressed, token, card, words), pressed=pressed, card=card)
    shown = await desk.card(token) if token.action is Action.APPROVE else None
    await desk.take(incoming)
    if shown is not None and len(shown.approved_by) + 1 < shown.approvals_needed:
        return Answer(words("Noted. Somebody else must approve too."))
    toast = _TOASTS.get(token.action)
    return Answer(words(toast) if toast else "")


async def answer_press(bot: Bot, query: CallbackQuery, answer: Answer) -> None:
    """Stop the spinner, and show the menu. Too late or nothing to change is no trouble."""
    try:
        said = cut(answer.words.replace("`", ""), MAX_ALERT_CHARS)
        await bot.answer_callback_query(query.id, text=said or None, show_alert=answer.is_alert)
    except TelegramError as error:
        if not is_late(error):
            log.warning("a press was not answered: %s", without_token(error.message))
    if answer.pressed is None or not isinstance(query.message, Message):
        return
    token = Token.parse(answer.pressed.token)
    rows = (
        kind_rows(answer.pressed.kind, token, answer.pressed.words)
        if answer.pressed.verb == Verb.BACK
        else menu_rows(answer.pressed, token, card=answer.card)
    )
    try:
        await bot.edit_message_reply_markup(
            query.message.chat.id,
            query.message.message_id,
            reply_markup=markup(with_links(rows, query.message.reply_markup)),
        )
    except TelegramError as error:
        if not is_unchanged(error):
            log.warning("a menu was not shown: %s", without_token(error.message))


def _menu_words(pressed: Pressed, token: Token, card: Card | None, words: Words) -> str:
    """Return what is said while a menu opens: what a yes will do, and how to ask for more than it holds."""
    if pressed.verb == Verb.ASK:
        if card is None:
            return words("Buyers see it at once.")
        return words("Buyers see {sku} on {stores} at once.", sku=card.sku, stores=words.list(card.stores))
    if pressed.verb == Verb.MENU and token.action is Action.REDO:
        return words("Or answer this card in words: {example}", example="redo margin=8 brightness=+0.5 white=80x15")
    return ""


def away(query: CallbackQuery) -> Answer:
    """Return what to say when a press could not be kept; Telegram brings it again."""
    words = Words(known_language(query.from_user.language_code or ""))
    return Answer(words("My memory is away for a moment: I take your press as soon as it is back."), is_alert=True)


def pressed_in(query: CallbackQuery) -> Place | None:
    """Return where a pressed button stands; None for a message that Telegram no longer names."""
    message = query.message
    if message is None:
        return None
    # An old message comes without its content, but its card can still be acted on.
    return place_of(message) if isinstance(message, Message) else Place(ChatName.TELEGRAM, str(message.chat.id))


def _incoming(query: CallbackQuery, update_id: int, me: Me, desk: ChatDesk) -> Incoming | None:
    message, place = query.message, pressed_in(query)
    if message is None or place is None:
        return None
    return Incoming(
        event_key=event_key(me, update_id),
        team_id=desk.team_id,
        actor=actor_of(query.from_user),
        place=place,
        message_id=str(message.message_id),
        language=query.from_user.language_code or "",
    )
