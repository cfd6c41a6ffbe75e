"""What is said of stock without being asked, and of when it is said: the part `AlertReply` of the union `Reply`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.catalog import Sha256


@dataclass(frozen=True, slots=True)
class AlertAnswer:
    """What all of them are, so that a chat hands them on in one line."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One product that changed its level; `subject_id` names it for a button. `skus` are the variants it is about.

    `level` and `was` are Level values, `lost_per_day` an amount as text, empty for none. `on_hand` and `order` are
    of all `skus` together; the dates are of the one that runs out first, None where it lasts a year.
    """

    subject_id: str
    title: str
    skus: tuple[str, ...]
    variants: int
    level: str
    was: str
    on_hand: int
    supplier: str = ""
    out_early: date | None = None
    out_late: date | None = None
    order: int = 0
    lost_per_day: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DigestShown(AlertAnswer):
    """A place's morning. `lines` are what changed, the costliest first, a supplier's together; `more` did not fit.

    `still` counts the products that are as low as they were told before. `notes` are sentences: a store that is
    silent, a key that ends soon. `chart` is a picture of the days that are covered, `table` a CSV of `table_rows`
    products. `asked`: somebody wanted it now; the morning's own is still to come.
    """

    day: date
    orders: int
    units: int
    unshipped: int
    late: int
    lines: tuple[AlertLine, ...]
    more: int = 0
    still: int = 0
    mismatches: int = 0
    failed_pushes: int = 0
    waiting_photos: int = 0
    notes: tuple[str, ...] = ()
    chart: Sha256 | None = None
    table: Sha256 | None = None
    table_rows: int = 0
    table_bytes: int = 0
    asked: bool = False

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing that anybody must do."""
        return not (
            self.lines or self.unshipped or self.mismatches or self.failed_pushes or self.waiting_photos or self.notes
        )

    @property
    def table_name(self) -> str:
        """Return what the CSV is called."""
        return f"stock-{self.day.isoformat()}.csv"


@dataclass(frozen=True, slots=True)
class OutNow(AlertAnswer):
    """Something that sells has just run out. `sold` pieces went within RECENT_DAYS."""

    line: AlertLine
    sold: int


@dataclass(frozen=True, slots=True)
class SnoozeAsked(AlertAnswer):
    """How long shall it be quiet? `arrives` is when a delivery that is ordered today should be there."""

    subject_id: str
    title: str
    skus: tuple[str, ...]
    arrives: date


@dataclass(frozen=True, slots=True)
class Snoozed(AlertAnswer):
    """Quiet from now on. `kind` is a Quiet value, empty when it speaks again; `until` None until stock comes in."""

    subject_id: str
    title: str
    skus: tuple[str, ...]
    kind: str
    until: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class AlertsShown(AlertAnswer):
    """When this place hears of its stock. `zone_from` says whose the zone is: place, team, person or deployment.

    `here_now` is the moment of the answer, to be shown as that zone's clock; `next_at` None while it is off.
    """

    is_on: bool
    wall_time: str
    timezone: str
    zone_from: str
    here_now: datetime
    next_at: datetime | None


AlertReply = DigestShown | OutNow | SnoozeAsked | Snoozed | AlertsShown
