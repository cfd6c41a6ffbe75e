"""What a platform says of itself, so that registry, command line and doctor hold no branch for any of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from domain.catalog import PlatformName, Sha256, Store
from domain.connecting import Feature
from domain.connection import StoreHint, StoreNotes, Tokens
from domain.errors import NotPossible
from domain.picture_ports import MediaStorage, PictureLinks
from domain.ports import StorePlatform
from domain.rows import ShelfRows
from platforms.transport import Transports


class NoLinks:
    """The port `PictureLinks` of a deployment that nobody outside can reach."""

    async def link(self, name: Sha256) -> str:
        """Raise NotPossible, naming both remedies."""
        raise NotPossible(
            "Amazon fetches pictures by an address, and nobody outside can reach me: set PUBLIC_URL to my https "
            "address, or keep photos in S3 with MEDIA_URL=s3://…, then retry."
        )


@dataclass(frozen=True, slots=True)
class Supplies:
    """What the roof hands to whoever opens a store. `public_url` makes a path a buyer can open.

    `settings` are the store's own, by `Setting.name`, every default filled in.
    """

    media: MediaStorage
    shelf_rows: ShelfRows
    public_url: Callable[[str], str]
    transports: Transports
    notes: StoreNotes
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    links: PictureLinks = field(default_factory=NoLinks)


Opener = Callable[[Store, Supplies], StorePlatform]


class NotFromStore(Exception):
    """A message that says it is a store's, and is not; for the log, never for the sender."""


Hear = Callable[[Mapping[str, str], bytes, Mapping[str, str], datetime], StoreHint | None]
"""Reads what a store sends by itself: headers (lower case), body, the store's settings, now. None for what says nothing.

Raises NotFromStore.
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that lay in a vendor's inbox. `mine` are the settings of the stores it is about; no hint says nothing."""

    receipt: str
    mine: Mapping[str, str] = field(default_factory=dict)
    hint: StoreHint | None = None


class Inbox(Protocol):
    """A queue of the deployment's own in which a vendor without webhooks leaves what changed at its stores.

    Every method raises what a store's calls raise.
    """

    async def read(self) -> Sequence[Notice]:
        """Return what lies there, waiting some seconds for the first; each comes again unless it is forgotten."""
        ...

    async def look(self) -> bool:
        """Return whether something lies there, at once, and leave it."""
        ...

    async def forget(self, notices: Sequence[Notice]) -> None:
        """Take them out: they are kept."""
        ...

    async def subscribe(self, platform: StorePlatform) -> None:
        """Have a store's changes put there; done again it changes nothing."""
        ...


OpenInbox = Callable[[Mapping[str, str], Transports], Inbox | None]
"""Opens it by the deployment's settings; None where none is set."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing a store needs to be opened. `label` asks for it, in one line, and says where it is found.

    `env` names the deployment's setting (bot/platform_settings.py) that stands in where the store has none of
    its own. What is not `is_asked` is taken when given and never asked for. Empty is allowed where not `is_needed`.
    """

    name: str
    label: str
    is_secret: bool = False
    is_needed: bool = True
    is_asked: bool = True
    default: str = ""
    env: str = ""


def _as_given(given: Mapping[str, str]) -> Mapping[str, str]:
    return given


@dataclass(frozen=True, slots=True)
class Asked:
    """A question put to a vendor: the page's address, the `state` its answer must carry, and a secret to keep till then."""

    page: str
    state: str
    kept: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """What a seller's yes comes to: settings of the store, and tokens where the vendor gave them at once."""

    settings: Mapping[str, str] = field(repr=False)
    tokens: Tokens | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Consent:
    """A page of the vendor's where the seller says yes; `gives` are the settings that come of it.

    `ask` and `take` read `redirect_url` (where the vendor sends the browser on) and `rights` (asked for, by blanks)
    among the settings. `take` gets what was asked and the address where the browser has landed; it raises BadInput for
    an address that is no answer of the vendor's to that very question, and what a store's calls raise. `is_open` says
    whether the settings are enough to ask. `can_paste`: the browser may land where we are not, and the seller pastes
    the address.
    """

    gives: tuple[str, ...]
    ask: Callable[[Mapping[str, str]], Asked]
    take: Callable[[Mapping[str, str], Asked, str, Transports], Awaitable[Given]]
    is_open: Callable[[Mapping[str, str]], bool]
    can_paste: bool = False


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One platform. `label` is how its maker spells it.

    `clean` puts what a person typed into shape (https:// before a host, blanks off a key), and raises BadInput
    with what is wrong. `open` makes the adapter and touches no network; import the adapter inside it, so that
    `--help` stays light. `features` is what such a store may be used for; `shop_setting` the setting that a word behind
    `connect PLATFORM` means; `taken_away_at` where a person ends our access at the vendor, as its menus call it.
    """

    platform: PlatformName
    label: str
    settings: tuple[Setting, ...]
    open: Opener
    clean: Callable[[Mapping[str, str]], Mapping[str, str]] = _as_given
    hear: Hear | None = None
    inbox: OpenInbox | None = None
    consent: Consent | None = None
    features: tuple[Feature, ...] = ()
    shop_setting: str = ""
    taken_away_at: str = ""

    def complete(self, given: Mapping[str, str], deployment: Mapping[str, str]) -> Mapping[str, str]:
        """Return every setting: the store's, else the deployment's, else the default; empty where there is none."""
        return {one.name: given.get(one.name) or deployment.get(one.env, "") or one.default for one in self.settings}

    def require(self, complete: Mapping[str, str]) -> None:
        """Raise NotPossible naming what is missing, and how it is given."""
        missing = [one for one in self.settings if one.is_needed and not complete[one.name]]
        if missing:
            ways = ", ".join(f"--set {one.name}=…" + (f" (or {one.env})" if one.env else "") for one in missing)
            raise NotPossible("{platform} needs more to connect: give {ways}.", platform=self.label, ways=ways)

    def secrets(self, complete: Mapping[str, str]) -> tuple[str, ...]:
        """Return the values that no text may carry."""
        return tuple(complete[one.name] for one in self.settings if one.is_secret and complete.get(one.name))
