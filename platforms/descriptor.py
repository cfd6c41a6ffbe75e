"""What a platform says of itself, so that registry, command line and doctor hold no branch for any of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from domain.catalog import PlatformName, Sha256, Store
from domain.connection import StoreHint, StoreNotes
from domain.errors import NotPossible
from domain.ports import MediaStorage, PictureLinks, StorePlatform
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


Hear = Callable[[Mapping[str, str], bytes, Mapping[str, str]], StoreHint | None]
"""Reads what a store sends by itself: headers (lower case), body, the store's settings. None for what says nothing.

Raises NotFromStore.
"""


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
class Consent:
    """A page of the vendor's where the seller says yes; `gives` is the setting that comes of it.

    `ask` takes the settings and returns the page's address, and what to keep until the seller is back. `take` gets
    the settings, that, and the address where the browser has landed, and returns the setting's value. It raises
    BadInput for an address that is no answer, and what a store's calls raise.
    """

    gives: str
    ask: Callable[[Mapping[str, str]], tuple[str, str]]
    take: Callable[[Mapping[str, str], str, str, Transports], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One platform. `label` is how its maker spells it.

    `clean` puts what a person typed into shape (https:// before a host, blanks off a key), and raises BadInput
    with what is wrong. `open` makes the adapter and touches no network; import the adapter inside it, so that
    `--help` stays light.
    """

    platform: PlatformName
    label: str
    settings: tuple[Setting, ...]
    open: Opener
    clean: Callable[[Mapping[str, str]], Mapping[str, str]] = _as_given
    hear: Hear | None = None
    consent: Consent | None = None

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
