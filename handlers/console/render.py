"""Every Reply as a piece of the page. What a card looks like today is a Face; the rest is template.

The fragments are the only HTML the page ever inserts, so every word of a person or a store passes
through an autoescaping template on its way here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from domain.connect_replies import ConnectAnswer
from domain.data_replies import ExportOffered, FileReady, Forgotten, HealthNotice
from domain.picture import Finding, FindingLevel
from domain.replies import (
    AlreadyDecided,
    Card,
    Compared,
    DecidedElsewhere,
    DecisionDue,
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
    SettingsShown,
    StatusShown,
    StoreList,
    Unclear,
    WhichPart,
    WhichProduct,
    WhichStore,
    Working,
)
from domain.sessions import SessionsShown
from domain.stock_alert_replies import AlertAnswer
from domain.stock_replies import StockAnswer
from domain.sync_replies import SyncAnswer
from domain.team_replies import (
    InvitationList,
    InvitationRevoked,
    MemberChanged,
    RemovalAsked,
    RulesShown,
    TeamReply,
    TeamShown,
    WorkspaceInvited,
)
from domain.tokens import Action, Token
from handlers.buttons import Button, buttons
from handlers.connect_faces import connect_buttons, connect_face
from handlers.console.alerts import alert_fragment
from handlers.console.data import data_fragment, health_lines, history_fragment, queue_line
from handlers.console.pages import fill, safe_link, when
from handlers.faces import STAGES, STEPS, Face, face, notice_words, placed_words, thing_question, version_words
from handlers.session_faces import session_face
from handlers.stock_faces import stock_buttons, stock_face
from handlers.sync_faces import sync_buttons, sync_face
from handlers.team_faces import team_face

__all__ = ["Button", "buttons", "fragment"]


def fragment(reply: Reply, *, hosts: frozenset[str] = frozenset(), here: str = "") -> str:  # noqa: C901 - one case a reply
    """Return a reply as HTML. Pictures from any host but `hosts` are left out: the page may not load them.

    `here` is the mark of the browser that reads it.
    """
    match reply:
        case Working(sku, stage, card):
            step, sentence = STAGES.get(stage, (0, ""))
            return fill("working.html", sku=sku, card=card, steps=STEPS, step=step, sentence=sentence)
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
            return _card(reply.card, face(reply), buttons(reply))
        case AlreadyDecided():
            return fill("already.html", reply=reply)
        case Refused():
            return fill("refused.html", reply=reply)
        case WhichProduct():
            whole = "Which product is it?" if reply.photo_count == 1 else "Which product are they?"
            asked = thing_question(reply) or whole
            return fill("which_product.html", reply=reply, question=asked, buttons=buttons(reply))
        case WhichStore():
            return fill("which_store.html", reply=reply, buttons=buttons(reply))
        case WhichPart():
            return _which_part(reply)
        case Compared():
            versions = [(version, version_words(version)) for version in reply.versions]
            return fill("compared.html", reply=reply, versions=versions)
        case ProductShown():
            return fill("product.html", reply=reply, thumbs=_thumbs(reply.listings, hosts))
        case ProductList():
            return fill("products.html", reply=reply, thumbs=_thumbs(reply.lines, hosts))
        case HistoryShown():
            return history_fragment(reply)
        case StatusShown():
            return fill("status.html", reply=reply, health=health_lines(reply), queue=queue_line(reply))
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
        case DecisionDue():
            return fill("due.html", reply=reply)
        case DecidedElsewhere():
            return fill("decided.html", reply=reply, sentence=notice_words(reply))
        case AlertAnswer():
            return alert_fragment(reply)
        case StockAnswer():
            return fill("stock.html", face=stock_face(reply), buttons=stock_buttons(reply))
        case SyncAnswer():
            said = sync_face(reply)
            return fill("sync.html", face=said.face, copyable=said.copyable, buttons=sync_buttons(reply))
        case SessionsShown():
            return fill("sessions.html", face=session_face(reply, here=here, time=when))
        case SettingsShown():
            return fill("settings.html", reply=reply)
        case (
            InvitationList()
            | InvitationRevoked()
            | MemberChanged()
            | RemovalAsked()
            | RulesShown()
            | TeamShown()
            | WorkspaceInvited()
        ):
            return _team(reply)
        case ConnectAnswer():
            answer = connect_face(reply)
            link = own_path(answer.link_url) if answer.link_url else ""
            return fill("connect.html", face=answer, link=link, buttons=connect_buttons(reply))
        case HealthNotice() | FileReady() | ExportOffered() | Forgotten():
            return data_fragment(reply)
        case _:
            assert_never(reply)


def _card(card: Card, today: Face, pressable: tuple[Button, ...]) -> str:
    folded = [button for button in pressable if button.asks in {"recipe", "part"} or _is_rare(button)]
    visible = [button for button in pressable if button not in folded]
    return fill(
        "card.html",
        card=card,
        face=today,
        facts=_facts(card),
        placed=[_placed(line) for line in today.placed],
        shown=visible or list(pressable),
        folded=folded if visible else [],
        warnings=_of_level(card, FindingLevel.WARNING),
        notes=_of_level(card, FindingLevel.NOTE),
        passed=_of_level(card, FindingLevel.OK),
    )


def _team(reply: TeamReply) -> str:
    """A time is a tag of its own here, so the words around it are made harmless before it goes in."""
    face = team_face(reply, clean=lambda said: str(escape(said)), time=when)
    safe = replace(face, title=Markup(face.title), lines=tuple(Markup(line) for line in face.lines))  # noqa: S704 - cleaned
    return fill("team.html", face=safe, buttons=buttons(reply))


def _is_rare(button: Button) -> bool:
    return Token.parse(button.token).action in {Action.COMPARE, Action.SPLIT}


def _which_part(reply: WhichPart) -> str:
    choices = buttons(reply)
    return fill(
        "which_part.html",
        reply=reply,
        parts=choices[: reply.part_count],
        fields=choices[reply.part_count :],
        redo=Token(Action.REDO, reply.enhancement_id, reply.revision),
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
    words, tone = placed_words(line)
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


def own_path(url: str) -> str:
    """Return an address of ours without its host: people came by another of our names, and the page finds its own."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _own_picture(url: str, hosts: frozenset[str]) -> str:
    """Return a picture's path when it is ours to load, empty otherwise.

    The address people came by may be another of our names, so only the path is kept.
    """
    if not safe_link(url):
        return ""
    parts = urlsplit(url)
    if parts.netloc and parts.netloc.lower() not in hosts:
        return ""
    return own_path(url)
