"""The answers about stock as Telegram shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.stock_replies import StockReply
from handlers.button import Button
from handlers.stock_faces import StockFace, StockRow, stock_buttons, stock_face
from handlers.telegram.keyboards import Rows, choice_rows
from handlers.telegram.markup import MAX_TEXT, bold, commands, esc, fitted
from handlers.words import Words


def stock_message(reply: StockReply, words: Words) -> tuple[str, Rows]:
    """Return the HTML and the rows of buttons."""
    return face_message(stock_face(reply, words), stock_buttons(reply), words)


def face_message(face: StockFace, pressable: Sequence[Button], words: Words) -> tuple[str, Rows]:
    """Return a face as HTML, and its buttons, one a row."""
    foot = f"\n{commands(face.foot)}" if face.foot else ""
    html = fitted(
        [f"{face.icon} {bold(esc(face.head))}"],
        [_row(row) for row in face.rows],
        at_most=MAX_TEXT - 500,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    return html + foot, choice_rows(tuple(replace(each, label=words(each.label)) for each in pressable))


def _row(row: StockRow) -> str:
    label = bold(esc(row.label, at_most=160)) if row.label else ""
    line = "  ".join(part for part in (label, commands(row.said, at_most=300)) if part)
    return "\n".join((line, *(f"    {commands(note, at_most=200)}" for note in row.notes)))
