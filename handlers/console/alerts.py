"""The digest and what else is said of stock unasked, as pieces of the page."""

from __future__ import annotations

from domain.stock_alert_replies import AlertReply, DigestShown
from handlers.alert_faces import (
    alert_buttons,
    alert_face,
    ask_button,
    chart_alt,
    digest_head,
    line_row,
    rest_row,
    summary_rows,
)
from handlers.console.pages import fill
from handlers.words import ENGLISH


def alert_fragment(reply: AlertReply) -> str:
    """Return it as HTML."""
    if not isinstance(reply, DigestShown):
        return fill("stock.html", face=alert_face(reply), buttons=alert_buttons(reply))
    rest = rest_row(reply, ENGLISH)
    is_quiet = reply.is_quiet
    return fill(
        "digest.html",
        reply=reply,
        head=digest_head(reply, ENGLISH),
        lines=[(line, line_row(line, ENGLISH), ask_button(line)) for line in reply.lines],
        others=() if is_quiet else (*((rest,) if rest else ()), *summary_rows(reply, ENGLISH)),
        alt=chart_alt(reply, ENGLISH),
    )
