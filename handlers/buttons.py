"""What can be pressed on a reply: the tokens, the most likely first. Every chat draws them in its own way,
and the command line's `--json` prints them (docs/decisions/0005).
"""

from __future__ import annotations

from typing import assert_never

from domain.connect_replies import ConnectAnswer
from domain.data_replies import ExportOffered, FileReady, Forgotten, HealthNotice
from domain.enhancement import PUBLISHED_PLACEMENTS
from domain.picture import FindingCode
from domain.replies import (
    AlreadyDecided,
    Card,
    Compared,
    DecidedElsewhere,
    DecisionDue,
    EnhanceFailed,
    Expired,
    Guess,
    HelpShown,
    HistoryShown,
    Invited,
    Joined,
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
    TeamShown,
    WorkspaceInvited,
)
from domain.tokens import Action, Token
from handlers.alert_faces import alert_buttons
from handlers.button import Asks, Button, Style
from handlers.connect_faces import connect_buttons
from handlers.stock_faces import stock_buttons
from handlers.sync_faces import sync_buttons
from handlers.words import text

TAKE_BACK = text("Take my approval back")
REMOVE = text("Take the access away")

__all__ = ["REMOVE", "TAKE_BACK", "Asks", "Button", "Style", "buttons"]


def buttons(reply: Reply) -> tuple[Button, ...]:  # noqa: C901 - one case a reply
    """Return the buttons of a reply, the most likely first. Every token fits into 64 bytes."""
    match reply:
        case PreviewReady(card):
            return (
                _on(card, Action.APPROVE, "Approve", style="primary", asks="confirm"),
                _on(card, Action.REJECT, "Reject", style="danger", asks="reason"),
                _redo(card, "Redo"),
                *_corrections(card),
                *_split(card),
                *_compare(card),
                *((_on(card, Action.UNDO, TAKE_BACK),) if card.approved_by else ()),
            )
        case Publishing(card) if reply.is_accepted:
            return (_on(card, Action.UNDO, "Undo"),)
        case Published(card):
            return (_on(card, Action.UNDO, "Undo"), _redo(card, "Redo"))
        case PublishFailed(card):
            retry = _on(card, Action.RETRY, "Retry", style="primary")
            undo = (_on(card, Action.UNDO, "Undo"),) if _stands_somewhere(reply.placed) else ()
            return (retry, *undo, _redo(card, "Redo"))
        case Unclear(card):
            return (
                _on(card, Action.LOOK_AGAIN, "Look again", style="primary"),
                _on(card, Action.IT_IS_THERE, "It is there"),
                _on(card, Action.IT_IS_NOT_THERE, "It is not there"),
            )
        case RestoreFailed(card):
            return (_on(card, Action.RETRY, "Retry", style="primary"),)
        case Rejected(card):
            return (_redo(card, "Redo"), *_corrections(card))
        case Restored(card) | Expired(card) | EnhanceFailed(card):
            return (_redo(card, "Redo"),)
        case RemovalAsked(member_id):
            return (Button(REMOVE, str(Token(Action.DISMISS, member_id, 0)), "danger"),)
        case WhichProduct():
            return _choices(Action.CHOOSE_PRODUCT, reply.question_id, reply.guesses)
        case WhichStore():
            return _choices(Action.CHOOSE_STORE, reply.question_id, reply.guesses)
        case WhichPart():
            return _choices(Action.CHOOSE_PART, reply.question_id, reply.guesses)
        case StockAnswer():
            return stock_buttons(reply)
        case AlertAnswer():
            return alert_buttons(reply)
        case SyncAnswer():
            return sync_buttons(reply)
        case ConnectAnswer():
            return connect_buttons(reply)
        case (
            Working()
            | Publishing()
            | Restoring()
            | AlreadyDecided()
            | Refused()
            | ProductShown()
            | ProductList()
            | HistoryShown()
            | StatusShown()
            | StoreList()
            | HelpShown()
            | Invited()
            | Joined()
            | MemberList()
            | SettingsShown()
            | DecisionDue()
            | SessionsShown()
            | DecidedElsewhere()
            | Compared()
            | InvitationList()
            | InvitationRevoked()
            | MemberChanged()
            | RulesShown()
            | TeamShown()
            | WorkspaceInvited()
            | HealthNotice()
            | FileReady()
            | ExportOffered()
            | Forgotten()
        ):
            return ()
        case _:
            assert_never(reply)


def _on(card: Card, action: Action, label: str, *, style: Style = "plain", asks: Asks = "") -> Button:
    return Button(label, str(Token(action, card.enhancement_id, card.revision)), style, asks)


def _redo(card: Card, label: str) -> Button:
    return _on(card, Action.REDO, label, asks="recipe")


def _corrections(card: Card) -> tuple[Button, ...]:
    return (
        _on(card, Action.KEEP, "Keep a part…", asks="part"),
        _on(card, Action.REMOVE, "Remove a part…", asks="part"),
    )


def _split(card: Card) -> tuple[Button, ...]:
    several = any(finding.code is FindingCode.SEVERAL_OBJECTS for finding in card.findings)
    return (_on(card, Action.SPLIT, "Split into single pictures"),) if several else ()


def _compare(card: Card) -> tuple[Button, ...]:
    """There is something to compare from the second version on."""
    return (_on(card, Action.COMPARE, "Compare versions"),) if card.revision > 1 else ()


def _choices(action: Action, question_id: str, guesses: tuple[Guess, ...]) -> tuple[Button, ...]:
    return tuple(
        Button(guess.label, str(Token(action, question_id, index)), "primary" if index == 0 else "plain")
        for index, guess in enumerate(guesses)
    )


def _stands_somewhere(placed: tuple[Placed, ...]) -> bool:
    """Whether our picture stands in at least one shop, so that there is something to undo."""
    return any(line.state in PUBLISHED_PLACEMENTS for line in placed)
