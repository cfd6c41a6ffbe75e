"""What is said about connecting stores: the part `ConnectReply` of the union `Reply`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConnectAnswer:
    """What all of them are, so that a chat hands them on in one line."""


@dataclass(frozen=True, slots=True)
class ConnectOffered(ConnectAnswer):
    """A one-time link to a page of ours. Private. `store` is empty for a new one.

    `features` are asked for on top; `scope` is the right whose want led here, empty where none did. `is_local`: only a
    browser on the machine the bot runs on can open it.
    """

    platform: str
    store: str
    url: str
    expires_at: datetime
    is_local: bool = False
    features: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class StoreConnected(ConnectAnswer):
    """A store's keys were kept, and it answered. `features` are what it may be used for; `notes` end in what to do."""

    store: str
    platform: str
    account: str
    listing_count: int
    by: str
    features: tuple[str, ...] = ()
    is_again: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PermissionMissing(ConnectAnswer):
    """Something could not be done for want of a right. `feature` needs it, empty where we know none; admins may press."""

    store_id: str
    store: str
    scope: str
    feature: str


@dataclass(frozen=True, slots=True)
class DisconnectAsked(ConnectAnswer):
    """Whether a store is really to be taken away. Private. `is_revoked`: our access at the platform ends with it.

    `number` is the day of the question: a button of another day does nothing.
    """

    store_id: str
    store: str
    platform: str
    number: int
    is_revoked: bool
    taken_away_at: str


@dataclass(frozen=True, slots=True)
class StoreDisconnected(ConnectAnswer):
    """A store was taken away. `is_revoked`: our access has ended at the platform; else it is ended at `taken_away_at`.

    `ended` is how many pictures on their way there were stopped.
    """

    store: str
    platform: str
    by: str
    is_revoked: bool
    taken_away_at: str
    ended: int = 0


@dataclass(frozen=True, slots=True)
class ScopeLine:
    """One right. `used_at` None: not yet; `is_idle`: nothing has used it for so long that it should be given back."""

    scope: str
    feature: str
    used_at: datetime | None = None
    is_idle: bool = False


@dataclass(frozen=True, slots=True)
class StorePermissions:
    """One store's rights: `given` ones, and `missing` ones with the feature that waits for them. `trouble` is a sentence."""

    store: str
    platform: str
    given: tuple[ScopeLine, ...]
    missing: tuple[ScopeLine, ...]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PermissionsShown(ConnectAnswer):
    """What the stores let us do."""

    stores: tuple[StorePermissions, ...]


ConnectReply = (
    ConnectOffered | StoreConnected | PermissionMissing | DisconnectAsked | StoreDisconnected | PermissionsShown
)
