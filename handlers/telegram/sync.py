"""The answers about keeping stores in step as Telegram shows them; a tap on a letter copies it."""

from __future__ import annotations

from domain.sync_replies import SyncReply
from handlers.sync_faces import sync_buttons, sync_face
from handlers.telegram.keyboards import Rows
from handlers.telegram.markup import code, esc
from handlers.telegram.stock import face_message
from handlers.words import Words


def sync_message(reply: SyncReply, words: Words) -> tuple[str, Rows]:
    """Return the HTML and the rows of buttons."""
    face = sync_face(reply, words)
    html, rows = face_message(face.face, sync_buttons(reply, words), words)
    return (f"{html}\n\n{code(esc(face.copyable, at_most=1000))}" if face.copyable else html), rows
