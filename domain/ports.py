"""What the rooms ask of each other. `bot/app.py` hands the implementations in; nobody inherits.

Every docstring here is a contract that the real thing and its fake in `tests/fakes.py` both pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from domain.alert_rows import AlertRows
from domain.catalog import ImageId, Listing, ListingId, ListingImage, ListingPage, Sku, Store, StoreId
from domain.connecting import ConnectRows
from domain.connection import Contact, StoreHealth
from domain.data_rows import DataRows
from domain.health import HealthRows
from domain.intents import Incoming
from domain.jobs import Job
from domain.people import Place
from domain.recipe import PictureRules
from domain.replies import Reply
from domain.rows import (
    AuditEntry,
    AuditQuery,
    EnhancementRows,
    PlacementRows,
    PlaceRows,
    QuestionRows,
    Trouble,
)
from domain.sessions import SessionRows
from domain.stock_rows import StockRows
from domain.sync_rows import SyncRows
from domain.team_rows import PeopleRows, TeamRows
from domain.workspaces import WorkspaceRows


class Clock(Protocol):
    """The time is a parameter: aware UTC."""

    def __call__(self) -> datetime:
        """Return now."""
        ...


# ---------------------------------------------------------------- stores


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """`key` makes it find-or-create; `replaces` is the image at the position now, None when there is none."""

    key: str
    listing_id: ListingId
    position: int
    content: bytes
    content_type: str
    alt: str
    replaces: ImageId | None


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """`ours` is the image we placed; `original` what stood there, None when nothing did."""

    key: str
    listing_id: ListingId
    position: int
    ours: ImageId
    original: ImageId | None
    original_content: bytes | None
    original_alt: str


class StorePlatform(Protocol):
    """One connected store. Every call may raise RateLimited, StoreDown, NeedsReconnect, MissingScope, NotFound."""

    @property
    def store(self) -> Store:
        """Which account this is."""
        ...

    async def check(self) -> StoreHealth:
        """Ask the store who we are there and what we may do; changes nothing.

        Raises NeedsReconnect for a wrong, expired or revoked key, NotFound for a shop that is not there.
        """
        ...

    async def find_listings(self, sku: Sku) -> Sequence[Listing]:
        """Return every listing that sells exactly this SKU (SKUs are not unique), images included."""
        ...

    async def list_products(self, *, cursor: str | None = None, limit: int = 50) -> ListingPage:
        """Return one page of listings in a stable order."""
        ...

    async def read_images(self, listing_id: ListingId) -> tuple[ListingImage, ...]:
        """Return the pictures in the store's order, read now, not from a cache."""
        ...

    async def fetch_image(self, image: ListingImage) -> bytes:
        """Return the original bytes, from the store's own host only."""
        ...

    async def publish_image(self, request: PublishRequest) -> ListingImage:
        """Put the picture at its position instead of `replaces`; the others keep count and order.

        Find-or-create by `key`: after a crash half-way the same call finishes the work and never adds
        a second image. The replaced image is detached, or removed only once ours was read back.
        Raises RejectedByStore, Ambiguous.
        """
        ...

    async def find_published(self, key: str, listing_id: ListingId) -> ListingImage | None:
        """Return the image an earlier `publish_image` made for this key, None when there is none."""
        ...


@runtime_checkable
class RestoresImages(Protocol):
    """The power to put back what was replaced."""

    async def restore_image(self, request: RestoreRequest) -> ListingImage | None:
        """Put `original` back at the position and detach `ours`; None when nothing stood there.

        Repeating it after a crash finds the work done. Raises ChangedMeanwhile, having changed
        nothing, when the image at the position is neither ours nor the original.
        """
        ...


@runtime_checkable
class FetchesPictures(Protocol):
    """A store that fetches a picture by an address of ours, so that it must reach us."""

    async def check_reach(self) -> None:
        """Raise NotPossible, naming what to set, where it cannot: asked before any work is begun."""
        ...


class Stores(Protocol):
    """The team's connected stores, opened."""

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        """Return them in a stable order, the first connected first."""
        ...

    async def open(self, store_id: StoreId) -> StorePlatform:
        """Return one. Raises Disconnected when somebody took it away."""
        ...

    async def contact(self, store: Store) -> Contact:
        """Return how talking to it went, without talking to it."""
        ...

    def rules(self, store: Store) -> PictureRules:
        """Return what its platform wants of a main picture; `name` is the platform's value."""
        ...


# ---------------------------------------------------------------- one transaction


class Reading(Protocol):
    """The rows as one moment had them."""

    @property
    def enhancements(self) -> EnhancementRows:
        """The enhancements."""
        ...

    @property
    def placements(self) -> PlacementRows:
        """The placements."""
        ...

    @property
    def people(self) -> PeopleRows:
        """Members and invitations."""
        ...

    @property
    def teams(self) -> TeamRows:
        """What a team is beyond its members: rules, places, invitations, roles."""
        ...

    @property
    def workspaces(self) -> WorkspaceRows:
        """The Slack workspaces that installed us."""
        ...

    @property
    def questions(self) -> QuestionRows:
        """Questions we asked."""
        ...

    @property
    def places(self) -> PlaceRows:
        """Where talks happen."""
        ...

    @property
    def sessions(self) -> SessionRows:
        """The browsers that members are signed in with."""
        ...

    @property
    def connections(self) -> ConnectRows:
        """Links to connect stores, and the rights stores gave."""
        ...

    @property
    def stock(self) -> StockRows:
        """The stock ledger."""
        ...

    @property
    def sync(self) -> SyncRows:
        """What keeps the stores in step with the ledger."""
        ...

    @property
    def alerts(self) -> AlertRows:
        """Who is told what about stock, and what surveys of the stores found."""
        ...

    @property
    def data(self) -> DataRows:
        """The team's data as a whole."""
        ...

    @property
    def health(self) -> HealthRows:
        """How stores and chats are doing."""
        ...

    async def history(self, team_id: str, *, sku: Sku | None, limit: int) -> Sequence[AuditEntry]:
        """Return the newest lines first."""
        ...

    async def audit_lines(self, query: AuditQuery) -> Sequence[AuditEntry]:
        """Return the lines a question is about, the newest first."""
        ...

    async def count_audit_lines(self, query: AuditQuery) -> int:
        """Return how many lines a question is about, whatever its limit."""
        ...

    async def people_of_audit(self, team_id: str) -> Sequence[str]:
        """Return every name that a line of the team's audit names."""
        ...

    async def troubles(self, team_id: str) -> Sequence[Trouble]:
        """Return which places and chats do not hear us, whole chats first."""
        ...


class UnitOfWork(Reading, Protocol):
    """One transaction: rows, jobs and messages together, or none of them."""

    async def enqueue(self, job: Job) -> None:
        """Start a job when, and only when, this transaction commits."""
        ...

    async def answer(self, reply: Reply) -> None:
        """Say it where the event came from; a `Working` shown for the event is edited into it."""
        ...

    async def show(self, enhancement_id: str, reply: Reply) -> None:
        """Edit the card in every place that shows it; where none does, post it where it was asked for.

        Inside an event's unit of work, the event's own provisional `Working` becomes the card.
        """
        ...

    async def say_in(self, place: Place, reply: Reply, *, team_id: str, attached: Reply | None = None) -> None:
        """Say something in a place of the team's that nobody there asked for; `attached` is said under it."""
        ...

    async def say_under(self, enhancement_id: str, reply: Reply, *, only: Place | None = None) -> None:
        """Say something under the card, in every place that shows it, or in one place only.

        A place that is named but does not show the card (any more) hears it in a message that stands alone.
        """
        ...

    async def show_in_watching(self, enhancement_id: str, reply: Reply) -> None:
        """Show the card in every place of the team that asked for all previews and does not show it yet."""
        ...

    async def show_here(self, enhancement_id: str, reply: Reply) -> None:
        """Show the card in the event's place: a new message there, kept up to date from now on."""
        ...

    async def show_topic(self, topic: str, reply: Reply, *, team_id: str, places: Sequence[Place] = ()) -> None:
        """Edit the message of a topic wherever the team sees it, and post it in those of `places` that do not show it.

        A topic is what is no enhancement and has one message that stays true: a question about stock, a digest.
        """
        ...

    async def audit(self, entry: AuditEntry) -> None:
        """Append one line."""
        ...

    async def tell_admins(self, team_id: str, reply: Reply, *, subject: str = "") -> None:
        """Tell the team's admins privately; where none can be reached so, where `subject` was last spoken of."""
        ...


class Work(Protocol):
    """Opens units of work."""

    def __call__(self, incoming: Incoming | None = None) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open one; leaving it normally commits, any exception rolls everything back.

        With `incoming` the event is concluded in the same transaction: raises EventConcluded at
        entry when it was concluded before, so that handling an event twice changes nothing.
        """
        ...

    def reading(self) -> AbstractAsyncContextManager[Reading]:
        """Look without the right to change: takes no write lock, so it never waits for a writer."""
        ...
