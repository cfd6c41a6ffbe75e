"""The replies about health and data as Telegram shows them, and the lines of `status`."""

from __future__ import annotations

from telegram import InlineKeyboardButton

from domain.data_replies import DataReply
from domain.replies import HistoryShown, StatusShown
from handlers.data_faces import data_face, health_words, history_title, history_turn, queue_words
from handlers.telegram.keyboards import Rows
from handlers.telegram.markup import MAX_TEXT, bold, code, commands, esc, fitted, is_web
from handlers.words import Words


def data_message(reply: DataReply, words: Words) -> tuple[str, Rows]:
    """Return the HTML and the rows of buttons."""
    face = data_face(reply, words, clean=lambda said: commands(said, at_most=400))
    title = f"{face.icon} {bold(face.title) if face.lines else face.title}"
    html = fitted(
        [title],
        list(face.lines),
        at_most=MAX_TEXT - 600,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    if face.hint:
        html += f"\n{commands(face.hint, at_most=400)}"
    if is_web(face.link_url):
        return html, ((InlineKeyboardButton(f"🔗 {face.link_label}", url=face.link_url),),)
    return (f"{html}\n{esc(face.link_url, at_most=500)}" if face.link_url else html), ()


def history_message(reply: HistoryShown, words: Words) -> str:
    """Return a page of the history, cut to a message, with the command of the next page."""
    title = bold(history_title(reply, words, clean=lambda said: esc(said, at_most=64)))
    if not reply.lines:
        return f"{title}\n{words('Nothing has happened yet.')}"
    lines = []
    for line in reply.lines:
        sku = f" {code(esc(line.sku, at_most=64))}" if line.sku and not reply.sku else ""
        said = esc(words.sentence(line.what), at_most=200)
        lines.append(f"{words.time(line.at)} · {bold(esc(line.who, at_most=60))} {said}{sku}")
    page, following = history_turn(reply, words)
    foot = " · ".join(part for part in (page, code(f"/{esc(following)}") if following else "") if part)
    html = fitted(
        [title],
        lines,
        at_most=MAX_TEXT - 200,
        rest=lambda left: words("…and {number} more: the console shows them all.", number=words.number(left)),
    )
    return f"{html}\n\n{foot}" if foot else html


def health_rows(reply: StatusShown, words: Words) -> list[str]:
    """Return a paragraph a store and chat, and what waits."""
    rows = []
    for line in reply.lines:
        state, facts = health_words(line, words, clean=lambda said: commands(said, at_most=250))
        head = f"\n{'🟢' if line.is_well else '🔴'} {bold(esc(line.name, at_most=60))} {state}"
        told = "\n".join(facts)
        todo = f"\n👉 {commands(words.sentence(line.todo), at_most=200)}" if line.todo else ""
        rows.append(f"{head}\n{told}{todo}")
    if reply.queue:
        rows.append(f"\n{esc(queue_words(reply.queue, words))}")
    return rows
