"""What `status` says of messages that do not arrive; the chats add sentences of their own (Undeliverable).

Where it happened and since when is said around them (`handlers/stores.py`).
"""

from __future__ import annotations

from handlers.words import text

NO_ANSWER = text("It does not answer: I keep trying.")
NO_STORAGE = text("My own storage does not answer: I keep trying.")
NOT_CONNECTED = text("It is not connected: set its tokens and start again.")
ALWAYS_FAILS = text("It failed at a message again and again, so I left that one out.")
REFUSED = text("It refused a message: the log says why.")
BROKEN = text("A message could not be shown: the log says why.")
