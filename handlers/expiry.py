"""A preview nobody decides on: a reminder first, then it is closed. Never a silent no.

The clock starts when the preview is shown and again when people were reminded, so that a bot which was switched
off meanwhile still reminds before it closes anything.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain.enhancement import EnhancementEvent, EnhancementState
from domain.errors import RowChanged
from domain.replies import DecisionDue
from handlers.card import show_card
from handlers.desk import Desk
from handlers.enhance import BOT, audit_entry

LONGEST_NOTICE = timedelta(days=7)


def notice_of(kept: timedelta) -> timedelta:
    """Return how long before its end a preview that is kept so long is spoken of: a quarter, a week at most."""
    return min(LONGEST_NOTICE, kept / 4)


async def remind(enhancement_id: str, desk: Desk, *, notice: timedelta) -> bool:
    """Remind people of a preview, under its card wherever that is shown; False when it is not waiting or was told.

    Once a revision, whoever else does the same at the same moment.
    """
    try:
        async with desk.work() as work:
            enhancement = await work.enhancements.load(enhancement_id)
            if enhancement.state is not EnhancementState.AWAITING_DECISION or enhancement.reminded_at is not None:
                return False
            now = desk.clock()
            reminded = replace(enhancement, reminded_at=now)
            await work.enhancements.save(reminded, was=enhancement)
            due = DecisionDue(
                enhancement.sku.value, enhancement.title, enhancement.requested_by_name, expires_at=now + notice
            )
            await work.say_under(enhancement_id, due)
            await work.audit(audit_entry(reminded, desk, BOT, "reminded", f"{notice.days} days left"))
            return True
    except RowChanged:  # decided or reminded of a moment ago
        return False


async def expire(enhancement_id: str, desk: Desk) -> None:
    """Close a preview nobody decided on before its photos are forgotten; the card says so, and redo stays."""
    try:
        async with desk.work() as work:
            enhancement = await work.enhancements.load(enhancement_id)
            if enhancement.state is not EnhancementState.AWAITING_DECISION:
                return
            expired = enhancement.after(EnhancementEvent.EXPIRE)
            await work.enhancements.save(expired, was=enhancement)
            await show_card(work, expired)
            await work.audit(audit_entry(expired, desk, BOT, "expired", "nobody decided in time", was=enhancement))
    except RowChanged:  # somebody decided a moment ago, which is better
        return
