"""The answers about connecting as Block Kit."""

from __future__ import annotations

from domain.connect_replies import ConnectReply
from handlers.connect_faces import ConnectRow, connect_buttons, connect_face
from handlers.slack.blocks import Block, actions, context, link, section, sections, sentence, words_of
from handlers.slack.cards import MAX_LINES, Shown, draw_button
from handlers.words import Words


def show_connect_reply(reply: ConnectReply, words: Words) -> Shown:
    """Return what Slack shows for an answer about connecting."""
    face = connect_face(reply, words)
    title = words_of(face.title)
    blocks: list[Block] = [section(f"{face.icon} *{title}*"), *sections(_row(row) for row in face.rows[:MAX_LINES])]
    if len(face.rows) > MAX_LINES:
        blocks.append(context(words("{count} more are not shown.", count=words.number(len(face.rows) - MAX_LINES))))
    if face.link_url:
        blocks.append(section(f"*{link(face.link_url, face.link_label)}*"))
    if face.hint:
        blocks.append(context(sentence(face.hint)))
    if pressable := connect_buttons(reply):
        blocks.append(actions([draw_button(each, index, None, words) for index, each in enumerate(pressable)]))
    said = "; ".join(row.said or row.label for row in face.rows[:2])
    return Shown(f"{title}: {words_of(said)}" if said else title, blocks)


def _row(row: ConnectRow) -> str:
    label = f"*{words_of(row.label)}*" if row.label else ""
    line = "  ".join(part for part in (label, sentence(row.said)) if part)
    return "\n".join((line, *(f"      {sentence(note)}" for note in row.notes)))
