"""Every Reply as a piece of the page. What a card looks like today is a Face; the rest is template.

The fragments are the only HTML the page ever inserts, so every word of a person or a store passes
through an autoescaping template on its way here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never
from urllib.parse import urlsplit

from domain.enhancement import PlacementState
from domain.picture import Finding, FindingLevel
from domain.replies import (
    AlreadyDecided,
    Card,
    CardReply,
    EnhanceFailed,
    Expired,
    HelpShown,
    HistoryShown,
    Invited,
    Joined,
    ListingLine,
    MemberList,
    Placed,
    PreviewReady,
    ProductList,
    ProductShown,
    Published,
    PublishFailed,
    Publishing,
    Refused,
    Rejected,
    Reply,
    Restored,
    RestoreFailed,
    Restoring,
    StatusShown,
    StoreList,
    Unclear,
    WhichProduct,
    WhichStore,
    Working,
)
from handlers.console.buttons import Button, buttons
from handlers.console.pages import fill, safe_link

__all__ = ["Button", "buttons", "fragment"]

Tone = Literal["wait", "decide", "good", "warn", "bad", "quiet"]

_STATE_WORDS: dict[PlacementState, tuple[str, Tone]] = {
    PlacementState.APPROVED: ("in line", "wait"),
    PlacementState.PUBLISHING: ("publishing", "wait"),
    PlacementState.ACCEPTED: ("accepted, not visible yet", "wait"),
    PlacementState.LIVE: ("live", "good"),
    PlacementState.RESTORING: ("putting the old picture back", "wait"),
    PlacementState.RESTORED: ("the old picture is back", "quiet"),
    PlacementState.PUBLISH_FAILED: ("not published", "bad"),
    PlacementState.RESTORE_FAILED: ("not undone, the new picture is still live", "bad"),
    PlacementState.UNCLEAR: ("nobody can tell yet", "warn"),
}

_STEPS = ("Received", "In line", "Enhancing", "Preview")
_STAGES: dict[str, tuple[int, str]] = {
    "received": (0, "I have your photo."),
    "waiting": (1, "Waiting for a free pair of hands."),
    "fetching": (2, "Fetching the picture from the store."),
    "enhancing": (2, "Cutting out the product and setting the light."),
}


@dataclass(frozen=True, slots=True)
class Face:
    """How a card looks today: its state in two words, a sentence, and who decided when."""

    tone: Tone
    state: str
    sentence: str
    by: str = ""
    at: datetime | None = None
    placed: tuple[Placed, ...] = ()
    is_settled: bool = False
    """Nothing to look at closely any more: the picture shrinks."""


def fragment(reply: Reply, *, hosts: frozenset[str] = frozenset()) -> str:  # noqa: C901 - one case a reply
    """Return a reply as HTML. Pictures from any host but `hosts` are left out: the page may not load them."""
    match reply:
        case Working(sku, stage, card):
            step, sentence = _STAGES.get(stage, (0, ""))
            return fill("working.html", sku=sku, card=card, steps=_STEPS, step=step, sentence=sentence)
        case (
            PreviewReady()
            | Publishing()
            | Published()
            | PublishFailed()
            | Unclear()
            | Restoring()
            | Restored()
            | RestoreFailed()
            | Rejected()
            | Expired()
            | EnhanceFailed()
        ):
            return _card(reply.card, _face(reply), buttons(reply))
        case AlreadyDecided():
            return fill("already.html", reply=reply)
        case Refused():
            return fill("refused.html", reply=reply)
        case WhichProduct():
            return fill("which_product.html", reply=reply, buttons=buttons(reply))
        case WhichStore():
            return fill("which_store.html", reply=reply, buttons=buttons(reply))
        case ProductShown():
            return fill("product.html", reply=reply, thumbs=_thumbs(reply.listings, hosts))
        case ProductList():
            return fill("products.html", reply=reply, thumbs=_thumbs(reply.lines, hosts))
        case HistoryShown():
            return fill("history.html", reply=reply)
        case StatusShown():
            return fill("status.html", reply=reply)
        case StoreList():
            return fill("stores.html", reply=reply)
        case HelpShown():
            return fill("help.html", reply=reply)
        case Invited():
            return fill("invited.html", reply=reply)
        case Joined():
            return fill("joined.html", reply=reply)
        case MemberList():
            return fill("members.html", reply=reply)
        case _:
            assert_never(reply)


def _face(reply: CardReply) -> Face:  # noqa: C901 - one case a reply; a table would hide what differs
    match reply:
        case Working():
            return Face("wait", "Enhancing", "The next version is on its way.")
        case PreviewReady():
            return Face("decide", "Your decision", "Not live until somebody approves.")
        case Publishing(_, by, at, placed):
            return Face("wait", "Publishing", "On its way to the shop.", by, at, placed)
        case Published(_, by, at, placed, note):
            return Face("good", "Live", note or "Published and read back.", by, at, placed)
        case PublishFailed(_, by, at, placed):
            return Face("bad", "Not published", "Not every shop took it.", by, at, placed)
        case Unclear(_, placed):
            return Face(
                "warn", "Please look", "The shop did not answer clearly: is the new picture there?", placed=placed
            )
        case Restoring(_, placed):
            return Face("wait", "Undoing", "Putting back what stood there before.", placed=placed)
        case Restored(_, placed):
            return Face("quiet", "Undone", "What stood there before is back.", placed=placed, is_settled=True)
        case RestoreFailed(_, placed):
            return Face("bad", "Not undone", "The new picture is still live.", placed=placed)
        case Rejected(_, by, at, reason):
            sentence = f"“{reason}”" if reason else "Nothing was published."
            return Face("quiet", "Rejected", sentence, by, at, is_settled=True)
        case Expired():
            sentence = "Nobody decided in time, so nothing was published."
            return Face("quiet", "Expired", sentence, is_settled=True)
        case EnhanceFailed(_, sentence):
            return Face("bad", "No picture", sentence, is_settled=True)
        case _:
            assert_never(reply)


def _card(card: Card, face: Face, pressable: tuple[Button, ...]) -> str:
    visible = [button for button in pressable if button.asks != "recipe"]
    return fill(
        "card.html",
        card=card,
        face=face,
        facts=_facts(card),
        placed=[_placed(line) for line in face.placed],
        shown=visible or list(pressable),
        folded=[button for button in pressable if button.asks == "recipe"] if visible else [],
        warnings=_of_level(card, FindingLevel.WARNING),
        notes=_of_level(card, FindingLevel.NOTE),
        passed=_of_level(card, FindingLevel.OK),
    )


def _facts(card: Card) -> list[tuple[str, str]]:
    facts = [
        ("SKU", card.sku),
        ("Store", ", ".join(card.stores)),
        ("Background", card.background),
        ("Shadow", card.shadow),
        ("Engine", card.engine),
    ]
    return [(name, value) for name, value in facts if value]


def _placed(line: Placed) -> dict[str, str]:
    words, tone = _STATE_WORDS[PlacementState(line.state)]
    return {
        "store": line.store,
        "words": words,
        "tone": tone,
        "url": safe_link(line.url),
        "failure": line.failure,
    }


def _of_level(card: Card, level: FindingLevel) -> list[Finding]:
    return [finding for finding in card.findings if finding.level is level]


def _thumbs(lines: tuple[ListingLine, ...], hosts: frozenset[str]) -> list[tuple[ListingLine, str]]:
    return [(line, _own_picture(line.photo_url, hosts)) for line in lines]


def _own_picture(url: str, hosts: frozenset[str]) -> str:
    """Return a picture's path when it is ours to load, empty otherwise.

    The address people came by may be another of our names, so only the path is kept.
    """
    if not safe_link(url):
        return ""
    parts = urlsplit(url)
    if parts.netloc and parts.netloc.lower() not in hosts:
        return ""
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
