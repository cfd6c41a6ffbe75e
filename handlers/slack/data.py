"""The replies about health and data as Block Kit, and the lines of `status`."""

from __future__ import annotations

from domain.data_replies import DataReply
from domain.replies import HistoryShown, StatusShown
from handlers.data_faces import data_face, health_words, history_title, history_turn, queue_words
from handlers.slack.blocks import (
    Block,
    actions,
    button,
    context,
    cut_markup,
    link,
    section,
    sections,
    sentence,
    when,
    words_of,
)
from handlers.slack.cards import MAX_LINES, SAY, SAYS, Shown
from handlers.words import Words


def show_data_reply(reply: DataReply, words: Words) -> Shown:
    """Return what Slack shows for a reply about health or data."""
    face = data_face(reply, words, clean=sentence, time=lambda moment: when(moment, words))
    blocks: list[Block] = [section(f"{face.icon} *{face.title}*" if face.lines else f"{face.icon} {face.title}")]
    blocks += sections(face.lines[:MAX_LINES])
    if face.link_url:
        address = link(face.link_url, face.link_label) or words_of(face.link_url)
        blocks.append(section(f"*{address}*"))
    if face.hint:
        blocks.append(context(sentence(face.hint)))
    return Shown(" ".join((face.title, *face.lines[:3])), blocks)


def show_history(reply: HistoryShown, words: Words) -> Shown:
    """Return a page of the history, with a button to the next one."""
    title = history_title(reply, words, clean=words_of)
    rows = [
        f"{when(line.at, words)}  *{words_of(line.who)}* {words_of(words.sentence(line.what))}"
        + (f"  {words_of(line.sku)}" if line.sku and not reply.sku else "")
        for line in reply.lines
    ] or [words("Nothing has happened yet.")]
    blocks = [section(f"*{title}*"), *sections(rows)]
    page, following = history_turn(reply, words)
    if page:
        blocks.append(context(page))
    if following:
        blocks.append(actions([button(words("Next"), f"{SAYS}{following}", f"{SAY}:next")]))
    return Shown(f"{title}: {cut_markup('; '.join(rows), 300)}", blocks)


def health_blocks(reply: StatusShown, words: Words) -> list[Block]:
    """Return a paragraph a store and chat, and what waits."""
    blocks: list[Block] = []
    for line in reply.lines[:MAX_LINES]:
        state, facts = health_words(line, words, clean=sentence, time=lambda moment: when(moment, words))
        head = f"{'🟢' if line.is_well else '🔴'} *{words_of(line.name)}*  {state}"
        # The facts hold Slack's own times, so only their commands are left to be made harmless.
        told = "  ·  ".join(facts)
        todo = f"\n👉 {sentence(words.sentence(line.todo))}" if line.todo else ""
        blocks.append(section(f"{head}\n{told}{todo}"))
    if reply.queue:
        blocks.append(context(queue_words(reply.queue, words)))
    return blocks
