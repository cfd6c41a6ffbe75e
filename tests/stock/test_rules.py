"""The ledger's rules as values: what each place shall show, what may be written, what an answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog import ListingId, PlatformName, Sku, Store, StoreId
from domain.errors import BadInput
from domain.ports import StorePlatform
from domain.stock import (
    QUANTITY_MOST,
    DayOfSku,
    LineCounts,
    LinkState,
    Outlet,
    Pool,
    Push,
    Quantity,
    Seen,
    Shown,
    SkuFacts,
    StockLink,
    WriteWay,
    in_stock_days,
)
from domain.stock_rules import Verdict, after_read, compare_links, first_count, outdated, plan, promise, targets
from domain.trade import StockId, StockLevel
from handlers.stock_links import link_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
COUNTS = st.builds(LineCounts, *[st.integers(0, 5)] * 4)


def outlet(store: str, shown: int | None = 0, *, sku: str = "MUG-01", **link: object) -> Outlet:
    """One place of the pool."""
    kept = StockLink(StoreId(store), StockId("1"), Sku(sku), ListingId("l"), WriteWay.SWAPS, NOW)
    return Outlet(replace(kept, **link), Shown(shown))  # type: ignore[arg-type]


def pool(on_hand: int, outlets: Sequence[Outlet], *, split_at: int = 3, sku: str = "MUG-01") -> Pool:
    """A SKU that was counted."""
    return Pool("t", SkuFacts(Sku(sku), split_at=split_at, counted_at=NOW), on_hand, tuple(outlets))


def by_store(due: Pool) -> dict[str, int]:
    return {str(store): quantity for (store, _), quantity in targets(due).items()}


def steps(due: Pool) -> dict[str, tuple[int, int]]:
    return {str(wish.store_id): (wish.from_quantity, wish.to_quantity) for wish in plan(due)}


# ---------------------------------------------------------------- what to show


def test_many_are_shared_and_buffers_and_caps_hold() -> None:
    due = pool(10, [outlet("a"), outlet("b", buffer=2), outlet("c", cap=4), outlet("d", buffer=20)])
    assert by_store(due) == {"a": 10, "b": 8, "c": 4, "d": 0}


@given(
    on_hand=st.integers(-3, 6),
    shown=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    buffer=st.integers(0, 2),
    cap=st.one_of(st.none(), st.integers(0, 3)),
)
def test_the_last_are_split_and_none_is_lost_or_promised_twice(
    on_hand: int, shown: list[int], buffer: int, cap: int | None
) -> None:
    outlets = [outlet(str(number), one, buffer=buffer, cap=cap) for number, one in enumerate(shown)]
    due = by_store(pool(on_hand, outlets, split_at=6))
    limit = outlets[0].link.limit(on_hand)
    assert sum(due.values()) == min(max(0, on_hand), limit * len(outlets))
    assert max(due.values()) - min(due.values()) <= 1, "nobody gets two more than another"


def test_the_last_piece_stays_where_it_is_shown() -> None:
    assert by_store(pool(1, [outlet("a", 0), outlet("b", 1), outlet("c", 0)])) == {"a": 0, "b": 1, "c": 0}


def test_over_many_skus_the_last_piece_is_dealt_fairly() -> None:
    won = [0, 0, 0]
    for number in range(300):
        sku = f"SKU-{number}"
        due = pool(1, [outlet(name, 0, sku=sku) for name in "abc"], sku=sku)
        for place, quantity in enumerate(by_store(due).values()):
            won[place] += quantity
    assert sum(won) == 300
    assert min(won) > 60


@pytest.mark.parametrize("state", [LinkState.OFF, LinkState.GONE, LinkState.RENAMED])
def test_a_place_that_is_not_kept_gets_nothing_and_leaves_the_others_all(state: LinkState) -> None:
    assert by_store(pool(2, [outlet("a", state=state), outlet("b")])) == {"b": 2}


def test_nothing_is_written_before_the_first_count() -> None:
    uncounted = replace(pool(5, [outlet("a")]), facts=SkuFacts(Sku("MUG-01")))
    assert plan(uncounted) == []


# ---------------------------------------------------------------- what may be written


def test_a_raise_of_the_last_waits_for_the_decrease() -> None:
    a, b = outlet("a", 3), outlet("b", 0)
    assert steps(pool(2, [a, b])) == {"a": (3, 1)}
    lowered = replace(a, push=Push("p", a.link.sku, *a.link.key, 3, -2, NOW))
    assert steps(pool(2, [lowered, b])) == {}
    assert steps(pool(2, [outlet("a", 1), b])) == {"b": (0, 1)}


def test_a_write_on_its_way_is_promised_at_its_most() -> None:
    one = outlet("a", 2)
    assert promise(replace(one, push=Push("p", one.link.sku, *one.link.key, 2, 3, NOW))) == 5
    assert promise(replace(one, push=Push("p", one.link.sku, *one.link.key, 2, -1, NOW))) == 2
    assert promise(replace(one, shown=Shown(2, slack=2))) == 4


@pytest.mark.parametrize("shown", [Shown(5, slack=1), Shown(5, suspected=4), Shown(None), Shown(5, blocked_at=NOW)])
def test_a_place_in_doubt_is_not_written(shown: Shown) -> None:
    assert plan(pool(3, [replace(outlet("a"), shown=shown)])) == []


# ---------------------------------------------------------------- orders, reads, numbers


def raising(place: Outlet, to: int, *, sent_at: datetime | None = None) -> Outlet:
    """The place with a raise that is open."""
    shown = place.shown.quantity or 0
    push = Push("p", place.link.sku, *place.link.key, shown, to - shown, NOW, sent_at=sent_at)
    return replace(place, push=push)


def test_a_raise_that_is_too_much_by_now_is_outdated_until_it_was_sent() -> None:
    waiting = raising(outlet("a", 0), 4)
    assert outdated(pool(5, [waiting, outlet("b", 4)])) == []
    assert outdated(pool(2, [waiting, outlet("b", 4)])) == [waiting.push], "two are left, and four would be shown"
    assert outdated(pool(3, [raising(outlet("a", 0), 2), outlet("b", 2)])), "two and two are more than three"
    sent = raising(outlet("a", 0), 4, sent_at=NOW)
    assert outdated(pool(2, [sent, outlet("b", 4)])) == [], "it may have arrived: it is repeated as it is"
    assert outdated(pool(0, [raising(outlet("a", 9), 0)])) == [], "a decrease is never too much"


def test_a_raise_waits_again_once_a_store_sold_what_we_have_no_order_of() -> None:
    short = replace(outlet("b", -1), shown=Shown(-1, blocked_at=NOW))
    waiting = raising(outlet("a", 0), 4)
    assert outdated(pool(9, [waiting, short])) == [waiting.push]


@given(COUNTS, COUNTS, COUNTS)
def test_what_is_known_of_a_line_joins_in_any_order(one: LineCounts, two: LineCounts, three: LineCounts) -> None:
    assert one.join(two).join(three) == three.join(one.join(two)) == two.join(three).join(one)
    assert one.join(one) == one


def test_what_was_cancelled_before_it_left_is_back_and_what_was_sent_is_not() -> None:
    assert LineCounts(3, cancelled=2).gone(tells_restock=False) == 1
    assert LineCounts(3, cancelled=3, shipped=3).gone(tells_restock=False) == 3
    assert LineCounts(3, cancelled=3).gone(tells_restock=True) == 3
    assert LineCounts(3, cancelled=3, restocked=3, shipped=3).gone(tells_restock=True) == 0


def test_two_reads_make_a_mismatch_and_one_does_not() -> None:
    suspect, first = after_read(Shown(5), Seen(StockId("1"), 7, 0), now=NOW)
    _, second = after_read(suspect, Seen(StockId("1"), 7, 1), now=NOW)
    calm, other = after_read(suspect, Seen(StockId("1"), 5, 1), now=NOW)
    assert (first, second, other) == (Verdict.SUSPECT, Verdict.MISMATCH, Verdict.SAME)
    assert calm.suspected is None


def test_a_read_within_the_doubt_settles_it() -> None:
    settled, verdict = after_read(Shown(5, slack=2), Seen(StockId("1"), 6, 0), now=NOW)
    assert verdict is Verdict.SETTLED
    assert (settled.quantity, settled.slack) == (6, 0)
    assert after_read(Shown(5, slack=2), Seen(StockId("1"), 8, 0), now=NOW)[1] is Verdict.SUSPECT


def test_the_first_count_is_what_all_stores_agree_on() -> None:
    assert first_count(pool(0, [outlet("a", 4), outlet("b", 4)])) == 4
    assert first_count(pool(0, [outlet("a", 4), outlet("b", 5)])) is None
    assert first_count(pool(0, [outlet("a", 4), outlet("b", 9, way=WriteWay.READS)])) == 4


def test_renamed_gone_and_shared_places_are_told_apart() -> None:
    old, gone = outlet("a").link, outlet("b").link
    new = replace(old, sku=Sku("MUG-02"))
    twin = outlet("c").link
    found = compare_links([old, gone], [new, twin, replace(twin, sku=Sku("MUG-03"))])
    assert found.renamed == ((old, new),)
    assert found.gone == (gone,)
    assert [link.key for link in found.shared] == [twin.key, twin.key]
    assert found.new == ()


@pytest.mark.parametrize("word", ["-1", "2.5", "2,5", "1e9", "twelve", "", "99999999999", str(QUANTITY_MOST + 1), "٣"])
def test_numbers_that_cannot_be_meant_are_asked_about(word: str) -> None:
    with pytest.raises(BadInput):
        Quantity.read(word)


def test_plain_numbers_are_read() -> None:
    assert [Quantity.read(word).value for word in ("0", "+12", " 7 ", str(QUANTITY_MOST))] == [0, 12, 7, QUANTITY_MOST]


def test_days_out_of_stock_are_not_counted_as_days_without_demand() -> None:
    first = NOW.date()
    day = [first + timedelta(days=number) for number in range(4)]
    moved = [DayOfSku(day[0], 2, 0), DayOfSku(day[1], -2, 2), DayOfSku(day[3], 5, 0)]
    assert in_stock_days(5, moved, first, day[3]) == {day[0]: True, day[1]: True, day[2]: False, day[3]: True}


def test_a_place_is_never_told_more_than_its_platform_takes() -> None:
    level = StockLevel(StoreId("etsy"), StockId("1/2"), Sku("MUG-01"), ListingId("1"), 12)
    for platform, shown in ((PlatformName.ETSY, 999), (PlatformName.SHOPIFY, 5000)):
        opened = SimpleNamespace(store=Store(StoreId("etsy"), "team", platform, "Shop"))
        link = link_of(cast(StorePlatform, opened), level, NOW)
        assert link.limit(5000) == shown
