"""The answers about connecting as Telegram shows them: HTML, and rows of buttons."""

from __future__ import annotations

from dataclasses import replace

from telegram import InlineKeyboardButton

from domain.connect_replies import ConnectReply
from handlers.connect_faces import ConnectRow, connect_buttons, connect_face
from handlers.telegram.keyboards import Rows, choice_rows
from handlers.telegram.markup import MAX_TEXT, bold, code, commands, esc, fitted, is_web
from handlers.words import Words


def connect_message(reply: ConnectReply, words: Words) -> tuple[str, Rows]:
    """Return the HTML and the rows of buttons. An address only this machine can open is text: Telegram has no button for it."""
    face = connect_face(reply, words)
    html = fitted(
        [f"{face.icon} {bold(esc(face.title, at_most=200))}"],
        [_row(row) for row in face.rows],
        at_most=MAX_TEXT - 700,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    rows: Rows = choice_rows(tuple(replace(each, label=words(each.label)) for each in connect_buttons(reply)))
    if is_web(face.link_url):
        rows = ((InlineKeyboardButton(f"🔗 {face.link_label}", url=face.link_url),), *rows)
    elif face.link_url:
        html += f"\n{code(esc(face.link_url, at_most=500))}"
    return html + (f"\n{commands(face.hint)}" if face.hint else ""), rows


def _row(row: ConnectRow) -> str:
    label = bold(esc(row.label, at_most=160)) if row.label else ""
    line = "  ".join(part for part in (label, commands(row.said, at_most=300)) if part)
    return "\n".join((line, *(f"    {commands(note, at_most=200)}" for note in row.notes)))
