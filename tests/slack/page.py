"""Draw every reply roughly as Slack does, to look at: `python -m tests.slack.page OUT.html`.

Not Slack: just enough of Block Kit to see what stands where, what is cut and what is too much.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

from domain.replies import SettingsShown
from handlers.slack.cards import Picture
from handlers.slack.home import home_view
from handlers.slack.modals import enhance_sku_modal, redo_modal, reject_modal, settings_modal
from handlers.slack.parts import SEVERAL
from handlers.slack.parts_form import parts_modal
from handlers.slack.render import render
from handlers.words import Words
from tests.console.samples import HOSTILE, every_reply

STYLE = """
body{font:15px/1.46 Lato,"Noto Sans","DejaVu Sans",sans-serif;color:#1d1c1d;background:#f8f8f8;margin:16px}
.msg{background:#fff;max-width:640px;margin:0 0 14px;padding:8px 16px 12px;border:1px solid #ddd;border-radius:6px}
.name{color:#888;font-size:12px;margin:0 0 4px}.header{font-size:18px;font-weight:800;margin:6px 0}
.section{display:flex;gap:12px;justify-content:space-between;margin:6px 0;white-space:pre-wrap}
.context{color:#616061;font-size:12.5px;margin:6px 0;display:flex;gap:8px;flex-wrap:wrap;white-space:pre-wrap}
.actions{display:flex;gap:8px;margin:8px 0;flex-wrap:wrap}.b{border:1px solid #bbb;border-radius:4px;padding:4px 12px;
font-weight:700;font-size:13.5px;background:#fff;white-space:nowrap;align-self:start}.primary{background:#007a5a;color:#fff}
.danger{background:#e01e5a;color:#fff}.pic{width:360px;height:180px;background:linear-gradient(90deg,#b9ada0 50%,#fff 50%);
border:1px solid #ddd;border-radius:8px}.thumb{width:72px;height:72px;flex:none}code{color:#c01343;background:#f4f4f4;
border:1px solid #ddd;border-radius:3px;padding:1px 3px;font-size:12.5px}label{font-weight:700;display:block;margin-top:8px}
.field{border:1px solid #999;border-radius:4px;padding:6px;color:#777}.hint{font-size:12px;color:#616061}
pre.letter{white-space:pre-wrap;background:#f8f8f8;border:1px solid #ddd;border-radius:4px;padding:8px;
font:12.5px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;margin:6px 0}
.menu{font-size:12px;color:#777;border:1px dashed #bbb;padding:2px 8px}hr{border:0;border-top:1px solid #ddd}
"""


def message(blocks: list[dict[str, Any]], name: str) -> str:
    """Return a message or view as HTML."""
    return f'<div class="msg"><p class="name">{html.escape(name)}</p>{"".join(map(_block, blocks))}</div>'


def _block(block: dict[str, Any]) -> str:
    kind = block["type"]
    if kind == "header":
        return f'<div class="header">{_text(block["text"])}</div>'
    if kind == "section":
        accessory = _element(block["accessory"]) if "accessory" in block else ""
        return f'<div class="section"><div>{_text(block["text"])}</div>{accessory}</div>'
    if kind == "context":
        return f'<div class="context">{"".join(f"<span>{_text(each)}</span>" for each in block["elements"])}</div>'
    if kind == "image":
        return f'<div class="pic" title="{html.escape(block["alt_text"])}"></div>'
    if kind == "actions":
        return f'<div class="actions">{"".join(map(_element, block["elements"]))}</div>'
    if kind == "input":
        hint = f'<div class="hint">{_text(block["hint"])}</div>' if "hint" in block else ""
        optional = " (optional)" if block.get("optional") else ""
        return f"<label>{_text(block['label'])}{optional}</label>{_element(block['element'])}{hint}"
    if kind == "rich_text":
        return "".join(f'<pre class="letter">{_runs(each)}</pre>' for each in block["elements"])
    return "<hr>"


def _runs(part: dict[str, Any]) -> str:
    """The plain runs of one part of a rich text."""
    return html.escape("".join(str(run.get("text", "")) for run in part["elements"]))


def _element(element: dict[str, Any]) -> str:
    kind = element["type"]
    if kind == "button":
        asked = f' <span class="menu">asks: {_text(element["confirm"]["text"])}</span>' if "confirm" in element else ""
        return f'<span class="b {element.get("style", "")}">{_text(element["text"])}</span>{asked}'
    if kind == "overflow":
        rows = " / ".join(_text(option["text"]) for option in element["options"])
        return f'<span class="b">⋯</span><span class="menu">{rows}</span>'
    if kind == "image":
        return '<div class="pic thumb"></div>'
    if kind == "radio_buttons":
        chosen = element.get("initial_option")
        return "".join(
            f"<div>{'◉' if each == chosen else '○'} {_text(each['text'])}</div>" for each in element["options"]
        )
    shown = element.get("initial_value") or element.get("placeholder", {}).get("text", "") or "&nbsp;"
    return f'<div class="field">{shown}</div>'


def _text(text: dict[str, Any]) -> str:
    if text["type"] == "plain_text":
        return html.escape(text["text"])
    marked = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", text["text"])
    marked = re.sub(r"<(https?://[^|>]*)\|([^>]*)>", r'<a href="\1">\2</a>', marked)
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", marked)
    return re.sub(r"(?<![\w\u200b])\*([^*\n]+?)(?<!\u200b)\*(?!\w)", r"<b>\1</b>", marked)


def page(language: str = "en") -> str:
    """Return every reply, in good words and in hostile ones, and the views."""
    words = Words(language, "Europe/Berlin")
    drawn = [
        message(render(reply, words, Picture("F1")).blocks, type(reply).__name__)
        for reply in (
            *every_reply(url="https://shop.example/mug"),
            *every_reply(HOSTILE, person=HOSTILE, store=HOSTILE),
        )
    ]
    waiting = [reply for reply in every_reply() if type(reply).__name__ == "PreviewReady"]
    settings = SettingsShown("en", "Europe/Berlin", previews=True)
    home = home_view(waiting * 2, settings, words, may_decide=True)  # type: ignore[arg-type]
    modals = [
        reject_modal({}, words),
        redo_modal({}, words),
        enhance_sku_modal(words),
        settings_modal(settings, {}, words, may_watch=True),
        parts_modal(f"{SEVERAL}q1:1,2:keep:F1", {}, words),
    ]
    drawn += [message(home["blocks"], "App Home")]
    drawn += [message(view["blocks"], f"Modal: {view['title']['text']}") for view in modals]
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{"".join(drawn)}'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(*sys.argv[2:]), encoding="utf-8")
