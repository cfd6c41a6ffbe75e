"""The words on a button's back: `v1:<action>:<id>:<number>`, the same in every chat.

Telegram grants 64 bytes (CHATS, callback_data), so the id is a 22 character short one; a test
measures the longest token. The spelling is a promise: buttons live for months in a chat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import BadInput

TOKEN_MAX_BYTES = 64
ENHANCEMENT_ID_CHARS = 22


class Action(StrEnum):
    """What a press asks for. `number` is the revision, for choose_* the index of the choice."""

    APPROVE = "approve"
    REJECT = "reject"
    REDO = "redo"
    UNDO = "undo"
    RETRY = "retry"
    IT_IS_THERE = "there"
    IT_IS_NOT_THERE = "notthere"
    LOOK_AGAIN = "look"
    CHOOSE_PRODUCT = "product"
    CHOOSE_STORE = "store"
    CHOOSE_PART = "part"
    KEEP = "keep"
    REMOVE = "remove"
    COMPARE = "compare"
    SPLIT = "split"
    DISMISS = "dismiss"
    CONFIRM_STOCK = "stockyes"
    UNDO_STOCK = "stockundo"
    IMPORT = "import"
    SNOOZE = "snooze"
    TRUST_STORE = "truststore"
    TRUST_OTHERS = "trustothers"
    COUNT_MYSELF = "countmyself"
    DEALT_WITH = "dealtwith"
    GO_AHEAD = "goahead"
    LEAVE_IT = "leaveit"
    DISCONNECT = "disconnect"
    ALLOW = "allow"


_TOKEN = re.compile(r"v1:([a-z]+):([A-Za-z0-9_-]{1,40}):([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed button. `subject_id` names an enhancement, a question for the choose_* actions, a member for dismiss."""

    action: Action
    subject_id: str
    number: int

    def __str__(self) -> str:
        return f"v1:{self.action.value}:{self.subject_id}:{self.number}"

    @classmethod
    def parse(cls, text: str) -> Token:
        """Read a token. Raises BadInput for anything forged, cut or from another version."""
        match = _TOKEN.fullmatch(text.strip())
        if match is None:
            raise BadInput("I do not know that button: ask for the card again with `history`.")
        try:
            action = Action(match[1])
        except ValueError:
            raise BadInput("I do not know that button: ask for the card again with `history`.") from None
        return cls(action, match[2], int(match[3]))
