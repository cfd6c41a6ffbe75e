"""An error as one sentence for a person, ending in what to do next."""

from __future__ import annotations

import hashlib

from domain.errors import (
    Ambiguous,
    Fault,
    MissingScope,
    NeedsReconnect,
    NotFound,
    RateLimited,
    RejectedByStore,
    StockChanged,
    StoreDown,
    StoreError,
    Undeliverable,
    UserError,
)

_FAULTS = {
    "media_missing": "That photo is no longer kept: send it again.",
    "media_full": "There is no room left for photos: ask your admin to make room on the disk, then send it again.",
    "media_down": "The photo storage does not answer at the moment: try again in a few minutes.",
    "database_down": "My database does not answer at the moment: try again in a minute; nothing was changed.",
    "database_not_migrated": "My database is not set up yet: ask your admin to run `packshot migrate`.",
    "database_full": "There is no room left on the disk: ask your admin to make room, then try again.",
    "database_busy": "Too much is going on at once: try again in a moment.",
    "step_hung": "That took far too long, so I stopped: try again, with a smaller photo if it is a large one.",
    "dead_letter": "That photo stopped me again and again, so I gave up on it: send another one.",
    "job_lost": "I lost track of that: press Retry, or ask for it again.",
}
"""The faults a person can do something about; the others are a code for the log."""


def sentence_for(error: BaseException) -> str:
    """Return what the person reads. Whatever is not theirs to mend becomes a short code."""
    match error:
        case UserError() | Undeliverable():
            return error.sentence
        case RateLimited():
            return f"{error.store} is busy and asked me to wait {error.retry_after_s:.0f} s: try again then."
        case StoreDown():
            return f"{error.store} does not answer at the moment: try again in a few minutes."
        case NeedsReconnect():
            return f"{error.store} no longer accepts my key: connect it again, then retry."
        case MissingScope():
            right = f"the right {error.scope}" if error.scope else "a right for that"
            return f"{error.store} says that my key lacks {right}: grant it there, connect again, then retry."
        case StockChanged():
            return f"{error.store} shows {error.found} of {error.sku} by now, so I wrote nothing: look, then try again."
        case NotFound():
            return f"The listing is gone at {error.store}: check it there, then enhance again."
        case RejectedByStore():
            return f"{error.store} refused the picture ({error}): mend that, then retry."
        case Ambiguous():
            return f"I cannot tell whether {error.store} took the picture: look there and press what you see."
        case StoreError():
            return f"{error.store} answered something I do not know ({error}): try again, or look there."
        case Fault(code=code) if code in _FAULTS:
            return _FAULTS[code]
        case _:
            code = fault_code(error)
            return f"Something went wrong on my side: try again, and if it stays, look for {code} in the log."


def fault_code(error: BaseException) -> str:
    """Return a short code that the log line carries too; the same failure has the same code."""
    if isinstance(error, Fault):
        return error.code
    origin = f"{type(error).__name__}:{error}"
    return "F" + hashlib.sha256(origin.encode()).hexdigest()[:6].upper()
