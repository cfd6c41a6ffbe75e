"""What the pages of connecting say, in the language of the place the link was asked for in."""

from __future__ import annotations

from collections.abc import Sequence

from domain.connecting import FeatureName
from domain.people import ChatName
from handlers.connect_faces import FEATURE_LABELS, FEATURE_USES
from handlers.words import Words, text

_CHATS = {ChatName.SLACK: "Slack", ChatName.TELEGRAM: "Telegram", ChatName.CONSOLE: "Packshot"}

LINK_USED = text("That link was used already. Send `connect` in your chat for a fresh one.")
LINK_OLD = text("That link is too old. Send `connect` in your chat for a fresh one.")
LINK_UNKNOWN = text("I do not know that link. Send `connect` in your chat for a fresh one.")
LINK_ELSEWHERE = text(
    "That link was opened in another browser, and is good in that one only. Send `connect` in your chat for a fresh one."
)
LINK_NO_ADMIN = text("Whoever asked for that link is no admin here any more: ask one who is.")
LINK_OF_ANOTHER = text("That link was made for somebody else: send `connect` yourself for one of your own.")
STORE_GONE = text("That store was disconnected meanwhile: send `connect` to begin anew.")
NOT_OUR_FORM = text("That did not come from the page I gave you: open the link again, with cookies allowed.")
FORM_TOO_LARGE = text("That is more than this page takes: open the link again.")
FORM_UNREADABLE = text("I cannot read that form: open the link again.")
MISSING = text("Something is missing: {names}.")
CANNOT_ASK = text("{platform} cannot be asked with these keys: check them, then try again.")
SAID_NO = text("{platform} said no ({why}), so I kept nothing: start again with `connect`.")
NAME_TAKEN = text("Another store was connected as {name} just now: start again.")
"""What a page refuses with; raised in the roof, so that the roof holds no text of its own."""


def form_words(
    words: Words, *, platform: str, store: str, name: str, team: str, way: str, is_more: bool, gives_all: bool
) -> dict[str, str]:
    """Return the texts of the page where somebody chooses. `way` as in bot/consent.py."""
    title = words("Connect {store} again", store=store) if store else words("Connect {platform}", platform=platform)
    if is_more:
        title = words("Allow more at {store}", store=store)
    go = {
        "vendor": words("Continue to {platform}", platform=platform),
        "paste": words("Continue to {platform}", platform=platform),
        "here": words("Allow it"),
    }.get(way, words("Connect"))
    note = ""
    if gives_all:
        note = words(
            "{platform} gives an app all its rights at once. What you leave out here, I never use.", platform=platform
        )
    return {
        "title": title,
        "for_whom": words("Asked for by {name}, for {team}.", name=name, team=team),
        "shop_label": words("Shop"),
        "may_label": words("What I may do there"),
        "go_label": go,
        "note": note,
        "instead_label": words("Or type in an application password"),
        "instead_go": words("Connect with it"),
        "foot": words("Keys are kept encrypted, and never shown in a chat. “disconnect” takes all of it back."),
    }


def feature_words(name: FeatureName, words: Words, *, is_needed: bool, has_it: bool) -> tuple[str, str, str]:
    """Return a feature's label, what it is good for, and a word beside the label."""
    tag = words("always needed") if is_needed else words("allowed already") if has_it else ""
    return words(FEATURE_LABELS[name]), words(FEATURE_USES[name]), tag


def go_words(words: Words, *, platform: str) -> dict[str, str]:
    """Return the texts of the page that leads on to a vendor."""
    return {
        "title": words("On to {platform}", platform=platform),
        "said": words("Say yes there, and you come back here by yourself."),
        "go_label": words("Continue to {platform}", platform=platform),
    }


def paste_words(words: Words, *, platform: str) -> dict[str, str]:
    """Return the texts of the page that takes a pasted address."""
    return {
        "title": words("Two steps at {platform}", platform=platform),
        "first": words("Open this page and say yes."),
        "second": words(
            "Your browser then lands on a page that may not load. Copy its whole address, and paste it here."
        ),
        "go_label": words("Open {platform}", platform=platform),
        "address_label": words("Address"),
        "done_label": words("Connect"),
    }


def done_words(
    words: Words, *, store: str, platform: str, features: Sequence[str], chat: ChatName
) -> dict[str, object]:
    """Return the texts of the last page."""
    may = [words(FEATURE_LABELS[name]) for name in FeatureName if name.value in features]
    return {
        "title": words("{store} is connected", store=store),
        "said": words("I told your chat as well. You can close this page."),
        "may": may,
        "back_label": words("Back to {chat}", chat=_CHATS[chat]),
    }


def refused_title(words: Words) -> str:
    """Return the headline over a refusal."""
    return words("That did not work")
