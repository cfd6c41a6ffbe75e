"""The digest and what else is said of stock unasked, as Telegram shows it: under the chart, as a caption."""

from __future__ import annotations

from dataclasses import replace

from telegram import InlineKeyboardButton

from domain.catalog import Sha256
from domain.stock_alert_replies import AlertReply, DigestShown, OutNow, SnoozeAsked
from handlers.alert_faces import alert_buttons, alert_face
from handlers.stock_faces import StockRow
from handlers.telegram.keyboards import Rows, choice_rows
from handlers.telegram.markup import MAX_CAPTION, MAX_TEXT, bold, commands, cut, esc, fitted
from handlers.words import Words

_A_ROW = 2
"""Buttons side by side: two SKUs are read whole on a phone, three are not."""


def alert_message(reply: AlertReply, words: Words) -> tuple[str, Rows, Sha256 | None]:
    """Return the HTML, the rows of buttons and the picture."""
    face = alert_face(reply, words)
    chart = reply.chart if isinstance(reply, DigestShown) else None
    foot = [f"\n{commands(face.foot)}"] if face.foot else []
    html = fitted(
        [f"{face.icon} {bold(esc(face.head))}"],
        [*(_row(row) for row in face.rows), *foot],
        at_most=MAX_CAPTION if chart else MAX_TEXT,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    return html, _keys(reply, words), chart


def _keys(reply: AlertReply, words: Words) -> Rows:
    pressable = alert_buttons(reply)
    if isinstance(reply, DigestShown):
        keys = [InlineKeyboardButton(f"🔕 {cut(each.label, 24)}", callback_data=each.token) for each in pressable]
    elif isinstance(reply, OutNow | SnoozeAsked):
        keys = [InlineKeyboardButton(f"🔕 {words(each.label)}", callback_data=each.token) for each in pressable]
    else:
        return choice_rows(tuple(replace(each, label=words(each.label)) for each in pressable))
    return tuple(tuple(keys[start : start + _A_ROW]) for start in range(0, len(keys), _A_ROW))


def _row(row: StockRow) -> str:
    label = bold(esc(row.label, at_most=120)) if row.label else ""
    return "  ".join(part for part in (label, commands(row.said, at_most=250)) if part)
