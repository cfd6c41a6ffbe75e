"""The ledger's rows on both databases: what may happen twice, late, at once, and what must go together."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from domain.catalog import Sku
from domain.errors import RowChanged
from domain.stock import MismatchState, Push, PushEnd, PushState, SkuFacts, WriteWay
from domain.stock_rows import TakenUp
from storage.catalog import StoreRows
from storage.database import Database
from tests.stock.ledger import MUG, Ledger, open_ledger, order


def done(push: Push) -> PushEnd:
    """All went well."""
    return PushEnd(push.push_id, PushState.DONE)


@pytest.fixture
async def ledger(database: Database) -> Ledger:
    """Two stores that compare and set sell the mug, of which ten were counted."""
    opened = await open_ledger(database)
    for name in ("a", "b"):
        await opened.link(name)
    await opened.count(10)
    for name in ("a", "b"):
        await opened.read(name, 10)
    opened.clock.pass_by(3_600)
    return opened


async def test_a_sale_moves_the_pool_and_its_stores_number_in_one(ledger: Ledger) -> None:
    sold = order("1", ledger, 2)
    assert [one.key for one in await ledger.book("a", sold)] == ["sold:store-a:1:1"]
    assert await ledger.on_hand() == 8
    assert (await ledger.shown("a")).quantity == 8
    assert (await ledger.shown("b")).quantity == 10
    assert [(push.store_id, push.delta) for push in await ledger.open()] == [("store-b", -2)]


async def test_the_same_order_twice_moves_once(ledger: Ledger) -> None:
    sold = order("1", ledger, 2)
    await ledger.book("a", sold, sold)
    assert await ledger.book("a", sold) == []
    assert await ledger.on_hand() == 8


async def test_counts_of_a_line_join_in_any_order(ledger: Ledger) -> None:
    late, cancelled = order("1", ledger, 2), order("1", ledger, 2, cancelled=2)
    await ledger.book("b", cancelled)
    await ledger.book("b", late)
    assert await ledger.on_hand() == 10
    shown = await ledger.shown("b")
    assert (shown.quantity, shown.slack) == (8, 2), "nobody told whether the store put them back"


async def test_a_movement_is_there_once(ledger: Ledger) -> None:
    assert await ledger.receive(5, key="received:1") == {"received:1"}
    assert await ledger.receive(5, key="received:1") == frozenset()
    assert await ledger.on_hand() == 15


async def test_at_most_one_push_a_place_is_open(ledger: Ledger) -> None:
    await ledger.receive(5)
    first = await ledger.open()
    assert len(first) == 2
    await ledger.receive(5)
    assert await ledger.open() == []
    await ledger.close(done(first[0]))
    again = await ledger.open()
    assert [push.key for push in again] == [first[0].key]
    assert again[0].push_id != first[0].push_id


async def test_a_raise_is_withdrawn_while_nobody_has_sent_it_and_repeated_once_somebody_has(ledger: Ledger) -> None:
    await ledger.receive(5)
    await ledger.open()
    store = ledger.stores["a"]

    async def take_up() -> TakenUp:
        async with ledger.work() as work:
            return await work.stock.take_up(ledger.team.team_id, store.store_id, limit=10, now=ledger.clock())

    await ledger.count(12)
    taken = await take_up()
    assert (list(taken.pushes), [one.to_quantity for one in taken.withdrawn]) == ([], [15])
    assert [one.state for one in taken.withdrawn] == [PushState.WITHDRAWN]
    assert (await ledger.shown("a")).quantity == 10, "nothing was written"
    [again] = [one for one in await ledger.open() if one.store_id == store.store_id]
    assert again.to_quantity == 12
    [sent] = (await take_up()).pushes
    assert sent.sent_at is not None
    await ledger.count(11)
    taken = await take_up()
    assert ([one.push_id for one in taken.pushes], taken.withdrawn) == ([again.push_id], ())
    assert taken.pushes[0].sent_at == sent.sent_at


async def test_a_late_second_answer_changes_nothing(ledger: Ledger) -> None:
    await ledger.receive(5)
    push = (await ledger.open())[0]
    assert len(await ledger.close(done(push))) == 1
    assert await ledger.close(PushEnd(push.push_id, PushState.FAILED)) == []
    assert (await ledger.shown("a")).quantity == 15


async def test_a_sale_that_is_booked_while_a_write_is_out_stays(ledger: Ledger) -> None:
    await ledger.receive(5)
    push = next(one for one in await ledger.open() if one.store_id == "store-a")
    await ledger.book("a", order("1", ledger, 1))
    await ledger.close(done(push))
    assert (await ledger.shown("a")).quantity == 14


async def test_what_failed_to_commit_left_nothing(ledger: Ledger) -> None:
    async def book_and_lose() -> None:
        async with ledger.work() as work:
            await work.stock.book_orders(ledger.stores["a"], [order("1", ledger, 2)], now=ledger.clock())
            raise RowChanged("anything", was="else")

    with pytest.raises(RowChanged):
        await book_and_lose()
    assert await ledger.on_hand() == 10
    assert (await ledger.shown("a")).quantity == 10
    assert len(await ledger.book("a", order("1", ledger, 2))) == 1


async def test_writers_at_once_lose_nothing(ledger: Ledger) -> None:
    """Sixteen at once: every sale is booked twice, and every delivery is there."""
    orders = [order(str(number), ledger, 1) for number in range(8)]

    async def sell(number: int) -> None:
        await ledger.book("a" if number % 2 else "b", orders[number])

    async def receive(number: int) -> None:
        await ledger.receive(1, key=f"received:{number}")

    await asyncio.gather(*(sell(number) for number in range(8)), *(receive(number) for number in range(8)))
    await asyncio.gather(*(sell(number) for number in range(8)), ledger.open(), ledger.open())
    assert await ledger.on_hand() == 10
    async with ledger.work.reading() as rows:
        open_now = await rows.stock.pushes(ledger.team.team_id)
    assert len({push.key for push in open_now}) == len(open_now)


async def test_a_person_changed_the_number_only_after_two_reads_say_so(ledger: Ledger) -> None:
    assert await ledger.read("a", 7) == []
    assert await ledger.open() == [], "nothing is written over a number we cannot explain"
    [mismatch_id] = await ledger.read("a", 7)
    assert await ledger.read("a", 7) == []
    async with ledger.work() as work:
        done = await work.stock.resolve(
            ledger.team.team_id, mismatch_id, MismatchState.TRUSTED, by="Anna", now=ledger.clock()
        )
    assert done is not None
    assert (done.expected, done.observed) == (10, 7)
    assert await ledger.on_hand() == 7
    assert await ledger.settle() == {"a": 7, "b": 7}
    async with ledger.work() as work:
        again = await work.stock.resolve(
            ledger.team.team_id, mismatch_id, MismatchState.OURS, by="Bert", now=ledger.clock()
        )
    assert again is None


async def test_ours_is_written_back(ledger: Ledger) -> None:
    await ledger.read("a", 7)
    [mismatch_id] = await ledger.read("a", 7)
    await ledger.book("a", order("1", ledger, 1))
    async with ledger.work() as work:
        await work.stock.resolve(ledger.team.team_id, mismatch_id, MismatchState.OURS, by="Anna", now=ledger.clock())
    pushes = {push.store_id: (push.from_quantity, push.to_quantity) for push in await ledger.open()}
    assert pushes == {"store-a": (6, 9), "store-b": (10, 9)}


async def test_a_read_that_an_order_overtook_says_nothing(ledger: Ledger) -> None:
    assert await ledger.read("a", 9, MUG, order("1", ledger, 1)) == []
    assert (await ledger.shown("a")).suspected is None
    assert (await ledger.shown("a")).quantity == 9


async def test_an_order_from_before_the_first_count_moves_nothing_until_it_changes(ledger: Ledger) -> None:
    old = ledger.stores["b"], order("1", ledger, 3, at=ledger.clock.now.replace(year=2025))
    assert await ledger.book("b", old[1]) == []
    grown = order("1", ledger, 3, cancelled=3, at=ledger.clock.now.replace(year=2025))
    assert [one.quantity for one in await ledger.book("b", grown)] == [3]


async def test_what_is_sold_from_the_platforms_own_warehouse_is_not_ours(ledger: Ledger) -> None:
    await ledger.link("c", way=WriteWay.READS)
    assert await ledger.book("c", order("1", ledger, 3)) == []
    assert await ledger.on_hand() == 10


async def test_history_comes_in_pages_and_days_add_up(ledger: Ledger) -> None:
    for number in range(3):
        await ledger.book("a", order(str(number), ledger, 1))
        ledger.clock.pass_by(86_400)
    async with ledger.work.reading() as rows:
        first = await rows.stock.movements(ledger.team.team_id, MUG, limit=2)
        rest = await rows.stock.movements(ledger.team.team_id, MUG, before=first[-1].movement_id)
        days = await rows.stock.days(ledger.team.team_id, [MUG], since=ledger.clock.now.date().replace(day=1))
        latest = await rows.stock.latest_orders(ledger.team.team_id, MUG)
    assert [one.quantity for one in (*first, *rest)] == [-1, -1, -1, 10]
    assert [(day.net, day.sold) for day in days[MUG.key]] == [(9, 1), (-1, 1), (-1, 1)]
    assert latest == [("store-a", "2"), ("store-a", "1"), ("store-a", "0")]


async def test_a_place_that_shows_another_sku_starts_anew_and_the_old_pool_forgets_it(ledger: Ledger) -> None:
    await ledger.receive(5)
    pushes = await ledger.open()
    link = next(one for one in (await ledger.pool()).outlets if one.link.store_id == "store-a").link
    async with ledger.work() as work:
        await work.stock.put_links(ledger.team.team_id, [replace(link, sku=Sku("MUG-02"), linked_at=ledger.clock())])
    assert await ledger.linked() == ["b"]
    renamed = (await ledger.pool(Sku("MUG-02"))).outlets[0]
    assert (renamed.shown.quantity, renamed.push) == (None, None)
    assert len(await ledger.close(*map(done, pushes))) == 1, "the write to the old SKU is nobody's any more"
    assert await ledger.on_hand() == 15


async def test_a_store_that_goes_takes_its_beliefs_and_leaves_what_was_sold(ledger: Ledger) -> None:
    await ledger.book("a", order("1", ledger, 2))
    await StoreRows(ledger.database).remove(ledger.stores["a"].store_id)
    assert await ledger.linked() == ["b"]
    assert await ledger.on_hand() == 8


async def test_what_the_shop_says_of_a_sku_is_kept_and_its_count_stays(ledger: Ledger) -> None:
    said = SkuFacts(
        MUG, lead_days=12, pack=6, supplier="Töpferei Süd", cost=Decimal("4.20"), currency="EUR", split_at=5
    )
    async with ledger.work() as work:
        counted_at = (await work.stock.facts(ledger.team.team_id))[MUG.key].counted_at
        await work.stock.put_facts(ledger.team.team_id, [said, SkuFacts(Sku("NEW-1"))])
        facts = await work.stock.facts(ledger.team.team_id)
    assert counted_at is not None
    assert facts[MUG.key] == replace(said, counted_at=counted_at)
    assert facts["new-1"].counted_at is None
