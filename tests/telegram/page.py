"""Telegram's faces on one page, as a phone shows them: `python -m tests.telegram.page OUT.html [de]`.

For looking, not for judging by a machine: take a picture of it with any browser and read it as a seller.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import PreviewReady, Reply
from domain.tokens import Token
from handlers.telegram.keyboards import Rows, Verb, menu_rows, read_data
from handlers.telegram.render import Shown, render
from handlers.words import Words
from tests.telegram.samples import BAD_WORDS, PLAIN, RTL_WORDS, TOO_MANY_WORDS, name_of

_STYLE = """
body{margin:0;background:#8fa9bd;font:16px/1.32 -apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:400px;margin:0 auto;padding:12px}
h2{font-size:12px;color:#fff;margin:18px 0 4px;text-align:center;font-weight:600}
article{background:#fff;border-radius:12px;overflow:hidden;width:340px;box-shadow:0 1px 1px #0003}
article svg{display:block;width:100%}
div{margin:0;padding:7px 11px 8px;white-space:pre-wrap;overflow-wrap:anywhere}
code{color:#3478c6;font:14px ui-monospace,"DejaVu Sans Mono",monospace}
a{color:#168acd;text-decoration:none}
blockquote{margin:4px 0 0;padding:4px 10px;border-left:3px solid #168acd;background:#168acd18;border-radius:4px;font-size:14.5px}
nav{width:340px;display:flex;gap:3px;margin-top:3px}
nav span{flex:1;background:#5f7f99cc;color:#fff;border-radius:8px;padding:9px 4px;text-align:center;font-size:14.5px;
white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
nav .success{background:#3d9b4fdd} nav .danger{background:#c9473fdd} nav .primary{background:#2f7fc6dd}
"""
_PICTURE = """<svg viewBox="0 0 340 170"><rect width="170" height="170" fill="#b9a58f"/><rect x="170" width="170"
height="170" fill="#fff"/><g fill="#3b6ea5"><rect x="55" y="50" width="55" height="75" rx="8"/><rect x="225" y="35"
width="65" height="95" rx="9"/></g><path d="M110 65q25 20 0 45M290 60q28 22 0 50" fill="none" stroke="#3b6ea5"
stroke-width="9"/></svg>"""


def page(sections: Sequence[tuple[str, Shown]]) -> str:
    """Return the page."""
    shown = "".join(f"<h2>{html.escape(name)}</h2>{_message(each)}" for name, each in sections)
    return f'<!doctype html><meta charset="utf-8"><title>Telegram</title><style>{_STYLE}</style><main>{shown}</main>'


def _message(shown: Shown) -> str:
    picture = _PICTURE if shown.photo else ""
    return f"<article>{picture}<div>{shown.html}</div></article>{_keyboard(shown.rows)}"


def _keyboard(rows: Rows) -> str:
    lines = []
    for row in rows:
        keys = "".join(f'<span class="{key.style or ""}">{html.escape(key.text)}</span>' for key in row)
        lines.append(f"<nav>{keys}</nav>")
    return "".join(lines)


def sections(language: str) -> list[tuple[str, Shown]]:
    """Return every face, the menus behind the buttons, and the hardest words."""
    words = Words(language, "Europe/Berlin")

    def show(name: str, reply: Reply) -> tuple[str, Shown]:
        return name, render(reply, words, bot_name="packshot_bot", is_recompressed=True)

    found = [show(name_of(reply), reply) for reply in PLAIN]
    preview = next(reply for reply in PLAIN if isinstance(reply, PreviewReady))
    soft = Finding(FindingCode.ENLARGED, FindingLevel.WARNING, measured=2.4)
    small = PreviewReady(replace(preview.card, findings=(soft, *preview.card.findings), is_live=True))
    found.append(show("PreviewReady, made smaller by the chat", small))
    for index, name in enumerate(("Publish?", "Reasons", "Recipes")):
        key = [key for row in render(small, words).rows for key in row][index]
        pressed = read_data(str(key.callback_data))
        assert pressed.verb in {Verb.ASK, Verb.MENU}
        found.append((name, replace(render(small, words), rows=menu_rows(pressed, Token.parse(pressed.token)))))
    for name, hard in (("hostile", BAD_WORDS), ("right to left", RTL_WORDS), ("endless", TOO_MANY_WORDS)):
        found += [show(f"{name_of(hard[index])}, {name}", hard[index]) for index in (1, 4, 17)]
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(sections((sys.argv[2:] or ["en"])[0])), encoding="utf-8")
