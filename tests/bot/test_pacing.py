"""No window of a limit ever holds more messages than it may, wherever in its sending a chat counted them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pacing import FORGET_EVERY, Pacer
from domain.chat_ports import Limit

ROOM, ALL = Limit("telegram:room", 1, 1.0), Limit("telegram", 3, 1.0)

SECONDS = st.integers(0, 40).map(lambda tenths: tenths / 10)
LIMITS = st.lists(
    st.builds(Limit, st.sampled_from("abc"), st.integers(1, 4), st.sampled_from([0.5, 1.0, 3.0])),
    min_size=1,
    max_size=3,
    unique_by=lambda limit: limit.key,
)


@settings(deadline=None, max_examples=200)
@given(
    limits=LIMITS, messages=st.lists(st.tuples(SECONDS, SECONDS), max_size=40), where=st.sampled_from([0.0, 0.5, 1.0])
)
def test_no_window_ever_holds_more_than_the_limit(
    limits: list[Limit], messages: list[tuple[float, float]], where: float
) -> None:
    """Messages come after each other's `pause` and take `takes` each; the chat counts them somewhere within."""
    pacer, now, counted = Pacer(), 0.0, []
    for pause, takes in messages:
        now += pause
        while (free_at := pacer.free_at(limits, now)) > now:
            now = free_at
        started = pacer.start(limits, now)
        counted.append(now + where * takes)
        now += takes
        started.done(now)
    for limit in limits:
        for first in counted:
            assert sum(first <= at < first + limit.per_s for at in counted) <= limit.count


@settings(deadline=None, max_examples=200)
@given(messages=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=40))
def test_messages_that_overlap_are_counted_while_they_are_under_way(messages: list[tuple[float, float]]) -> None:
    """Many places share a limit and do not wait for each other; what is not answered yet fills the window."""
    pacer, now, under_way = Pacer(), 0.0, []
    for pause, takes in messages:
        now += pause
        while True:
            for started, end in under_way:
                if end <= now:
                    started.done(end)
            if (free_at := pacer.free_at([ALL], now)) <= now:
                break
            now = free_at
        under_way.append((pacer.start([ALL], now), now + takes))
        counted = [(started.began_at, end) for started, end in under_way]
        assert sum(end + ALL.per_s > now for _, end in counted) <= ALL.count


@settings(deadline=None, max_examples=200)
@given(gap_s=st.floats(0.001, 1e6), begin=st.floats(0, 1e9))
def test_the_time_it_names_is_free_when_it_comes(gap_s: float, begin: float) -> None:
    limit = Limit("a", 1, gap_s)
    pacer = Pacer()
    pacer.start([limit], begin).done(begin)
    free_at = pacer.free_at([limit], begin)
    assert pacer.free_at([limit], free_at) == free_at, "no rounding may make a waiter wait for ever"


def test_a_message_waits_for_the_slowest_of_its_limits() -> None:
    pacer = Pacer()
    for number in range(3):
        pacer.start([Limit(f"telegram:{number}", 1, 1.0), ALL], 10.0).done(10.0)
    assert pacer.free_at([Limit("telegram:4", 1, 1.0), ALL], 10.2) == 11.0
    assert pacer.free_at([Limit("telegram:4", 1, 1.0)], 10.2) == 10.2
    assert pacer.free_at([], 10.2) == 10.2


def test_a_message_under_way_fills_its_window_until_it_was_answered() -> None:
    pacer = Pacer()
    started = pacer.start([ROOM], 0.0)
    assert pacer.free_at([ROOM], 20.0) == 21.0
    started.done(20.5)
    assert pacer.free_at([ROOM], 21.0) == 21.5
    assert pacer.free_at([ROOM], 21.5) == 21.5


def test_a_pause_a_chat_asked_for_blocks_every_message_of_the_key_and_only_grows() -> None:
    pacer = Pacer()
    pacer.block(["telegram"], 30.0)
    pacer.block(["telegram"], 5.0)
    assert pacer.free_at([ALL], 0.0) == 30.0
    assert pacer.free_at([ROOM], 0.0) == 0.0
    assert pacer.free_at([ALL], 30.0) == 30.0


def test_places_that_fell_silent_are_forgotten() -> None:
    pacer = Pacer()
    for number in range(FORGET_EVERY):
        pacer.start([Limit(f"room {number}", 1, 1.0)], float(number)).done(float(number))
    assert len(pacer._keys) <= 2
