"""One card in two chats is one card: decided in one, closed in the other."""

from __future__ import annotations

from pathlib import Path

from tests.chats.story import open_both, play


async def test_a_telegram_photo_is_approved_in_slack_and_closed_in_both(tmp_path: Path) -> None:
    async with open_both(tmp_path) as both:
        await play(both)
        posts = [call for call in both.telegram.calls if call.method in {"sendMessage", "sendPhoto"}]
        assert len(posts) == 3, "a welcome, one card that is edited in place, and word of who approved it"
        assert len(both.slack.posted("C1SHOP")) == 2, "the settings and one card"
