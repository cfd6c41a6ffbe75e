"""Who may press what, and how a refusal calls it. Checked at every press, never only when a button is drawn."""

from __future__ import annotations

from domain.enhancement import Enhancement
from domain.errors import NotAllowed
from domain.people import Member, Role
from domain.sentences import Sentence
from domain.tokens import Action
from handlers.words import text

NEEDS: dict[Action, Role] = {
    Action.APPROVE: Role.APPROVER,
    Action.REJECT: Role.EDITOR,  # one's own drafts; anybody's from approver on
    Action.REDO: Role.EDITOR,
    Action.UNDO: Role.APPROVER,
    Action.RETRY: Role.EDITOR,  # what was approved once may be tried again; a failed picture redone
    Action.IT_IS_THERE: Role.APPROVER,
    Action.IT_IS_NOT_THERE: Role.APPROVER,
    Action.LOOK_AGAIN: Role.APPROVER,
    Action.CHOOSE_PRODUCT: Role.EDITOR,
    Action.CHOOSE_STORE: Role.EDITOR,
    Action.CHOOSE_PART: Role.EDITOR,
    Action.KEEP: Role.EDITOR,
    Action.REMOVE: Role.EDITOR,
    Action.COMPARE: Role.VIEWER,
    Action.SPLIT: Role.EDITOR,
    Action.DISCONNECT: Role.ADMIN,
    Action.ALLOW: Role.ADMIN,
    Action.DISMISS: Role.ADMIN,
    Action.CONFIRM_STOCK: Role.APPROVER,
    Action.UNDO_STOCK: Role.APPROVER,
    Action.IMPORT: Role.ADMIN,
    Action.SNOOZE: Role.EDITOR,
    Action.TRUST_STORE: Role.APPROVER,
    Action.TRUST_OTHERS: Role.APPROVER,
    Action.COUNT_MYSELF: Role.APPROVER,
    Action.DEALT_WITH: Role.APPROVER,
    Action.GO_AHEAD: Role.APPROVER,
    Action.LEAVE_IT: Role.APPROVER,
}
ANYWHEN = frozenset(
    {Action.CHOOSE_PRODUCT, Action.CHOOSE_STORE, Action.CHOOSE_PART, Action.COMPARE, Action.SPLIT, Action.DISMISS, Action.DISCONNECT,
     Action.ALLOW, Action.SNOOZE}
)  # fmt: skip
"""What is about a question, a member or a store, or about every revision: no press of it is a card's, and stale by it."""
_ACTION_WORDS: dict[Action, str] = {
    Action.APPROVE: text("Approving"),
    Action.REJECT: text("Rejecting"),
    Action.REDO: text("Making it again"),
    Action.UNDO: text("Undoing"),
    Action.RETRY: text("Trying again"),
    Action.IT_IS_THERE: text("Saying what is in the shop"),
    Action.IT_IS_NOT_THERE: text("Saying what is in the shop"),
    Action.LOOK_AGAIN: text("Looking again"),
    Action.CHOOSE_PRODUCT: text("Enhancing"),
    Action.CHOOSE_STORE: text("Enhancing"),
    Action.CHOOSE_PART: text("Correcting the cut-out"),
    Action.KEEP: text("Correcting the cut-out"),
    Action.REMOVE: text("Correcting the cut-out"),
    Action.COMPARE: text("Comparing"),
    Action.SPLIT: text("Splitting a photo"),
    Action.DISCONNECT: text("Disconnecting a store"),
    Action.ALLOW: text("Allowing more"),
    Action.DISMISS: text("Taking somebody's access away"),
    Action.CONFIRM_STOCK: text("Writing stock"),
    Action.UNDO_STOCK: text("Writing stock"),
    Action.IMPORT: text("Importing"),
    Action.SNOOZE: text("Snoozing"),
    Action.TRUST_STORE: text("Deciding about stock"),
    Action.TRUST_OTHERS: text("Deciding about stock"),
    Action.COUNT_MYSELF: text("Deciding about stock"),
    Action.DEALT_WITH: text("Deciding about stock"),
    Action.GO_AHEAD: text("Deciding about stock"),
    Action.LEAVE_IT: text("Deciding about stock"),
}
"""What a refusal for want of a role calls an action."""


def action_words(action: Action) -> Sentence:
    """Return how a refusal calls an action."""
    return Sentence(_ACTION_WORDS[action])


def check_role(member: Member, action: Action, enhancement: Enhancement) -> None:
    """Raise NotAllowed where this member may not do this to this enhancement; one's own draft an editor may reject."""
    needed = NEEDS[action]
    is_own = enhancement.requested_by == member.member_id
    if action is Action.REJECT and not is_own:
        needed = Role.APPROVER
    if not member.role.covers(needed):
        is_foreign = action is Action.REJECT and not is_own
        what = Sentence("Rejecting someone else's picture") if is_foreign else action_words(action)
        raise NotAllowed(needs=needed.value, has=member.role.value, what=what)
