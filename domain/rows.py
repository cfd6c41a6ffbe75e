"""The rows behind the storage room's ports, and the rules of changing them.

Nobody saves a row without saying what it was: `save(row, was=before)` loses loudly.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.catalog import ImageId, ListingId, Sha256, Sku, StoreId
from domain.enhancement import Enhancement, EnhancementState, Placement, PlacementState, Revision
from domain.people import Place
from domain.replies import Outgoing, Reply, SettingsShown


@dataclass(frozen=True, slots=True)
class Question:
    """We asked which product or which store; the photos wait here, not in memory."""

    question_id: str
    team_id: str
    place: Place
    asked_of: str
    kind: str
    """`product`, `store` or `part`."""
    photos: tuple[Sha256, ...]
    sku: str
    stores: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    choices: tuple[str, ...]
    """SKUs, store names, or places in a photo; a press carries the index. For stores one more index means all."""
    event_key: str
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of who did what; append-only.

    `about` is the person it concerns, where that is another one than `who`: names stand there and in `who`, never
    in `what`, `before` or `after`, so that a person can be forgotten. `place` is where it was said; inside an
    event's unit of work it is the event's own where none is given. `before` and `after` are what changed, in JSON
    types. `number` is the line's own in its team, 0 until it is written.
    """

    team_id: str
    at: datetime
    who: str
    action: str
    sku: str
    subject_id: str
    what: str
    about: str = ""
    place: Place | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which lines of a team: of one SKU, of a person (by or about them, in any spelling of case), since a moment."""

    team_id: str
    sku: Sku | None = None
    person: str = ""
    since: datetime | None = None
    limit: int = 15
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why people of a place do not hear us; of a whole chat when `place.place_id` is empty.

    `lost` messages will never be shown there, `waiting` ones are tried again.
    """

    place: Place
    sentence: str
    since: datetime
    lost: int = 0
    waiting: int = 0


class EnhancementRows(Protocol):
    """Enhancements, and compare-and-set on them."""

    async def get(self, team_id: str, enhancement_id: str) -> Enhancement | None:
        """Return it; None when it does not exist or belongs to another team."""
        ...

    async def load(self, enhancement_id: str) -> Enhancement:
        """Return it for a job that was given its id. Raises Fault("row_missing")."""
        ...

    async def add(self, enhancement: Enhancement) -> bool:
        """Insert it; False when the id exists already (the same event handled twice)."""
        ...

    async def save(self, enhancement: Enhancement, *, was: Enhancement) -> None:
        """Write it where state, revision and attempt are still those of `was`. Raises RowChanged."""
        ...

    async def hold(self, enhancement_id: str) -> None:
        """Wait for whoever changes its card, and keep them waiting until this transaction ends."""
        ...

    async def latest_in(self, place: Place, team_id: str, *, sku: Sku | None = None) -> Enhancement | None:
        """Return the newest of the team asked for in this place (any place when a SKU is given)."""
        ...

    async def awaiting_in(self, place: Place, team_id: str, *, sku: Sku | None = None) -> Sequence[Enhancement]:
        """Return what waits for a decision and was asked for in this place (any place when a SKU is given)."""
        ...

    async def of_sku(self, team_id: str, sku: Sku, *, limit: int) -> Sequence[Enhancement]:
        """Return the newest of a SKU, newest first, each with its present revision."""
        ...

    async def awaiting(self, team_id: str, *, limit: int) -> Sequence[Enhancement]:
        """Return what waits for a decision in any place, the oldest first."""
        ...

    async def revisions(self, enhancement_id: str) -> Sequence[Revision]:
        """Return every attempt at its picture, the oldest first."""
        ...

    async def count_by_state(self, team_id: str) -> dict[EnhancementState, int]:
        """Return how many stand where."""
        ...

    async def oldest_awaiting(self, team_id: str) -> datetime | None:
        """Return when the longest waiting preview was asked for."""
        ...


class PlacementRows(Protocol):
    """Placements, and compare-and-set on them."""

    async def load(self, placement_id: str) -> Placement:
        """Return it. Raises Fault("row_missing")."""
        ...

    async def of_enhancement(self, enhancement_id: str, *, revision: int | None = None) -> Sequence[Placement]:
        """Return them newest revision first, then in target order."""
        ...

    async def add(self, placement: Placement) -> None:
        """Insert it. Raises RowChanged when (enhancement, revision, listing) has one already."""
        ...

    async def save(self, placement: Placement, *, was: Placement) -> None:
        """Write it where state and attempt are still those of `was`. Raises RowChanged."""
        ...

    async def count_by_state(self, team_id: str) -> dict[PlacementState, int]:
        """Return how many stand where."""
        ...


class PlaceRows(Protocol):
    """Where talks happen, and what was set there."""

    async def settings(self, team_id: str, place: Place) -> SettingsShown:
        """Return what holds in a place: what was set there, else the deployment's own."""
        ...

    async def change(self, team_id: str, place: Place, settings: SettingsShown) -> None:
        """Set it."""
        ...

    async def card_under(self, team_id: str, place: Place, native_id: str) -> str | None:
        """Return the enhancement whose card the message shows, or whose request it was; None for neither."""
        ...


class QuestionRows(Protocol):
    """Questions we asked."""

    async def add(self, question: Question) -> None:
        """Insert it; the same id twice is one row."""
        ...

    async def get(self, team_id: str, question_id: str) -> Question | None:
        """Return it; None when unknown or of another team."""
        ...

    async def latest_open(self, place: Place, member_id: str) -> Question | None:
        """Return the newest unanswered `product` question to this member here."""
        ...

    async def answer(self, question_id: str) -> bool:
        """Mark it answered; False when it already was (the loser of a race)."""
        ...


@dataclass(frozen=True, slots=True)
class ShelfImage:
    """A picture on the built-in store. `made_for` is the publish key that made it, empty for samples."""

    image_id: ImageId
    photo: Sha256
    content_type: str
    alt: str
    made_for: str


@dataclass(frozen=True, slots=True)
class ShelfVariant:
    """One buyable form on the shelf; price in minor units."""

    sku: Sku
    title: str
    price_cents: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ShelfListing:
    """A product on the shelf; `version` rises with every change and guards compare-and-set."""

    listing_id: ListingId
    title: str
    handle: str
    description: str
    variants: tuple[ShelfVariant, ...]
    images: tuple[ShelfImage, ...]
    version: int


@dataclass(frozen=True, slots=True)
class ShelfOrder:
    """A sale on the shelf."""

    order_id: str
    sku: Sku
    quantity: int
    ordered_at: datetime


class ShelfRows(Protocol):
    """The rows of the built-in store."""

    async def listings(self, store_id: StoreId, *, after: str = "", limit: int = 50) -> Sequence[ShelfListing]:
        """Return listings with handle > `after`, by handle."""
        ...

    async def by_sku(self, store_id: StoreId, sku: Sku) -> Sequence[ShelfListing]:
        """Return the listings that sell this SKU, compared by `Sku.key`."""
        ...

    async def listing(self, store_id: StoreId, listing_id: ListingId) -> ShelfListing | None:
        """Return one, None when it is gone."""
        ...

    async def add_listing(self, store_id: StoreId, listing: ShelfListing) -> bool:
        """Insert one; False when the handle exists."""
        ...

    async def set_images(
        self, store_id: StoreId, listing_id: ListingId, images: Sequence[ShelfImage], *, was_version: int
    ) -> None:
        """Replace the ordered pictures where the version is still `was_version`. Raises RowChanged.

        An image left out is detached, not deleted: `detached` finds it again.
        """
        ...

    async def detached(self, store_id: StoreId, listing_id: ListingId, image_id: ImageId) -> ShelfImage | None:
        """Return an image of this listing, shown or detached."""
        ...

    async def made_for(self, store_id: StoreId, listing_id: ListingId, key: str) -> ShelfImage | None:
        """Return the image a publish key made, shown or detached."""
        ...

    async def sell(self, store_id: StoreId, sku: Sku, quantity: int, *, now: datetime) -> ShelfOrder | None:
        """Record an order and lower the stock in one step; None when there is not enough."""
        ...

    async def orders(
        self, store_id: StoreId, *, since: datetime, after_id: str = "", limit: int | None = None
    ) -> Sequence[ShelfOrder]:
        """Return orders from `since` on, oldest first; `after_id` leaves out those of that very moment up to it."""
        ...

    async def order(self, store_id: StoreId, order_id: str) -> ShelfOrder | None:
        """Return one, None when there is none."""
        ...

    async def set_quantity(
        self, store_id: StoreId, listing_id: ListingId, sku: Sku, *, was: int | None, quantity: int, key: str
    ) -> tuple[bool, int] | None:
        """Set it where it is still `was`, or `was` is None; return whether it is set, and what stands there now.

        The same key again, as the last one there, is set and writes nothing. None for a form that is gone.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConsoleLine:
    """One line of the browser chat: what somebody said, or a reply (a later line with the same
    `message_key` replaces it). `cursor` only grows, also across processes.
    """

    cursor: int
    place_id: str
    message_key: str
    author: str
    text: str
    photos: tuple[Sha256, ...]
    reply: Reply | None
    cause: str
    at: datetime


class ConsoleLines(Protocol):
    """The rows of the browser chat."""

    async def append_reply(self, outgoing: Outgoing, *, now: datetime) -> str:
        """Add a line and return the native id (the message_key)."""
        ...

    async def after(self, team_id: str, place_id: str, cursor: int, *, limit: int = 200) -> Sequence[ConsoleLine]:
        """Return the lines with a greater cursor, in order."""
        ...

    async def recent_cursor(self, team_id: str, place_id: str, *, lines: int) -> int:
        """Return the cursor after which exactly the newest `lines` lines stand; 0 where there are no more than that."""
        ...

    async def of_cause(self, team_id: str, event_key: str) -> Sequence[ConsoleLine]:
        """Return all lines of every message this event touched, in order."""
        ...

    async def shows(self, team_id: str, photo: Sha256) -> bool:
        """Whether a line of this team's names these bytes: only then may its members see them."""
        ...

    def follow(self, team_id: str, place_id: str, cursor: int) -> AsyncIterator[Sequence[ConsoleLine]]:
        """Yield new lines as they come, from any process, for ever."""
        ...
