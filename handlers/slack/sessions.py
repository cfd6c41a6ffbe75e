"""The reply about signed-in browsers as Block Kit."""

from __future__ import annotations

from domain.sessions import SessionsShown
from handlers.session_faces import session_face
from handlers.slack.blocks import Block, context, section, sections, sentence, when, words_of
from handlers.slack.cards import MAX_LINES, Shown
from handlers.words import Words


def show_sessions(reply: SessionsShown, words: Words) -> Shown:
    """Return what Slack shows."""
    face = session_face(reply, words, clean=words_of, time=lambda moment: when(moment, words))
    rows = [f"*{row.name}*  `{row.mark}`\n{row.said}" for row in face.rows]
    blocks: list[Block] = [section(f"🖥️ *{face.title}*"), *sections(rows[:MAX_LINES])]
    if len(rows) > MAX_LINES:
        blocks.append(context(words("{count} more are not shown.", count=words.number(len(rows) - MAX_LINES))))
    blocks.append(context(sentence(face.hint)))
    return Shown(face.title, blocks)
