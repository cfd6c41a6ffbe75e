"""What happened, for a chat to say in its own tongue: the closed union `Reply`.

Two families. A *card* is about one enhancement and is edited in place wherever it is shown; the
others answer one question once. A reply that `waits` is not the last word on its request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from domain.catalog import Sha256
from domain.connect_replies import ConnectOffered, ConnectReply, DisconnectAsked
from domain.data_replies import DataReply, ExportOffered
from domain.health import HealthLine, QueueCounts
from domain.hint import HintKind
from domain.intents import Incoming
from domain.people import Place, Role
from domain.picture import Finding
from domain.sessions import SessionsShown
from domain.stock_alert_replies import AlertReply
from domain.stock_replies import StockReply
from domain.sync_replies import SyncReply
from domain.team_replies import InvitationList, RemovalAsked, TeamReply, WorkspaceInvited


@dataclass(frozen=True, slots=True)
class Card:
    """What every card shows of its enhancement. The digests name photo bytes for the chat to fetch."""

    enhancement_id: str
    revision: int
    sku: str
    title: str
    stores: tuple[str, ...]
    requested_by: str
    background: str = ""
    shadow: str = ""
    engine: str = ""
    before: Sha256 | None = None
    after: Sha256 | None = None
    preview: Sha256 | None = None
    findings: tuple[Finding, ...] = ()
    is_live: bool = False
    """Whether buyers see at least one of the stores: ask once more before publishing there."""
    approvals_needed: int = 1
    approved_by: tuple[str, ...] = ()
    """Who has approved while somebody else still must."""
    is_for_others: bool = False
    """Whether whoever asked for it may not approve it: so the team has agreed."""

    @property
    def alt(self) -> str:
        """Alt text of the preview: the product and what is behind it."""
        return f"{self.title or self.sku} on {self.background or 'white'}, before and after"


@dataclass(frozen=True, slots=True)
class Placed:
    """One store's line on a card. `state` is a PlacementState value; `failure` a sentence or empty."""

    placement_id: str
    store: str
    state: str
    url: str = ""
    failure: str = ""
    attempt: int = 1
    photo: Sha256 | None = None
    """The published picture's bytes."""


@dataclass(frozen=True, slots=True)
class Working:
    """Accepted; pixels are being worked on. `stage`: received, waiting, fetching, enhancing."""

    sku: str
    stage: str
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class PreviewReady:
    """A person must decide now."""

    card: Card


@dataclass(frozen=True, slots=True)
class Publishing:
    """Approved, on its way to the stores."""

    card: Card
    by: str
    at: datetime
    placed: tuple[Placed, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is left to send: what is not live yet is with a store that shows it later."""
        return bool(self.placed) and all(line.state not in {"approved", "publishing"} for line in self.placed)


@dataclass(frozen=True, slots=True)
class Published:
    """Live and read back. Undo is offered."""

    card: Card
    by: str
    at: datetime
    placed: tuple[Placed, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class PublishFailed:
    """At least one store did not take it; the others are as `placed` says. Retry is offered."""

    card: Card
    by: str
    at: datetime
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody can tell whether a store has it: it is there, it is not there, look again."""

    card: Card
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Restoring:
    """Undo is on its way."""

    card: Card
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What stood before stands again, and was read back."""

    card: Card
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class RestoreFailed:
    """Our picture is still live. Retry is offered."""

    card: Card
    placed: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Somebody said no; nothing was published. Redo is offered."""

    card: Card
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody decided in time; nothing was published. Redo is offered."""

    card: Card


@dataclass(frozen=True, slots=True)
class EnhanceFailed:
    """No picture came of it; the sentence says why and what to do. Redo is offered."""

    card: Card
    sentence: str


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """The loser of a race: somebody else pressed first. Private."""

    verdict: str
    by: str
    at: datetime
    sku: str


@dataclass(frozen=True, slots=True)
class Refused:
    """One sentence with the way out. `code` is stable (domain/errors.py). Private."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing to press."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class WhichProduct:
    """A photo came without a SKU we know. Answer by a press or by typing the SKU."""

    question_id: str
    guesses: tuple[Guess, ...]
    photo_count: int
    asked_sku: str = ""
    thing: int = 0
    """Which of `thing_count` things in the photo is meant, from the left; 0 means the photo as a whole."""
    thing_count: int = 0


@dataclass(frozen=True, slots=True)
class WhichStore:
    """The SKU is sold in several places. The last guess is “all of them”."""

    question_id: str
    sku: str
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class WhichPart:
    """Words did not say which part, or a button was pressed: one to tap, numbered in `picture`, the upright photo.

    A guess is `1` (a part the cut-out left out, or one that stands by itself) or `A1` (a field of the photo), and
    its value the place in percent. The first `part_count` are parts.
    """

    question_id: str
    enhancement_id: str
    revision: int
    sku: str
    title: str
    wants: HintKind
    guesses: tuple[Guess, ...]
    part_count: int
    picture: Sha256


@dataclass(frozen=True, slots=True)
class Version:
    """One finished picture of an enhancement, and what made it other than the one before.

    `changes` are options as they could have been typed; `kept` and `removed` count the new corrections.
    """

    number: int
    picture: Sha256
    changes: str = ""
    kept: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """The photo and the versions of its picture, the newest last; `sheet` is all of it in one picture."""

    sku: str
    title: str
    before: Sha256
    versions: tuple[Version, ...]
    sheet: Sha256


@dataclass(frozen=True, slots=True)
class ListingLine:
    """One listing of a product, short. `photo_url` may be empty."""

    store: str
    title: str
    url: str
    photo_url: str
    image_count: int
    price: str
    quantity: int | None
    sku: str


@dataclass(frozen=True, slots=True)
class ProductShown:
    """One product on every store that has it."""

    sku: str
    listings: tuple[ListingLine, ...]


@dataclass(frozen=True, slots=True)
class ProductList:
    """A page of the catalogue; `pages` ≥ 1."""

    lines: tuple[ListingLine, ...]
    query: str
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One audit line in words."""

    at: datetime
    who: str
    what: str
    sku: str


@dataclass(frozen=True, slots=True)
class HistoryShown:
    """What happened, newest first: of one SKU, of a person, of all; `pages` ≥ 1."""

    sku: str
    lines: tuple[HistoryLine, ...]
    person: str = ""
    today: bool = False
    page: int = 1
    pages: int = 1
    total: int = 0


@dataclass(frozen=True, slots=True)
class StatusShown:
    """How things are."""

    engine: str
    stores: tuple[str, ...]
    waiting: int
    in_work: int
    failed: int
    oldest_waiting_at: datetime | None
    trouble: tuple[str, ...] = ()
    """Sentences: where people do not hear us, why, and since when."""
    lines: tuple[HealthLine, ...] = ()
    """Every store and chat."""
    queue: QueueCounts | None = None


@dataclass(frozen=True, slots=True)
class StoreLine:
    """One connected store. `notes` are sentences in the reader's language: what is wrong, and what to do."""

    name: str
    platform: str
    listing_count: int
    url: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreList:
    """The connected stores."""

    stores: tuple[StoreLine, ...]


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One command: how it is typed and what it does."""

    usage: str
    meaning: str
    example: str


@dataclass(frozen=True, slots=True)
class HelpShown:
    """The commands that this person's role may use."""

    lines: tuple[HelpLine, ...]


@dataclass(frozen=True, slots=True)
class Invited:
    """A one-time code. Private."""

    code: str
    role: Role
    expires_at: datetime
    telegram_url: str = ""
    console_url: str = ""
    """Where the code is taken without typing it; empty where there is no such door."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Welcome."""

    name: str
    role: Role
    team: str


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One member."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class MemberList:
    """Who belongs to the team."""

    members: tuple[MemberLine, ...]


@dataclass(frozen=True, slots=True)
class SettingsShown:
    """What holds in this place. `previews`: every new preview of the team is shown here too.

    `language` is `en` or `de`; `timezone` an IANA name.
    """

    language: str
    timezone: str
    previews: bool


@dataclass(frozen=True, slots=True)
class DecisionDue:
    """A preview still waits, and expires soon: said once under its card."""

    sku: str
    title: str
    requested_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class DecidedElsewhere:
    """Somebody else decided on a person's picture where they could not see it: said once where they asked.

    `verdict`: approved, rejected or undone.
    """

    verdict: str
    by: str
    at: datetime
    sku: str
    title: str
    reason: str = ""


CardReply = (
    Working
    | PreviewReady
    | Publishing
    | Published
    | PublishFailed
    | Unclear
    | Restoring
    | Restored
    | RestoreFailed
    | Rejected
    | Expired
    | EnhanceFailed
)
Reply = (
    CardReply
    | AlreadyDecided
    | Refused
    | WhichProduct
    | WhichStore
    | WhichPart
    | Compared
    | ProductShown
    | ProductList
    | HistoryShown
    | StatusShown
    | StoreList
    | HelpShown
    | Invited
    | Joined
    | MemberList
    | SettingsShown
    | DecisionDue
    | DecidedElsewhere
    | ConnectReply
    | SessionsShown
    | TeamReply
    | StockReply
    | AlertReply
    | SyncReply
    | DataReply
)

REPLY_TYPES: dict[str, type] = {kind.__name__: kind for kind in get_args(Reply)}
"""Name on the wire → class; the names are a promise (`--json` prints them as `type`)."""


PRIVATE = (
    AlreadyDecided,
    Refused,
    Invited,
    InvitationList,
    RemovalAsked,
    WorkspaceInvited,
    ConnectOffered,
    DisconnectAsked,
    ExportOffered,
    SessionsShown,
)
"""Meant for the one who asked; nobody else is shown them."""


def waits(reply: Reply) -> bool:
    """Whether more is coming soon without anybody doing anything: what a store has accepted may take it hours."""
    return isinstance(reply, Working | Restoring) or (isinstance(reply, Publishing) and not reply.is_accepted)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to show: new when `native_id` is empty, else an edit of that one.

    `message_key` is ours and stable: a chat that can (the console) makes a repeated post one message.
    """

    message_key: str
    team_id: str
    place: Place
    native_id: str
    reply: Reply
    cause: str
    """The event_key that this message goes back to, empty for none."""
    asked: Incoming | None = None
    """The event itself: who is told privately, and which message is answered."""
    language: str = "en"
    timezone: str = "UTC"
    """Of the place: what was set there, else the person's or the deployment's."""
    under: str = ""
    """The native id of the message that this new one answers, empty for none."""
