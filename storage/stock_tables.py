"""The tables of the stock ledger. What a store told may outlive the store; what we believe of it goes with it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from storage.tables import BIG_ID, Row, UtcDateTime

_IS_OPEN = text("state = 'open'")


class StockSkuRow(Row, table=True):
    """A SKU of the ledger: what the shop says of it, and the sum of its movements. Its row is what changes wait for.

    `cost` is a decimal as text: SQLite keeps no exact ones.
    """

    __tablename__ = "stock_sku"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    sku_key: str = Field(primary_key=True)
    sku: str
    on_hand: int = Field(sa_type=BigInteger)
    lead_days: int | None
    review_days: int | None
    pack: int | None
    supplier: str
    cost: str
    currency: str
    split_at: int
    counted_at: datetime | None = Field(sa_type=UtcDateTime)


class StockOutletRow(Row, table=True):
    """One SKU at one place of one store: how it is kept in step, and what we believe it shows."""

    __tablename__ = "stock_outlet"
    __table_args__ = (Index(None, "team_id", "sku_key"),)
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    stock_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    sku_key: str
    listing_id: str
    location: str
    way: str
    buffer: int
    cap: int | None
    state: str
    linked_at: datetime = Field(sa_type=UtcDateTime)
    quantity: int | None = None
    slack: int = 0
    observed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    suspected: int | None = None
    blocked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    written_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 0


class StockMovementRow(Row, table=True):
    """What came and went; append-only. `day` is the UTC day of `occurred_at`."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        UniqueConstraint("team_id", "key"),
        Index(None, "team_id", "sku_key", "movement_id"),
        Index(None, "team_id", "day"),
    )
    movement_id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    team_id: str = Field(foreign_key="team.team_id")
    key: str
    sku: str
    sku_key: str
    quantity: int
    kind: str
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    day: date
    source: str
    actor: str
    what: str
    store_id: str | None
    order_id: str | None


class StockOrderLineRow(Row, table=True):
    """What is known of a line of an order; every count only grows."""

    __tablename__ = "stock_order_line"
    store_id: str = Field(primary_key=True)
    order_id: str = Field(primary_key=True)
    line_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    sku_key: str
    ordered: int
    cancelled: int
    restocked: int
    shipped: int


class StockPullRow(Row, table=True):
    """How far a store's orders are pulled."""

    __tablename__ = "stock_pull"
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    cursor: datetime | None = Field(sa_type=UtcDateTime)
    began_at: datetime | None = Field(sa_type=UtcDateTime)


class StockPushRow(Row, table=True):
    """A write to a place, by its idempotency key; one a place is open."""

    __tablename__ = "stock_push"
    __table_args__ = (
        Index(
            "uq_stock_push_open", "store_id", "stock_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN
        ),
        Index(None, "team_id", "state", "opened_at"),
    )
    push_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE")
    stock_id: str
    sku: str
    sku_key: str
    from_quantity: int
    delta: int
    state: str
    why: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StockMismatchRow(Row, table=True):
    """A place shows what we cannot explain; one a place is open."""

    __tablename__ = "stock_mismatch"
    __table_args__ = (
        Index(
            "uq_stock_mismatch_open",
            "store_id",
            "stock_id",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        Index(None, "team_id", "state", "opened_at"),
    )
    mismatch_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE")
    stock_id: str
    sku: str
    sku_key: str
    expected: int
    observed: int
    state: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: str = ""
