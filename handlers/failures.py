"""An error as one sentence for a person, ending in what to do next."""

from __future__ import annotations

import hashlib
import math
from typing import Final

from domain.errors import (
    Ambiguous,
    Disconnected,
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
from domain.sentences import Sentence
from handlers.words import text

LONG_PAUSE_S: Final = 120.0
"""From here on a pause is told in minutes: a day's allowance that is used up, not a moment's haste."""

_FAULTS: dict[str, str] = {
    "media_missing": text("That photo is no longer kept: send it again."),
    "media_full": text(
        "There is no room left for photos: ask your admin to make room on the disk, then send it again."
    ),
    "media_down": text("The photo storage does not answer at the moment: try again in a few minutes."),
    "database_down": text("My database does not answer at the moment: try again in a minute; nothing was changed."),
    "database_not_migrated": text("My database is not set up yet: ask your admin to run `packshot migrate`."),
    "database_full": text("There is no room left on the disk: ask your admin to make room, then try again."),
    "database_busy": text("Too much is going on at once: try again in a moment."),
    "step_hung": text("That took far too long, so I stopped: try again, with a smaller photo if it is a large one."),
    "dead_letter": text("That photo stopped me again and again, so I gave up on it: send another one."),
    "job_lost": text("I lost track of that: press Retry, or ask for it again."),
}
"""The faults a person can do something about; the others are a code for the log."""


def sentence_for(error: BaseException) -> Sentence:
    """Return what the person reads. Whatever is not theirs to mend becomes a short code."""
    match error:
        case UserError():
            return error.sentence
        case Undeliverable():
            return Sentence(error.sentence)
        case StoreError():
            return _of_store(error)
        case Fault(code=code) if code in _FAULTS:
            return Sentence(_FAULTS[code])
        case _:
            return Sentence(
                "Something went wrong on my side: try again, and if it stays, look for {code} in the log.",
                code=fault_code(error),
            )


def undo_sentence_for(error: BaseException) -> Sentence:
    """Return what the person reads when an undo failed: as `sentence_for`, where that does not speak of publishing."""
    if isinstance(error, Ambiguous):
        return Sentence(
            "I cannot tell whether {store} put the old picture back: press Retry, and I look first.", store=error.store
        )
    if isinstance(error, RejectedByStore):
        return Sentence(
            "{store} refused to change back ({why}): mend that, then retry.", store=error.store, why=str(error)
        )
    return sentence_for(error)


def _of_store(error: StoreError) -> Sentence:
    match error:
        case RateLimited() if error.retry_after_s >= LONG_PAUSE_S:
            return Sentence(
                "{store} takes no more calls from me for now: it opens again in {minutes} minutes, so try again then.",
                store=error.store,
                minutes=math.ceil(error.retry_after_s / 60),
            )
        case RateLimited():
            return Sentence(
                "{store} is busy and asked me to wait {seconds} s: try again then.",
                store=error.store,
                seconds=round(error.retry_after_s),
            )
        case StoreDown():
            return Sentence("{store} does not answer at the moment: try again in a few minutes.", store=error.store)
        case NeedsReconnect():
            return Sentence(
                "{store} no longer accepts my key: an admin connects it again with `reconnect {store}`, then retry.",
                store=error.store,
            )
        case MissingScope(scope=""):
            return Sentence(
                "{store} says that my key lacks a right for that: an admin sees it with `permissions {store}`, then retry.",
                store=error.store,
            )
        case MissingScope():
            return Sentence(
                "{store} says that my key lacks the right {scope}: an admin allows it with `reconnect {store}`, then retry.",
                store=error.store,
                scope=error.scope,
            )
        case StockChanged():
            return Sentence(
                "{store} shows {found} of {sku} by now, so I wrote nothing: look, then try again.",
                store=error.store,
                found="—" if error.found is None else error.found,
                sku=error.sku,
            )
        case Disconnected():
            return Sentence("{store} was disconnected: an admin connects it again with `connect`.", store=error.store)
        case NotFound():
            return Sentence("The listing is gone at {store}: check it there, then enhance again.", store=error.store)
        case RejectedByStore():
            return Sentence(
                "{store} refused the picture ({why}): mend that, then retry.", store=error.store, why=str(error)
            )
        case Ambiguous():
            return Sentence(
                "I cannot tell whether {store} took the picture: look there and press what you see.", store=error.store
            )
        case _:
            return Sentence(
                "{store} answered something I do not know ({why}): try again, or look there.",
                store=error.store,
                why=str(error),
            )


def fault_code(error: BaseException) -> str:
    """Return a short code that the log line carries too; the same failure has the same code."""
    if isinstance(error, Fault):
        return error.code
    origin = f"{type(error).__name__}:{error}"
    return "F" + hashlib.sha256(origin.encode()).hexdigest()[:6].upper()
