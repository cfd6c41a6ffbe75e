"""The socket: watched, replaced when it goes quiet, and never given up."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.handlers.shop import Shop
from tests.slack.rig import Rig, open_rig, taken


async def test_a_line_that_carries_nothing_any_more_is_replaced(socket_rig: Rig) -> None:
    slack = socket_rig.slack
    (old,) = slack.sockets
    old.is_dead = True  # open, silent, and no ping is answered
    await slack.until(lambda: slack.sockets and old not in slack.sockets)
    anna = socket_rig.people.person("Anna")
    assert (await socket_rig.people.say(anna, "D", "enhance MUG-01")).is_taken


async def test_a_quiet_line_that_answers_pings_is_left_alone(socket_rig: Rig) -> None:
    slack = socket_rig.slack
    (line,) = slack.sockets
    pings = line.pings
    await slack.until(lambda: line.pings >= pings + 20)  # longer than the silence that is suffered
    assert slack.sockets == [line]


async def test_a_cut_line_comes_back(socket_rig: Rig) -> None:
    slack = socket_rig.slack
    (old,) = slack.sockets
    await old.ws.close()
    await slack.until(lambda: slack.sockets and old not in slack.sockets)
    anna = socket_rig.people.person("Anna")
    assert (await socket_rig.people.say(anna, "D", "help")).is_taken


async def test_slacks_own_notice_to_reconnect_is_followed(socket_rig: Rig) -> None:
    slack = socket_rig.slack
    (old,) = slack.sockets
    await old.ws.send_json({"type": "disconnect", "reason": "refresh_requested"})
    await slack.until(lambda: slack.sockets and old not in slack.sockets)
    anna = socket_rig.people.person("Anna")
    assert (await socket_rig.people.say(anna, "D", "help")).is_taken


async def test_a_slack_that_refuses_is_asked_again(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    async with open_rig(shop, "socket", is_impatient=True) as rig:
        slack = rig.slack
        slack.refuses_sockets = True
        (old,) = slack.sockets
        old.is_dead = True
        with caplog.at_level(logging.WARNING):
            await slack.until(lambda: caplog.text.count("slack_socket_not_connected") >= 2)
        slack.refuses_sockets = False
        await slack.until(lambda: [socket for socket in slack.sockets if socket is not old])
        anna = rig.people.person("Anna")
        assert (await rig.people.say(anna, "D", "help")).is_taken


async def test_a_revoked_token_is_logged_and_tried_again_without_end(shop: Shop) -> None:
    async with open_rig(shop, "socket", is_impatient=True) as rig:
        rig.slack.is_token_revoked = True
        rig.slack.sockets[0].is_dead = True
        await rig.slack.until(lambda: len(rig.slack.called("apps.connections.open")) >= 5)
        rig.slack.is_token_revoked = False
        await rig.slack.until(lambda: any(not socket.is_dead for socket in rig.slack.sockets))


async def test_two_processes_may_listen_and_each_event_counts_once(shop: Shop) -> None:
    async with open_rig(shop, "socket", is_impatient=True) as rig:
        second = asyncio.create_task(rig.listeners.run())
        await rig.slack.until(lambda: len(rig.slack.sockets) == 2)
        anna = rig.people.person("Anna")
        await rig.people.say(anna, "D", "enhance MUG-01")
        rig.slack.sockets.reverse()
        assert (await rig.people.again()).is_taken
        assert len(await taken(rig.shop)) == 1
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        await rig.slack.until(lambda: len(rig.slack.sockets) == 1)
        assert (await rig.people.say(anna, "D", "help")).is_taken


async def test_without_an_app_token_nothing_is_opened(http_rig: Rig) -> None:
    anna = http_rig.people.person("Anna")
    assert (await http_rig.people.say(anna, "D", "help")).is_taken
    assert http_rig.slack.called("apps.connections.open") == []
