"""Telegram's HTML: words of people escaped, and texts cut to what a message holds.

Lengths are counted in UTF-16 units of what is read, as Telegram counts its entities; tags weigh
nothing there, but a text is cut before it gets tags, so that none is ever left open.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

MAX_TEXT, MAX_CAPTION = 4096, 1024
_TAG = re.compile(r"<[^>]*>")


def esc(words: str, *, at_most: int = 200) -> str:
    """Return words of a person or a store, cut and escaped."""
    return html.escape(cut(words, at_most), quote=False)


def cut(words: str, at_most: int) -> str:
    """Return words cut to `at_most` UTF-16 units, an ellipsis at the end where some are missing."""
    if units(words) <= at_most:
        return words
    kept = words[: at_most - 1]
    while units(kept) > at_most - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def units(words: str) -> int:
    """Return the length as Telegram counts it."""
    return len(words) + sum(char > "\uffff" for char in words)


def read_length(marked_up: str) -> int:
    """Return the length of what is read of HTML that we wrote."""
    return units(html.unescape(_TAG.sub("", marked_up)))


def bold(escaped: str) -> str:
    """Return escaped words in bold."""
    return f"<b>{escaped}</b>"


def code(escaped: str) -> str:
    """Return escaped words in type; a tap copies them."""
    return f"<code>{escaped}</code>"


def link(escaped: str, url: str) -> str:
    """Return escaped words as a link where the address may be followed, else the words."""
    return f'<a href="{html.escape(url)}">{escaped}</a>' if is_web(url) else escaped


def is_web(url: str) -> bool:
    """Whether Telegram takes an address for a link: http or https with a host that has a dot, or none of it."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and "." in parts.netloc and not any(char.isspace() for char in url)


def folded(lines: Sequence[str]) -> str:
    """Return lines that open at a tap."""
    return f"<blockquote expandable>{chr(10).join(lines)}</blockquote>" if lines else ""


def commands(sentence: str, *, at_most: int = 1000) -> str:
    """Return a sentence of ours with its `commands` in type."""
    parts = cut(sentence, at_most).split("`")
    if len(parts) % 2 == 0:  # cut inside a command
        parts = [*parts[:-2], parts[-2] + parts[-1]]
    return "".join(
        code(html.escape(part, quote=False)) if index % 2 else html.escape(part, quote=False)
        for index, part in enumerate(parts)
    )


def fitted(head: Sequence[str], lines: Sequence[str], *, at_most: int, rest: Callable[[int], str]) -> str:
    """Return the head and as many lines as fit; `rest` says how many are missing and how to see them."""
    whole = "\n".join([*head, *lines])
    if read_length(whole) <= at_most:
        return whole
    for kept in range(len(lines) - 1, -1, -1):
        shorter = "\n".join([*head, *lines[:kept], rest(len(lines) - kept)])
        if read_length(shorter) <= at_most:
            return shorter
    return "\n".join(head)
