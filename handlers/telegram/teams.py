"""The replies about teams as Telegram shows them: HTML and, for a question, its button; and the invitation."""

from __future__ import annotations

from telegram import InlineKeyboardButton

from domain.replies import Invited
from domain.team_replies import RemovalAsked, TeamReply
from handlers.buttons import buttons
from handlers.team_faces import team_face
from handlers.telegram.keyboards import Rows, copy_key
from handlers.telegram.markup import MAX_TEXT, bold, code, commands, esc, fitted, is_web
from handlers.words import Words


def team_message(reply: TeamReply, words: Words) -> tuple[str, Rows]:
    """Return the HTML and the rows of buttons."""
    face = team_face(reply, words, clean=lambda said: esc(said, at_most=80))
    title = f"{face.icon} {bold(face.title) if face.lines else face.title}"
    hint = f"\n{commands(face.hint)}" if face.hint else ""
    html = fitted(
        [title],
        list(face.lines),
        at_most=MAX_TEXT - 400,
        rest=lambda left: words("{count} more are not shown.", count=words.number(left)),
    )
    rows: Rows = ()
    if isinstance(reply, RemovalAsked):
        rows = tuple(
            (InlineKeyboardButton(f"🚪 {words(each.label)}", callback_data=each.token, style="danger"),)
            for each in buttons(reply)
        )
    elif is_web(face.link_url):
        rows = ((InlineKeyboardButton(f"🔗 {face.link_label}", url=face.link_url),),)
    elif face.link_url:
        html += f"\n{esc(face.link_url, at_most=500)}"
    return html + hint, rows


def invitation_message(reply: Invited, words: Words, bot_name: str) -> tuple[str, Rows]:
    """Return an invitation as something to pass on: the code, and where it is taken without typing it."""
    title = words("An invitation for one {role}", role=words(reply.role.value))
    until = words("It works once, until {time}. Only you can see it.", time=words.time(reply.expires_at))
    html = f"✉️ {bold(title)}\n{code(esc(reply.code))}\n{until}"
    rows: Rows = ((copy_key(f"📋 {words('Copy the code')}", reply.code),),)
    address = reply.telegram_url or (f"https://t.me/{bot_name}?start={reply.code}" if bot_name and reply.code else "")
    if address:
        rows = ((copy_key(f"📋 {words('Copy the link')}", address),), *rows)
    if reply.console_url:
        rows = (*rows, (copy_key(f"📋 {words('Copy the link for the browser')}", reply.console_url),))
    return html, rows
