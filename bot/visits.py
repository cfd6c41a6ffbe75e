"""A link that somebody has opened: what its page shows, what may be chosen on it, and what comes of a choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.keeping import Kept
from domain.catalog import Store
from domain.connect_replies import StoreConnected
from domain.connecting import ConnectLink, Feature
from domain.people import Member
from platforms.descriptor import Descriptor, Setting

LEFT_OUT: Final = "left_out"
"""The setting of a platform that gives all rights or none: those we are not to use."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One feature on the page. `is_fixed`: cannot be changed there, because nothing works without it or it is given."""

    feature: Feature
    is_on: bool
    is_fixed: bool


@dataclass(frozen=True, slots=True)
class Visit:
    """A link somebody has opened, with all that its page shows. `store` is None for a new one.

    `own` are the store's own settings so far, its secrets among them; `fields` what the vendor's page does not give and
    nobody has said yet. `way`: `vendor` (its page, the browser comes back), `paste` (its page, the seller pastes the
    address), `here` (nothing to ask there), `typed` (keys are typed in).
    """

    link: ConnectLink
    member: Member
    team_name: str
    descriptor: Descriptor
    store: Store | None
    own: Mapping[str, str] = field(repr=False)
    choices: tuple[Choice, ...]
    way: str
    fields: tuple[Setting, ...]
    typed_instead: tuple[Setting, ...] = ()
    """What may be typed where one does not want the vendor's page."""

    @property
    def shop(self) -> str:
        """What is known of the shop, to be shown."""
        return self.own.get(self.descriptor.shop_setting, "") if self.descriptor.shop_setting else ""


def connected(kept: Kept, descriptor: Descriptor, *, by: str) -> StoreConnected:
    """Return what is said of a store that was connected."""
    health, store = kept.health, kept.store
    if health is None:
        return StoreConnected(store.name, descriptor.label, "", 0, by, is_again=kept.is_again, notes=(kept.trouble,))
    features = features_of(descriptor, set(health.scopes))
    return StoreConnected(
        store.name, descriptor.label, health.account, health.listing_count, by, features, kept.is_again, health.notes
    )


def features_of(descriptor: Descriptor, held: set[str]) -> tuple[str, ...]:
    """Return what rights are enough for; at Shopify the right to write is the right to read as well."""
    return tuple(
        feature.name.value
        for feature in descriptor.features
        if all(scope.name in held or scope.name.replace("read_", "write_", 1) in held for scope in feature.scopes)
    )


def chosen_scopes(visit: Visit, features: Sequence[str]) -> tuple[str, ...]:
    """Return the rights to ask for: of the features that were chosen, and of those that are fixed and on."""
    return tuple(
        dict.fromkeys(
            scope.name
            for choice in visit.choices
            if (choice.is_on if choice.is_fixed else choice.feature.name.value in features)
            for scope in choice.feature.scopes
        )
    )


def choice_of(feature: Feature, link: ConnectLink, given: set[str]) -> Choice:
    """Return how a feature stands on a link's page; `given` are the rights the store has given already."""
    has_it = bool(link.store_id) and all(scope.name in given for scope in feature.scopes)
    if feature.is_needed:
        return Choice(feature, is_on=True, is_fixed=True)
    if link.wanted:
        # Just one thing more is asked for: the others stay as they are.
        return Choice(
            feature, is_on=has_it or feature.name.value in link.wanted, is_fixed=feature.name.value not in link.wanted
        )
    return Choice(feature, is_on=has_it if link.store_id and given else feature.is_on, is_fixed=False)
