"""The tables of alerts: what surveys of the stores found, who is told what, and what was."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from storage.tables import Row, UtcDateTime


class AlertPlaceRow(Row, table=True):
    """A place that wants the digest, and when: minutes after midnight of its own clock."""

    __tablename__ = "alert_place"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    thread_id: str
    is_on: bool
    at_minute: int
    timezone: str
    since: datetime = Field(sa_type=UtcDateTime)
    by: str


class DigestRow(Row, table=True):
    """That a place's digest of a local date was sent: once, whoever sends it."""

    __tablename__ = "digest"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    local_date: date = Field(primary_key=True)
    sent_at: datetime = Field(sa_type=UtcDateTime)


class AlertStateRow(Row, table=True):
    """How near a SKU is to running out, and whether somebody wants quiet about it. One that is OK and loud has none."""

    __tablename__ = "alert_state"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    sku_key: str = Field(primary_key=True)
    sku: str
    level: str
    since: datetime = Field(sa_type=UtcDateTime)
    quiet: str = ""
    quiet_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    quiet_on_hand: int = Field(default=0, sa_type=BigInteger)
    quiet_by: str = ""


class AlertToldRow(Row, table=True):
    """What a place last heard of a SKU."""

    __tablename__ = "alert_told"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    sku_key: str = Field(primary_key=True)
    level: str
    at: datetime = Field(sa_type=UtcDateTime)


class SurveyStoreRow(Row, table=True):
    """How far a store was read."""

    __tablename__ = "survey_store"
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    orders_to: datetime | None = Field(default=None, sa_type=UtcDateTime)
    orders_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    goods_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trouble: str = ""
    trouble_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SurveyGoodsRow(Row, table=True):
    """A SKU as one store has it; `price` is a decimal as text."""

    __tablename__ = "survey_goods"
    __table_args__ = (Index(None, "team_id", "sku_key"),)
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    sku_key: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    product_key: str
    title: str
    variant: str
    price: str
    currency: str
    quantity: int | None = Field(sa_type=BigInteger)
    quantity_at: datetime = Field(sa_type=UtcDateTime)
    new_since: date | None = None


class SurveyOrderRow(Row, table=True):
    """An order's head; who bought is not known here."""

    __tablename__ = "survey_order"
    __table_args__ = (Index(None, "team_id", "state"), Index(None, "team_id", "ordered_at"))
    store_id: str = Field(foreign_key="store.store_id", ondelete="CASCADE", primary_key=True)
    order_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    number: str
    state: str
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    ship_by: datetime | None = Field(default=None, sa_type=UtcDateTime)
    url: str
    units: int


class SurveySaleRow(Row, table=True):
    """A line of an order: what was sold of a SKU, less what was cancelled. It outlives its store."""

    __tablename__ = "survey_sale"
    __table_args__ = (Index(None, "team_id", "day"), Index(None, "team_id", "sku_key", "ordered_at"))
    store_id: str = Field(primary_key=True)
    order_id: str = Field(primary_key=True)
    line_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku_key: str
    day: date
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    units: int


class SurveyOutRow(Row, table=True):
    """A spell in which no store had any of a SKU; `to_day` is the first day with some again."""

    __tablename__ = "survey_out"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    sku_key: str = Field(primary_key=True)
    from_day: date = Field(primary_key=True)
    to_day: date | None = None
