"""Every table. Rows never leave this room; the column names are a promise to the migrations.

Each row carries its team. Small values that are only read whole (targets, findings, a reply) are
JSON; whatever is searched, compared or counted is a column of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

BIG_ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only an INTEGER PRIMARY KEY."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; SQLite itself would drop the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they are a bug of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SealedText(String):
    """What the vault made of a secret, as text, where a library's table wants text. Bytes are sealed wherever they stand."""


class Row(SQLModel):
    """What every table shares: its own metadata, with constraint names that both databases agree on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# ---------------------------------------------------------------- people


class TeamRow(Row, table=True):
    """The business."""

    __tablename__ = "team"
    team_id: str = Field(primary_key=True)
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class MemberRow(Row, table=True):
    """A person of a team. `removed_at`: an admin took their access away; what they did keeps their name."""

    __tablename__ = "member"
    member_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    name: str
    role: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class IdentityRow(Row, table=True):
    """Who a member is in one chat.

    `standing` says why: "" by an invitation, `vouched` while their workspace vouches for them, `suspended`
    since it no longer does (a Slack member who became a guest, or whose account was closed).
    """

    __tablename__ = "identity"
    # One bot serves several teams: whose somebody is, is asked at every event.
    __table_args__ = (Index(None, "chat", "actor_id"),)
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    actor_id: str = Field(primary_key=True)
    member_id: str = Field(foreign_key="member.member_id", index=True)
    standing: str = ""


class InvitationRow(Row, table=True):
    """A one-time code, by its hash."""

    __tablename__ = "invitation"
    code_hash: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    role: str
    invited_by: str
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_by: str | None = Field(default=None, foreign_key="member.member_id")
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PlaceRow(Row, table=True):
    """A conversation in which somebody spoke to us, and what was set there; empty means the default.

    `previews`: every new preview of the team is shown here too, in this thread.
    """

    __tablename__ = "place"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    language: str = ""
    timezone: str = ""
    previews: bool = False


class ConsoleLoginRow(Row, table=True):
    """A browser's login: first a one-time code, then a cookie; both only as hashes."""

    __tablename__ = "console_login"
    login_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    member_id: str = Field(foreign_key="member.member_id", index=True)
    csrf: str
    code_hash: str = Field(unique=True)
    code_expires_at: datetime = Field(sa_type=UtcDateTime)
    cookie_hash: str | None = Field(default=None, unique=True)
    cookie_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


# ---------------------------------------------------------------- stores and photos


class StoreRow(Row, table=True):
    """One connected account on a platform; `credentials` are encrypted by the vault."""

    __tablename__ = "store"
    __table_args__ = (UniqueConstraint("team_id", "name"),)
    store_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    platform: str
    name: str
    credentials: bytes | None = None
    connected_at: datetime = Field(sa_type=UtcDateTime)


class StoreStateRow(Row, table=True):
    """What changes about a connected store: its tokens (encrypted; `version` guards compare-and-set, `claimed_until`
    a renewal), and how talking to it went.
    """

    __tablename__ = "store_state"
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    tokens: bytes | None = None
    version: int = 0
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_ok_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trouble: str = ""
    trouble_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StoreNoteRow(Row, table=True):
    """What an adapter remembers of a listing where the store has no place for it; `value` is the adapter's own JSON."""

    __tablename__ = "store_note"
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    listing_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    value: str


_NOT_CONCLUDED = text("concluded_at IS NULL")


class StoreHintRow(Row, table=True):
    """That something changed at a store, told by the store; `subject` is the vendor's id of it, and nothing else is kept."""

    __tablename__ = "store_hint"
    # Looked for every two seconds, among all of those that are kept.
    __table_args__ = (
        Index(
            "ix_store_hint_open", "store_id", "taken_at", sqlite_where=_NOT_CONCLUDED, postgresql_where=_NOT_CONCLUDED
        ),
    )
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    hint_key: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    topic: str
    subject: str
    taken_at: datetime = Field(sa_type=UtcDateTime, index=True)
    concluded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MediaRow(Row, table=True):
    """What we know of the bytes called `sha256`. They may be shared by teams, so none is named."""

    __tablename__ = "media"
    sha256: str = Field(primary_key=True)
    content_type: str
    size_bytes: int = Field(sa_type=BigInteger)
    stored_at: datetime = Field(sa_type=UtcDateTime, index=True)


# ---------------------------------------------------------------- enhancements


class EnhancementRow(Row, table=True):
    """One photo's way. `revision` and `attempt` guard compare-and-set together with `state`.

    `failure_said` is what the failure's sentence was made of, so that it can be said in another language.
    `reminded_at`: when people were reminded of the preview that was shown at `offered_at`; once a revision.
    """

    __tablename__ = "enhancement"
    __table_args__ = (Index(None, "team_id", "state", "created_at"), Index(None, "team_id", "sku_key", "created_at"))
    enhancement_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    sku_key: str
    title: str
    photo: str | None
    state: str
    revision: int
    attempt: int
    targets: Any = Field(sa_type=JSON)
    chat: str
    place_id: str
    thread_id: str
    requested_by: str
    requested_by_name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    failure: str
    failure_said: Any = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    offered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RevisionRow(Row, table=True):
    """One attempt at the picture; older ones stay."""

    __tablename__ = "revision"
    enhancement_id: str = Field(foreign_key="enhancement.enhancement_id", primary_key=True)
    number: int = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    recipe: Any = Field(sa_type=JSON)
    pictures: Any = Field(sa_type=JSON)
    before: str | None
    after: str | None
    preview: str | None
    engine: str
    confidence: float
    findings: Any = Field(sa_type=JSON)


class DecisionRow(Row, table=True):
    """Who said what about a revision; one verdict each."""

    __tablename__ = "decision"
    __table_args__ = (
        ForeignKeyConstraint(["enhancement_id", "revision"], ["revision.enhancement_id", "revision.number"]),
    )
    enhancement_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    verdict: str
    by_name: str
    by_member_id: str
    decided_at: datetime = Field(sa_type=UtcDateTime)
    reason: str


class PlacementRow(Row, table=True):
    """One approved picture at one store."""

    __tablename__ = "placement"
    __table_args__ = (
        UniqueConstraint("enhancement_id", "revision", "store_id", "listing_id"),
        ForeignKeyConstraint(["enhancement_id", "revision"], ["revision.enhancement_id", "revision.number"]),
        Index(None, "team_id", "state"),
    )
    placement_id: str = Field(primary_key=True)
    enhancement_id: str
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    revision: int
    store_id: str = Field(foreign_key="store.store_id")
    listing_id: str
    target: Any = Field(sa_type=JSON)
    picture: Any = Field(sa_type=JSON)
    state: str
    attempt: int
    replaced: Any = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    image_id: str | None
    url: str
    failure: str
    failure_said: Any = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    looks: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


# ---------------------------------------------------------------- events and messages


class SeenEventRow(Row, table=True):
    """Every event of every chat, once. `concluded_at` is set in the transaction that handled it.

    Photos of an album come one by one: each is a row that names its `album`, the key of one more row
    which stands for all of them and is handled in their place. `gathered_at` is when its photos were
    collected; later ones are events of their own. `is_spare`: a photo of a group's album of which nothing
    has spoken to us yet; it is forgotten after a while.
    """

    __tablename__ = "seen_event"
    __table_args__ = (
        Index(None, "team_id", "message_id"),
        Index(None, "team_id", "chat", "taken_at"),
        Index("ix_seen_event_open", "team_id", sqlite_where=_NOT_CONCLUDED, postgresql_where=_NOT_CONCLUDED),
    )
    event_key: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    chat: str = Field(default="", sa_column_kwargs={"server_default": ""})
    payload: Any = Field(sa_type=JSON)
    taken_at: datetime = Field(sa_type=UtcDateTime)
    concluded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    message_id: str = ""
    album: str | None = Field(default=None, index=True)
    gathered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    is_spare: bool = False


class PostedMessageRow(Row, table=True):
    """One message we show somewhere; `native_id` is empty until the chat told us its own.

    `is_provisional`: the `Working` of an event, still waiting to become an answer or a card. `gone_at`:
    when the chat told us that it was deleted; it is edited no more. `under`: the message it answers. `topic`:
    what it keeps up to date, where that is no enhancement.
    """

    __tablename__ = "posted_message"
    message_key: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    event_key: str | None = Field(foreign_key="seen_event.event_key", index=True)
    enhancement_id: str | None = Field(foreign_key="enhancement.enhancement_id", index=True)
    is_provisional: bool
    chat: str
    place_id: str
    thread_id: str
    native_id: str
    posted_at: datetime = Field(sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    under: str | None = None
    topic: str | None = Field(default=None, index=True)


class OutboxRow(Row, table=True):
    """One message to deliver: queued → sent | superseded | failed. Ids are in commit order per place.

    `sending_since`: a post that is on its way, and may have arrived without our knowing.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(None, "state", "chat", "place_id", "thread_id", "outbox_id"),
        # The chat first: what waits of a team is found by its state, not among all that was ever sent.
        Index(None, "chat", "team_id", "outbox_id"),
    )
    outbox_id: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    team_id: str = Field(foreign_key="team.team_id")
    message_key: str = Field(foreign_key="posted_message.message_key", index=True)
    chat: str
    place_id: str
    thread_id: str
    reply: Any = Field(sa_type=JSON)
    cause: str
    is_post: bool
    state: str
    due_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int
    error: str
    queued_at: datetime = Field(sa_type=UtcDateTime)
    sending_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ChatTroubleRow(Row, table=True):
    """Why people of a place do not hear us. `place_id` is empty for a whole chat.

    `kind`: `closed` stands until a message arrives there again, `lost` is shown for a day.
    """

    __tablename__ = "chat_trouble"
    team_id: str = Field(foreign_key="team.team_id", primary_key=True)
    chat: str = Field(primary_key=True)
    place_id: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    sentence: str
    since: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    lost: int


class QuestionRow(Row, table=True):
    """We asked which product or store."""

    __tablename__ = "question"
    __table_args__ = (Index(None, "asked_of", "chat", "place_id", "is_answered"),)
    question_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id", index=True)
    chat: str
    place_id: str
    thread_id: str
    asked_of: str
    kind: str
    photos: Any = Field(sa_type=JSON)
    sku: str
    stores: Any = Field(sa_type=JSON)
    options: Any = Field(sa_type=JSON)
    choices: Any = Field(sa_type=JSON)
    event_key: str
    is_answered: bool
    asked_at: datetime = Field(sa_type=UtcDateTime)


class ConsoleLineRow(Row, table=True):
    """One line of a browser chat; cursors are in commit order per place."""

    __tablename__ = "console_line"
    __table_args__ = (
        Index(None, "team_id", "place_id", "cursor"),
        Index(None, "team_id", "cause"),
        Index(None, "team_id", "message_key"),
        {"sqlite_autoincrement": True},
    )
    cursor: int | None = Field(default=None, primary_key=True, sa_type=BIG_ID)
    team_id: str = Field(foreign_key="team.team_id")
    place_id: str
    message_key: str
    author: str
    text: str
    photos: Any = Field(sa_type=JSON)
    reply: Any = Field(default=None, sa_type=JSON(none_as_null=True), nullable=True)
    cause: str
    at: datetime = Field(sa_type=UtcDateTime)


# ---------------------------------------------------------------- the shelf


class ShelfListingRow(Row, table=True):
    """A product of the built-in store."""

    __tablename__ = "shelf_listing"
    __table_args__ = (UniqueConstraint("store_id", "handle"),)
    store_id: str = Field(foreign_key="store.store_id", primary_key=True)
    listing_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    title: str
    handle: str
    description: str
    version: int


class ShelfVariantRow(Row, table=True):
    """One buyable form; its stock cannot fall below zero. `written_as` is the key of the last stock write."""

    __tablename__ = "shelf_variant"
    __table_args__ = (
        ForeignKeyConstraint(["store_id", "listing_id"], ["shelf_listing.store_id", "shelf_listing.listing_id"]),
        CheckConstraint("quantity >= 0", name="stock"),
        Index(None, "store_id", "sku_key"),
    )
    store_id: str = Field(primary_key=True)
    listing_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    sku_key: str
    title: str
    price_cents: int
    quantity: int
    written_as: str = Field(default="", sa_column_kwargs={"server_default": ""})


class ShelfImageRow(Row, table=True):
    """A picture of a listing; without a position it is detached and can come back."""

    __tablename__ = "shelf_image"
    __table_args__ = (
        ForeignKeyConstraint(["store_id", "listing_id"], ["shelf_listing.store_id", "shelf_listing.listing_id"]),
    )
    store_id: str = Field(primary_key=True)
    listing_id: str = Field(primary_key=True)
    image_id: str = Field(primary_key=True)
    team_id: str = Field(foreign_key="team.team_id")
    photo: str
    content_type: str
    alt: str
    made_for: str
    position: int | None


class ShelfOrderRow(Row, table=True):
    """A sale."""

    __tablename__ = "shelf_order"
    __table_args__ = (Index(None, "store_id", "ordered_at"),)
    order_id: str = Field(primary_key=True)
    store_id: str = Field(foreign_key="store.store_id")
    team_id: str = Field(foreign_key="team.team_id")
    sku: str
    quantity: int
    ordered_at: datetime = Field(sa_type=UtcDateTime)
