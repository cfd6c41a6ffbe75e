"""The port of the rows behind alerts: `work.alerts` writes, `rows.alerts` reads, always for one team.

A survey (handlers/survey.py) reads what the stores sell, show and have sold, so that alerts work without any sync;
where the ledger has counted a SKU, its number goes before the survey's. SKUs are keyed by `Sku.key`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from domain.alerts import AlertPlace, AlertState, Level, Told
from domain.catalog import Sku, Store, StoreId
from domain.people import Place
from domain.trade import Order


@dataclass(frozen=True, slots=True)
class Goods:
    """One SKU as the stores have it. `product_key` is the same for the variants of a product.

    `quantity` is what the stores showed at `quantity_at`, None where none counts. `new_since`: the day on which it
    first appeared, None where it was there when we first looked.
    """

    sku: Sku
    product_key: str
    title: str
    variant: str
    price: Decimal
    currency: str
    quantity: int | None
    quantity_at: datetime
    new_since: date | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """How far one store was read. `trouble` is a sentence, empty while all is well."""

    store_id: StoreId
    orders_to: datetime | None = None
    """The newest change of an order seen."""
    orders_at: datetime | None = None
    goods_at: datetime | None = None
    trouble: str = ""
    trouble_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that is not shipped. `ship_by` None where the store promises no day."""

    store_id: StoreId
    order_id: str
    number: str
    ordered_at: datetime
    ship_by: datetime | None
    url: str


@dataclass(frozen=True, slots=True)
class Sales:
    """What was sold within some time: orders and pieces."""

    orders: int = 0
    units: int = 0


DayUnits = Mapping[str, Mapping[date, int]]
"""Units sold by SKU key and UTC day."""


class SurveyRows(Protocol):
    """What the stores sell, show and have sold."""

    async def surveys(self, team_id: str) -> Mapping[StoreId, Survey]:
        """Return how far each store was read; one that never was is missing."""
        ...

    async def put_goods(self, store: Store, goods: Sequence[Goods], *, now: datetime) -> None:
        """Replace what this store sells, and note which SKUs are out of stock from today and which no longer."""
        ...

    async def put_orders(
        self, store: Store, orders: Sequence[Order], *, now: datetime, orders_to: datetime | None, is_all: bool
    ) -> None:
        """Keep a page of orders as they are now; any page may come again. `is_all`: it was the last one."""
        ...

    async def went_wrong(self, store: Store, trouble: str, *, now: datetime) -> None:
        """Note why a store could not be read."""
        ...

    async def goods(self, team_id: str) -> Mapping[str, Goods]:
        """Return every SKU the stores sell; in several stores the largest quantity, since they share the shelf."""
        ...

    async def sold_days(self, team_id: str, *, since: date) -> DayUnits:
        """Return what was sold on each UTC day."""
        ...

    async def sold_after_read(self, team_id: str) -> Mapping[str, int]:
        """Return what was sold of each SKU since its quantity was read."""
        ...

    async def out_days(self, team_id: str, *, since: date) -> Mapping[str, Sequence[tuple[date, date | None]]]:
        """Return the spells without stock, from and to (exclusive; None: still), by SKU."""
        ...

    async def sales(self, team_id: str, *, after: datetime, before: datetime) -> Sales:
        """Return what was sold from `after` up to `before`."""
        ...

    async def open_orders(self, team_id: str) -> Sequence[OpenOrder]:
        """Return paid orders that are not shipped, the oldest first."""
        ...


class AlertRows(SurveyRows, Protocol):
    """Who is told what, and what was."""

    async def places(self, team_id: str | None = None) -> Sequence[AlertPlace]:
        """Return the places that want the digest, of a team or of all; a zone set there since goes before the kept one."""
        ...

    async def place(self, team_id: str, place: Place) -> AlertPlace | None:
        """Return what was set in a place, None where nothing ever was."""
        ...

    async def put_place(self, place: AlertPlace) -> None:
        """Set it."""
        ...

    async def place_timezone(self, team_id: str, place: Place) -> str:
        """Return the zone that was set in a place, empty where none was."""
        ...

    async def team_timezone(self, team_id: str) -> str:
        """Return the zone that most of the team's places were set to, empty where none was."""
        ...

    async def take_date(self, team_id: str, place: Place, day: date, *, now: datetime) -> bool:
        """Insert the digest of a place and local date; False when somebody was first."""
        ...

    async def last_date(self, team_id: str, place: Place) -> date | None:
        """Return the date of a place's newest digest."""
        ...

    async def states(self, team_id: str) -> Mapping[str, AlertState]:
        """Return the SKUs that are not OK, or quiet."""
        ...

    async def put_states(self, team_id: str, states: Sequence[AlertState]) -> None:
        """Write them."""
        ...

    async def told(self, team_id: str, place: Place) -> Mapping[str, Told]:
        """Return what a place last heard of each SKU."""
        ...

    async def put_told(
        self,
        team_id: str,
        place: Place,
        levels: Mapping[str, Level],
        *,
        now: datetime,
        unless_since: datetime | None = None,
    ) -> frozenset[str]:
        """Note what a place hears now, by SKU key, and return the keys that are noted.

        With `unless_since`, one that was noted since then at this level is left out: somebody else has told it.
        """
        ...
