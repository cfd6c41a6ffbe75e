"""The digest: what a place should know this morning. What is news there, what it costs, and who must act next.

Everything is read first and drawn first; then one transaction inserts the place and its local date, says the digest
and remembers what was told. Of two workers that come to it one inserts, the other says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from domain.alert_rows import Sales, Survey
from domain.alerts import TOLD, AlertState, Level, Told, is_news
from domain.catalog import Sha256, Store, StoreId
from domain.data_replies import FileReady
from domain.enhancement import EnhancementState
from domain.people import ChatName, Place
from domain.ports import Reading, UnitOfWork
from domain.powers import ShipsOrders
from domain.sentences import Sentence
from domain.stock import PushState
from domain.stock_alert_replies import AlertLine, DigestShown
from domain.stock_chart import CoverBar, CoverChart
from handlers.alert_faces import LINES_MOST, summary_rows
from handlers.desk import Desk, id_from
from handlers.outlook import Prospect, look
from handlers.stock_table import is_worth_a_row, stock_table
from handlers.words import Words

LATE_AFTER: Final = timedelta(days=3)
"""When an order is late for which its store promises no day."""
STALE_AFTER: Final = timedelta(hours=26)
"""A store whose goods were read longer ago is said to be silent, even where nothing failed."""
KEY_ENDS_WITHIN: Final = timedelta(days=7)
BARS_MOST: Final = 8
TABLE_TYPE: Final = "text/csv; charset=utf-8"
NOTES_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Made:
    """A digest, and what is to be remembered once it is said."""

    reply: DigestShown
    states: Sequence[AlertState]
    told: Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class _Product:
    """The variants of one product that are spoken of together."""

    line: AlertLine
    lost: Decimal


@dataclass(frozen=True, slots=True)
class _Around:
    """What a digest says beside the products."""

    sales: Sales
    unshipped: int
    late: int
    mismatches: int
    failed_pushes: int
    waiting_photos: int
    notes: tuple[str, ...]


async def make_digest(
    team_id: str, place: Place, day: date, desk: Desk, *, timezone: str, language: str, asked: bool = False
) -> Made:
    """Return the digest of a place for a local date; reads rows only, and keeps chart and table as media.

    10,000 SKUs take about three seconds (benchmarks/stock.py).
    """
    now, words = desk.clock(), Words(language, timezone)
    opened = await desk.stores.of_team(team_id)
    stores = {store.store.store_id: store.store for store in opened}
    # Where nothing can be marked as shipped (our own shelf), every order looks open for ever.
    shipping = {store.store.store_id for store in opened if isinstance(store, ShipsOrders)}
    async with desk.work.reading() as rows:
        ahead = await look(rows, team_id, now)
        told = await rows.alerts.told(team_id, place)
        around = await _read_around(rows, team_id, stores, shipping, day, now, words)
    loud = [one for one in ahead if not one.is_quiet(now)]
    news = [one for one in loud if is_news(one.level, told.get(one.sku.key), now) and _matters(one, told)]
    products = _products(team_id, news, ahead, told, local_date(now, timezone))
    silent = DigestShown(
        day,
        around.sales.orders,
        around.sales.units,
        around.unshipped,
        around.late,
        (),
        mismatches=around.mismatches,
        failed_pushes=around.failed_pushes,
        waiting_photos=around.waiting_photos,
        notes=around.notes,
        asked=asked,
    )
    fresh = {one.product_key for one in news}
    low = [one for one in loud if one.level in TOLD and is_worth_a_row(one)]
    still = len({one.product_key for one in low} - fresh)
    # The head, what else waits, and a line for what did not fit.
    room = LINES_MOST - 1 - len(summary_rows(silent, words)) - (1 if still or len(products) > LINES_MOST // 2 else 0)
    shown = _grouped(products[: max(1, room)])
    reply = replace(silent, lines=tuple(one.line for one in shown), more=len(products) - len(shown), still=still)
    reply = await _with_files(reply, ahead, low, desk, words)
    changed = [state for one in ahead if (state := one.state(now)) != (one.was or AlertState(one.sku, Level.OK, now))]
    return Made(reply, changed, {one.sku.key: one.level for one in news})


def subject_of(team_id: str, product_key: str) -> str:
    """Return how a button names a product: 22 characters, the same each day."""
    return id_from(team_id, "alert", product_key)


def _matters(one: Prospect, told: Mapping[str, Told]) -> bool:
    """Whether somebody loses by it: what nobody bought for eight weeks is out without being missed."""
    return one.forecast.units > 0 or one.is_recent or one.sku.key in told


# ---------------------------------------------------------------- products


def alert_line(team_id: str, about: Sequence[Prospect], variants: int, was: Level, today: date) -> AlertLine:
    """Return the variants of one product as a line; `about` are those it speaks of, one at least."""
    worst = max(about, key=lambda one: (one.level.rank, one.lost_per_day))
    early = [(one.forecast.out_early, one.forecast.out_late) for one in about if one.forecast.out_early is not None]
    first = min(early, key=lambda pair: pair[0] or 0, default=(None, None))
    lost = sum((one.lost_per_day for one in about), Decimal(0))
    return AlertLine(
        subject_of(team_id, worst.product_key),
        worst.title,
        tuple(one.sku.value for one in sorted(about, key=lambda one: (-one.level.rank, one.sku.key))),
        variants,
        worst.level.value,
        was.value,
        sum(max(0, one.forecast.on_hand) for one in about),
        worst.supplier,
        _on(today, first[0]),
        _on(today, first[1]),
        sum(one.forecast.order for one in about),
        str(lost) if lost else "",
        worst.currency,
    )


def _products(
    team_id: str, news: Sequence[Prospect], ahead: Sequence[Prospect], told: Mapping[str, Told], today: date
) -> list[_Product]:
    """Return a line a product, the costliest first; what is there again comes after what is missing."""
    of_product: dict[str, list[Prospect]] = defaultdict(list)
    for one in news:
        of_product[one.product_key].append(one)
    variants: dict[str, int] = defaultdict(int)
    for one in ahead:
        variants[one.product_key] += 1
    made = []
    for key, changed in of_product.items():
        bad = [one for one in changed if one.level in TOLD]
        about = bad or changed
        was = max(
            (told[one.sku.key].level for one in about if one.sku.key in told),
            key=lambda level: level.rank,
            default=Level.OK,
        )
        line = alert_line(team_id, about, variants[key], was, today)
        made.append(_Product(line, sum((one.lost_per_day for one in about), Decimal(0))))
    return sorted(made, key=lambda one: (Level(one.line.level) not in TOLD, -one.lost, one.line.title))


def _grouped(products: Sequence[_Product]) -> Sequence[_Product]:
    """Put a supplier's products together, the supplier whose products cost most first."""
    lost: dict[str, Decimal] = defaultdict(Decimal)
    for one in products:
        lost[one.line.supplier] += one.lost
    return sorted(
        products,
        key=lambda one: (Level(one.line.level) not in TOLD, -lost[one.line.supplier], one.line.supplier, -one.lost),
    )


def _on(today: date, days: int | None) -> date | None:
    return None if days is None else today + timedelta(days=days)


# ---------------------------------------------------------------- the picture and the table


async def _with_files(
    reply: DigestShown, ahead: Sequence[Prospect], low: Sequence[Prospect], desk: Desk, words: Words
) -> DigestShown:
    if not low or reply.is_quiet:
        return reply
    now = desk.clock()
    rows = sorted(
        (one for one in ahead if is_worth_a_row(one)), key=lambda one: (-one.level.rank, -one.lost_per_day, one.sku.key)
    )
    written = stock_table(rows, local_date(now, words.timezone), now, words)
    reply = replace(reply, table=await desk.media.put(written), table_rows=len(rows), table_bytes=len(written))
    if desk.charts is None:
        return reply
    worst = sorted(low, key=lambda one: (-one.lost_per_day, -one.level.rank, one.sku.key))[:BARS_MOST]
    return replace(reply, chart=await desk.media.put(await desk.charts.cover(_chart(worst, words))))


def _chart(worst: Sequence[Prospect], words: Words) -> CoverChart:
    ordered = sorted(worst, key=lambda one: (-one.level.rank, one.forecast.out_early or 0, one.title))
    return CoverChart(
        words("Days until it is gone"),
        words("days"),
        words("delivery, if ordered today"),
        words("gone"),
        tuple(
            CoverBar(
                f"{one.title} · {one.variant}" if one.variant else one.title,
                one.sku.value,
                one.level.value,
                one.forecast.out_early,
                one.forecast.out_late,
                one.forecast.lead_days,
            )
            for one in ordered
        ),
    )


# ---------------------------------------------------------------- what else waits


async def _read_around(
    rows: Reading,
    team_id: str,
    stores: Mapping[StoreId, Store],
    shipping: Collection[StoreId],
    day: date,
    now: datetime,
    words: Words,
) -> _Around:
    zone = ZoneInfo(words.timezone)
    midnight = datetime.combine(day, time(), tzinfo=zone)
    before = datetime.combine(day - timedelta(days=1), time(), tzinfo=zone)
    orders = [order for order in await rows.alerts.open_orders(team_id) if order.store_id in shipping]
    late = sum(1 for order in orders if (order.ship_by or order.ordered_at + LATE_AFTER) < now)
    failed = await rows.stock.pushes(team_id, state=PushState.FAILED)
    counts = await rows.enhancements.count_by_state(team_id)
    return _Around(
        await rows.alerts.sales(team_id, after=before, before=midnight),
        len(orders),
        late,
        len(await rows.stock.mismatches(team_id)),
        sum(1 for push in failed if push.closed_at is not None and now - push.closed_at <= timedelta(days=1)),
        counts.get(EnhancementState.AWAITING_DECISION, 0),
        await _notes(rows, team_id, stores, now, words),
    )


async def _notes(
    rows: Reading, team_id: str, stores: Mapping[StoreId, Store], now: datetime, words: Words
) -> tuple[str, ...]:
    """Return which stores are silent, and whose key ends soon."""
    surveys = await rows.alerts.surveys(team_id)
    pulses = await rows.health.pulses(team_id)
    said: list[str] = []
    for store_id, store in stores.items():
        survey, pulse = surveys.get(store_id), pulses.get(store_id)
        if survey is not None and (survey.trouble or _is_stale(survey, now)):
            said.append(_silent(store, survey, words))
        ends = pulse.key_expires_at if pulse is not None else None
        if ends is not None and ends - now <= KEY_ENDS_WITHIN:
            day = words.day(ends.astimezone(ZoneInfo(words.timezone)).date())
            said.append(
                Sentence(
                    "The key of {store} ends on {day}: `reconnect` and its name renew it.", store=store.name, day=day
                )
            )
    return tuple(said[:NOTES_MOST])


def _is_stale(survey: Survey, now: datetime) -> bool:
    return survey.goods_at is not None and now - survey.goods_at > STALE_AFTER


def _silent(store: Store, survey: Survey, words: Words) -> Sentence:
    if survey.goods_at is None:
        return Sentence("{store} has not answered me yet: `status` says why.", store=store.name)
    return Sentence(
        "{store} is silent: its numbers are from {time}. `status` says why.",
        store=store.name,
        time=words.time(survey.goods_at),
    )


async def say_digest(work: UnitOfWork, place: Place, reply: DigestShown, *, team_id: str) -> None:
    """Say it in its place, its table under it as a file; the console's digest leads to the table itself."""
    attached = None
    if reply.table is not None and place.chat is not ChatName.CONSOLE:
        attached = await table_file(work, reply, reply.table, team_id=team_id)
    await work.say_in(place, reply, team_id=team_id, attached=attached)


async def table_file(work: UnitOfWork, reply: DigestShown, table: Sha256, *, team_id: str) -> FileReady:
    """Return the table as a file that a chat sends."""
    file_id = await work.data.keep_file(team_id, reply.table_name, TABLE_TYPE, table)
    said = Sentence("What is out, low or soon will be: {number}", number=reply.table_rows)
    return FileReady(file_id, reply.table_name, table, reply.table_bytes, said)


def local_date(now: datetime, timezone: str) -> date:
    """Return the day that a zone's calendar shows."""
    return now.astimezone(ZoneInfo(timezone)).date()
