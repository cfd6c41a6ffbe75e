"""What a person can ask for: the closed union `Intent`. `handlers/grammar.py` makes them from text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.alert_intents import AlertIntent
from domain.catalog import Sha256, Sku
from domain.connect_intents import ConnectIntent
from domain.data_intents import DataIntent
from domain.hint import HintKind
from domain.people import Actor, Place, Role
from domain.picture_intents import PictureIntent
from domain.sessions import SessionIntent
from domain.stock_intents import StockIntent
from domain.sync_intents import SyncIntent
from domain.team_intents import TeamIntent
from domain.tokens import Token


@dataclass(frozen=True, slots=True)
class EnhancePhotos:
    """Photos were sent. `sku` None: ask which product, guessing from the caption. `stores` empty:
    the only listing, else ask.
    """

    photos: tuple[Sha256, ...]
    sku: Sku | None
    stores: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class EnhanceSkus:
    """Take the picture the store has now."""

    skus: tuple[Sku, ...]
    stores: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Press:
    """A button. `text` is a reason (reject); `options` are changes (redo)."""

    token: Token
    text: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DecideBySku:
    """`approve`, `reject`, `undo` or `redo` typed as a word; `sku` None means the latest card here.

    `enhancement_id` is set when the word answers a card's message, and goes before both.
    """

    verb: str
    sku: Sku | None
    text: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    enhancement_id: str = ""


@dataclass(frozen=True, slots=True)
class CorrectPart:
    """`keep the handle`, `remove 2`: a part in a person's own words. `sku` None means the latest card here.

    `enhancement_id` is set when the words answer a card's message, and goes before both.
    """

    kind: HintKind
    words: str
    sku: Sku | None = None
    enhancement_id: str = ""


@dataclass(frozen=True, slots=True)
class CompareVersions:
    """The photo and the versions of its picture side by side; `sku` and `enhancement_id` as in CorrectPart."""

    sku: Sku | None = None
    enhancement_id: str = ""


@dataclass(frozen=True, slots=True)
class ShowProduct:
    """One product on every store."""

    sku: Sku


@dataclass(frozen=True, slots=True)
class ListProducts:
    """The catalogue; `query` narrows it, `page` is 1-based."""

    query: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class ShowHistory:
    """What happened, newest first. `about`: a SKU or a person's name, empty for all; `today`: since midnight here.

    `page` is 1-based; `as_file`: all of it as a CSV.
    """

    about: str = ""
    today: bool = False
    page: int = 1
    as_file: bool = False


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """Stores, queue, engine, what waits for a decision."""


@dataclass(frozen=True, slots=True)
class ListStores:
    """The connected stores."""


@dataclass(frozen=True, slots=True)
class ShowHelp:
    """The command table; `topic` narrows it to one command."""

    topic: str = ""


@dataclass(frozen=True, slots=True)
class Invite:
    """A one-time code for a role."""

    role: Role


@dataclass(frozen=True, slots=True)
class Join:
    """Redeem an invitation."""

    code: str


@dataclass(frozen=True, slots=True)
class ListMembers:
    """Who belongs to the team."""


@dataclass(frozen=True, slots=True)
class ShowCard:
    """Show the newest card of a product here too; from then on it is kept up to date here."""

    sku: Sku | None


@dataclass(frozen=True, slots=True)
class Settle:
    """`settings`: show what holds in this place, and change what `options` names."""

    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Text that is no command; `suggestion` is the nearest one, or empty."""

    text: str
    suggestion: str = ""


Intent = (
    EnhancePhotos
    | EnhanceSkus
    | Press
    | DecideBySku
    | CorrectPart
    | CompareVersions
    | PictureIntent
    | ShowProduct
    | ListProducts
    | ShowHistory
    | ShowStatus
    | ListStores
    | ShowHelp
    | Invite
    | Join
    | ListMembers
    | ShowCard
    | Settle
    | ConnectIntent
    | TeamIntent
    | SessionIntent
    | StockIntent
    | AlertIntent
    | SyncIntent
    | DataIntent
    | NotUnderstood
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a chat keeps for us: a worker fetches its bytes after the event was acknowledged.

    `is_recompressed`: the chat made it smaller on its way (a Telegram photo that was not sent as a file).
    """

    file_id: str
    name: str = ""
    size_bytes: int = 0
    content_type: str = ""
    is_recompressed: bool = False
    account: str = ""
    """Which of the chat's accounts keeps it, where there are several: a Slack workspace's id."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of one chat, verified and durable. `event_key` is `{source}:{event_id}`, unique.

    `message_id` is the chat's own id of what the person sent (or of the message whose button was
    pressed); `reply_to` that of the message it answers, so that "approve" under a preview means that
    one. `album` groups photos that the chat delivers one by one. `language` is the person's, BCP 47.
    """

    event_key: str
    team_id: str
    actor: Actor
    place: Place
    text: str = ""
    photos: tuple[Sha256, ...] = ()
    token: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    message_id: str = ""
    reply_to: str = ""
    album: str = ""
    language: str = ""
    timezone: str = ""
    """The person's, an IANA name, where their chat knows it."""
    is_spare: bool = False
    """A part of an album in a group that does not speak to us itself: it counts once another part does."""
    is_told: bool = False
    """The chat has told the person at once why this press will not count; a private answer would say it twice."""
