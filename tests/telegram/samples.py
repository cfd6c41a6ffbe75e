"""Every reply in words a shop would use, in words that try to break the markup, and in far too many words."""

from __future__ import annotations

from domain.replies import Reply
from tests.console.samples import HOSTILE, every_reply

STYLED = "*bold* _it_ ~no~ `code` </b><a href='x'> & &amp; <tg-spoiler> <!-- 🏺👩‍👩‍👧 " + HOSTILE
RIGHT_TO_LEFT = "\u202eكوب أزرق\u202c كأس من الخزف الأزرق 🏺 ספל כחול"
ENDLESS = "<i>Ein sehr langer Name & noch einer</i> 🏺 " * 95

PLAIN = every_reply(url="https://shop.example/products/mug")
BAD_WORDS = every_reply(STYLED, sku=STYLED, person=STYLED, store=STYLED, url="javascript:alert(1)")
RTL_WORDS = every_reply(RIGHT_TO_LEFT, sku="كوب-1", person=RIGHT_TO_LEFT, store=RIGHT_TO_LEFT)
TOO_MANY_WORDS = every_reply(ENDLESS, sku=ENDLESS, person=ENDLESS, store=ENDLESS)
EVERY_SORT = [*PLAIN, *BAD_WORDS, *RTL_WORDS, *TOO_MANY_WORDS]


def name_of(reply: Reply) -> str:
    return type(reply).__name__
