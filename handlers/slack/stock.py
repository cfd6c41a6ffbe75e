"""The answers about stock as Block Kit."""

from __future__ import annotations

from collections.abc import Sequence

from domain.stock_replies import StockReply
from handlers.button import Button
from handlers.slack.blocks import Block, actions, context, section, sections, sentence, words_of
from handlers.slack.cards import MAX_LINES, Shown, draw_button
from handlers.stock_faces import StockFace, StockRow, stock_buttons, stock_face
from handlers.words import Words


def show_stock_reply(reply: StockReply, words: Words) -> Shown:
    """Return what Slack shows for an answer about stock."""
    return show_face(stock_face(reply, words), stock_buttons(reply), words)


def show_face(face: StockFace, pressable: Sequence[Button], words: Words, *, extra: Sequence[Block] = ()) -> Shown:
    """Return a face in blocks; `extra` stands between its foot and its buttons."""
    head = words_of(face.head)
    blocks: list[Block] = [section(f"{face.icon} *{head}*"), *sections(_row(row) for row in face.rows[:MAX_LINES])]
    if len(face.rows) > MAX_LINES:
        left = words.number(len(face.rows) - MAX_LINES)
        blocks.append(context(words("{count} more are not shown.", count=left)))
    if face.foot:
        blocks.append(context(sentence(face.foot)))
    blocks += extra
    if pressable:
        blocks.append(actions([draw_button(each, index, None, words) for index, each in enumerate(pressable)]))
    said = "; ".join(f"{row.label} {row.said}".strip() for row in face.rows[:3])
    return Shown(f"{head}: {words_of(said)}" if said else head, blocks)


def _row(row: StockRow) -> str:
    label = f"*{words_of(row.label)}*" if row.label else ""
    line = "  ".join(part for part in (label, sentence(row.said)) if part)
    return "\n".join((line, *(f"      {sentence(note)}" for note in row.notes)))
