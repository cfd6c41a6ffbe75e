"""How a card looks today, in words: its state, a sentence, a line a store. The chats draw it, each its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.enhancement import PlacementState
from domain.replies import (
    Card,
    CardReply,
    DecidedElsewhere,
    DecisionDue,
    EnhanceFailed,
    Expired,
    Placed,
    PreviewReady,
    Published,
    PublishFailed,
    Publishing,
    Rejected,
    Restored,
    RestoreFailed,
    Restoring,
    Unclear,
    Version,
    WhichProduct,
    Working,
)
from handlers.words import ENGLISH, Words, text

Tone = Literal["wait", "decide", "good", "warn", "bad", "quiet"]

STATE_WORDS: dict[PlacementState, tuple[str, Tone]] = {
    PlacementState.APPROVED: (text("in line"), "wait"),
    PlacementState.PUBLISHING: (text("publishing"), "wait"),
    PlacementState.ACCEPTED: (text("accepted, not yet live"), "wait"),
    PlacementState.LIVE: (text("live"), "good"),
    PlacementState.RESTORING: (text("putting the old picture back"), "wait"),
    PlacementState.RESTORED: (text("the old picture is back"), "quiet"),
    PlacementState.PUBLISH_FAILED: (text("not published"), "bad"),
    PlacementState.RESTORE_FAILED: (text("not undone, the new picture is still live"), "bad"),
    PlacementState.UNCLEAR: (text("nobody can tell yet"), "warn"),
}

STAGES: dict[str, tuple[int, str]] = {
    "received": (0, text("I have your photo.")),
    "waiting": (1, text("Waiting for a free pair of hands.")),
    "fetching": (2, text("Fetching the picture from the store.")),
    "enhancing": (2, text("Cutting out the product and setting the light.")),
}
"""A stage's step (0-based, of Received, In line, Enhancing, Preview) and what it is in words."""

STEPS = (text("Received"), text("In line"), text("Enhancing"), text("Preview"))

VALUES = (
    text("approved"), text("rejected"),
    text("viewer"), text("editor"), text("approver"), text("admin"),
    text("contact"), text("soft"), text("transparent"),
)  # fmt: skip
"""Values of ours that the chats say as words, by `words(value)`: verdicts, roles, shadows, backgrounds."""

ENLARGED_BY_CHAT = text("The chat made this photo smaller: send it as a file for full quality.")


@dataclass(frozen=True, slots=True)
class Face:
    """`state` is two words, `sentence` the next thing to know; `by` and `at` say who decided when."""

    tone: Tone
    state: str
    sentence: str
    by: str = ""
    at: datetime | None = None
    placed: tuple[Placed, ...] = ()
    is_settled: bool = False
    """Nothing to look at closely any more: the picture shrinks."""
    is_rejected: bool = False


def face(reply: CardReply, words: Words = ENGLISH) -> Face:  # noqa: C901 - one case a reply; a table would hide what differs
    """Return today's face of a card in the reader's language."""
    match reply:
        case Working(stage=stage):
            sentence = words(STAGES[stage][1]) if stage in STAGES else words("The next version is on its way.")
            return Face("wait", words("Enhancing"), sentence)
        case PreviewReady(card):
            return Face("decide", words("Your decision"), _what_it_takes(card, words))
        case Publishing(_, by, at, placed) if reply.is_accepted:
            sentence = words("The shop took it and does not show it yet: I keep looking, and say so once it is live.")
            return Face("wait", words("Accepted, not yet live"), sentence, by, at, placed)
        case Publishing(_, by, at, placed):
            return Face("wait", words("Publishing"), words("On its way to the shop."), by, at, placed)
        case Published(_, by, at, placed, note):
            return Face(
                "good", words("Live"), words.sentence(note) or words("Published and read back."), by, at, placed
            )
        case PublishFailed(_, by, at, placed):
            return Face("bad", words("Not published"), words("Not every shop took it."), by, at, placed)
        case Unclear(_, placed):
            sentence = words("The shop did not answer clearly: is the new picture there?")
            return Face("warn", words("Please look"), sentence, placed=placed)
        case Restoring(_, placed):
            return Face("wait", words("Undoing"), words("Putting back what stood there before."), placed=placed)
        case Restored(_, placed):
            sentence = words("What stood there before is back.")
            return Face("quiet", words("Undone"), sentence, placed=placed, is_settled=True)
        case RestoreFailed(_, placed):
            return Face("bad", words("Not undone"), words("The new picture is still live."), placed=placed)
        case Rejected(_, by, at, reason):
            sentence = f"“{reason}”" if reason else words("Nothing was published.")
            return Face("quiet", words("Rejected"), sentence, by, at, is_settled=True, is_rejected=True)
        case Expired():
            sentence = words("Nobody decided in time, so nothing was published.")
            return Face("quiet", words("Expired"), sentence, is_settled=True)
        case EnhanceFailed(_, sentence):
            return Face("bad", words("No picture"), words.sentence(sentence), is_settled=True)
        case _:
            assert_never(reply)


def _what_it_takes(card: Card, words: Words) -> str:
    """Return what a preview waits for: one yes, somebody else's, or two people's."""
    said = []
    if card.approved_by:
        said.append(
            words(
                "{count} of {number} approved, by {names}.",
                count=words.number(len(card.approved_by)),
                number=words.number(card.approvals_needed),
                names=words.list(card.approved_by),
            )
        )
    elif card.approvals_needed > 1:
        said.append(words("Not live until {number} people approve.", number=words.number(card.approvals_needed)))
    if card.is_for_others:
        said.append(words("{name} asked for it, so somebody else approves.", name=card.requested_by))
    return " ".join(said) or words("Not live until somebody approves.")


def notice_words(
    reply: DecisionDue | DecidedElsewhere,
    words: Words = ENGLISH,
    *,
    clean: Callable[[str], str] = str,
    time: Callable[[datetime], str] | None = None,
) -> str:
    """Return what is said under a card. `clean` makes people's words harmless in a chat, `time` writes a moment."""
    product = clean(f"{reply.title} ({reply.sku})" if reply.title else reply.sku)
    if isinstance(reply, DecisionDue):
        return words(
            "{product} still waits for a decision. On {time} the preview closes, and nothing is published.",
            product=product,
            time=(time or words.time)(reply.expires_at),
        )
    by = clean(reply.by)
    if reply.verdict == "approved":
        return words("{by} approved your picture of {product}: it is on its way.", by=by, product=product)
    if reply.verdict == "undone":
        return words(
            "{by} undid your picture of {product}: what stood there before comes back.", by=by, product=product
        )
    said = words("{by} rejected your picture of {product}.", by=by, product=product)
    return f"{said} “{clean(reply.reason)}”" if reply.reason else said


def thing_question(reply: WhichProduct, words: Words = ENGLISH) -> str:
    """Return what is asked about one of several things in a photo, empty where the whole photo is meant."""
    if not reply.thing:
        return ""
    return words(
        "Which product is thing {number} of {count}, counted from the left?",
        number=words.number(reply.thing),
        count=words.number(reply.thing_count),
    )


def placed_words(line: Placed, words: Words = ENGLISH) -> tuple[str, Tone]:
    """Return how a store's line reads, and its tone."""
    state, tone = STATE_WORDS[PlacementState(line.state)]
    return words(state), tone


def version_words(version: Version, words: Words = ENGLISH) -> str:
    """Return what made a version other than the one before it, empty for the first."""
    said = [
        words.count("{number} part kept", "{number} parts kept", version.kept) if version.kept else "",
        words.count("{number} part removed", "{number} parts removed", version.removed) if version.removed else "",
        version.changes,
    ]
    return " · ".join(each for each in said if each)


def alt_text(card: Card, words: Words = ENGLISH) -> str:
    """Return the alt text of a card's picture: the product and what is behind it."""
    return words(
        "{product} on {background}, before and after",
        product=card.title or card.sku,
        background=card.background or words("white"),
    )
