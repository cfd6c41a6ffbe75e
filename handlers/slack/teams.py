"""The replies about teams as Block Kit."""

from __future__ import annotations

from domain.team_replies import RemovalAsked, TeamReply
from handlers.buttons import buttons
from handlers.slack.blocks import (
    MAX_ACTIONS,
    Block,
    actions,
    context,
    link,
    section,
    sections,
    sentence,
    when,
    words_of,
)
from handlers.slack.cards import MAX_LINES, Shown, draw_button
from handlers.team_faces import team_face
from handlers.words import Words


def show_team_reply(reply: TeamReply, words: Words) -> Shown:
    """Return what Slack shows for a reply about the team."""
    face = team_face(reply, words, clean=words_of, time=lambda moment: when(moment, words))
    blocks: list[Block] = [section(f"{face.icon} *{face.title}*" if face.lines else f"{face.icon} {face.title}")]
    blocks += sections(face.lines[:MAX_LINES])
    if len(face.lines) > MAX_LINES:
        blocks.append(context(words("{count} more are not shown.", count=words.number(len(face.lines) - MAX_LINES))))
    if face.link_url:
        blocks.append(section(f"*{link(face.link_url, face.link_label)}*"))
    if face.hint:
        blocks.append(context(sentence(face.hint)))
    if isinstance(reply, RemovalAsked):
        pressable = buttons(reply)[:MAX_ACTIONS]
        blocks.append(actions([draw_button(each, index, None, words) for index, each in enumerate(pressable)]))
    return Shown(" ".join((face.title, *face.lines[:3])), blocks)
