"""The answers about keeping stores in step as Block Kit; a letter to copy stands in a block of its own."""

from __future__ import annotations

from typing import Any

from domain.sync_replies import SyncReply
from handlers.slack.cards import Shown
from handlers.slack.stock import show_face
from handlers.sync_faces import sync_buttons, sync_face
from handlers.words import Words


def show_sync_reply(reply: SyncReply, words: Words) -> Shown:
    """Return what Slack shows for it."""
    face = sync_face(reply, words)
    return show_face(
        face.face, sync_buttons(reply, words), words, extra=[_letter(face.copyable)] if face.copyable else []
    )


def _letter(said: str) -> dict[str, Any]:
    """Return a preformatted text: marked and copied with one drag, and never read as markup."""
    inside = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": said}]}
    return {"type": "rich_text", "elements": [inside]}
