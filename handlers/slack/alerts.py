"""The digest and what else is said of stock unasked, as Block Kit: a section a product, with a button to be quiet about it."""

from __future__ import annotations

from domain.stock_alert_replies import AlertReply, DigestShown
from handlers.alert_faces import (
    SNOOZE,
    alert_buttons,
    alert_face,
    ask_button,
    chart_alt,
    digest_head,
    line_row,
    rest_row,
    summary_rows,
)
from handlers.slack.blocks import Block, actions, button, context, image, section, sections, sentence, words_of
from handlers.slack.cards import PRESS, Picture, Shown, draw_button
from handlers.stock_faces import StockRow
from handlers.words import Words


def show_alert(reply: AlertReply, words: Words, picture: Picture) -> Shown:
    """Return what Slack shows for it."""
    if isinstance(reply, DigestShown):
        return _digest(reply, words, picture)
    face = alert_face(reply, words)
    head = words_of(face.head)
    blocks: list[Block] = [section(f"{face.icon} *{head}*"), *sections(_row(row) for row in face.rows)]
    if face.foot:
        blocks.append(context(sentence(face.foot)))
    if pressable := alert_buttons(reply):
        blocks.append(actions([draw_button(each, index, None, words) for index, each in enumerate(pressable)]))
    return Shown(head, blocks)


def _digest(reply: DigestShown, words: Words, picture: Picture) -> Shown:
    head = words_of(digest_head(reply, words))
    blocks: list[Block] = [section(f"☀️ *{head}*")]
    if reply.is_quiet:
        return Shown(head, blocks)
    shown = [line_row(line, words) for line in reply.lines]
    for index, (line, row) in enumerate(zip(reply.lines, shown, strict=True)):
        asks = ask_button(line)
        quiet = button(f"🔕 {words(SNOOZE)}", asks.token, f"{PRESS}:{index}") if asks else None
        blocks.append(section(_row(row), quiet))
    rest = rest_row(reply, words)
    blocks += sections(_row(row) for row in (*((rest,) if rest else ()), *summary_rows(reply, words)))
    if picture.file_id:
        blocks.append(image(picture.file_id, chart_alt(reply, words)))
    elif picture.is_in_thread:
        blocks.append(context(words("🖼️ Slack could not show the picture here, so it is in the thread.")))
    said = "; ".join(row.label for row in shown[:3])
    return Shown(f"{head}: {words_of(said)}" if said else head, blocks)


def _row(row: StockRow) -> str:
    label = f"*{words_of(row.label)}*" if row.label else ""
    return "  ".join(part for part in (label, sentence(row.said)) if part)
