"""People first, and no step waits for ever."""

from __future__ import annotations

from bot.courtesy import CALM_PER_S, LONGEST_PAUSE_S, Courtesy


def test_nobody_waits_while_it_is_calm() -> None:
    courtesy = Courtesy(lambda: 100.0)
    courtesy.heard(CALM_PER_S)
    assert courtesy.pause_s() == 0.0


def test_the_pause_grows_with_the_flood_and_has_an_end() -> None:
    now = [100.0]
    courtesy = Courtesy(lambda: now[0])
    courtesy.heard(CALM_PER_S + 20)
    some = courtesy.pause_s()
    courtesy.heard(10_000)
    assert 0.0 < some < courtesy.pause_s() == LONGEST_PAUSE_S
    now[0] += 1.5
    assert courtesy.pause_s() == 0.0
