"""The reply about signed-in browsers as Telegram shows it."""

from __future__ import annotations

from domain.sessions import SessionsShown
from handlers.session_faces import session_face
from handlers.telegram.markup import MAX_TEXT, bold, code, commands, esc, fitted
from handlers.words import Words


def sessions_message(reply: SessionsShown, words: Words) -> str:
    """Return the HTML."""
    face = session_face(reply, words, clean=lambda said: esc(said, at_most=120))
    html = fitted(
        [f"🖥️ {bold(face.title)}"],
        [f"{bold(row.name)} {code(row.mark)}\n{row.said}" for row in face.rows],
        at_most=MAX_TEXT - 400,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    return f"{html}\n{commands(face.hint)}"
