"""The port `Connecting`: what there is to connect, by which pages of ours, and which account a store is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.keeping import shop_in
from bot.stores import ConnectedStores
from domain.catalog import PlatformName, Store, StoreId
from domain.connecting import Address, Feature
from domain.errors import BadInput
from platforms.descriptor import Descriptor
from platforms.registry import PLATFORMS


@dataclass(frozen=True, slots=True)
class Platforms:
    """`base_url` is where our own pages are; `is_public` whether a browser elsewhere reaches them."""

    stores: ConnectedStores
    base_url: str
    is_public: bool

    def platform(self, word: str) -> PlatformName:
        """Return what a word means. Raises BadInput naming those that can be connected."""
        return known_platform(word).platform

    def label(self, platform: PlatformName) -> str:
        """Return how its maker spells it."""
        return PLATFORMS[platform].label

    def features(self, platform: PlatformName) -> Sequence[Feature]:
        """Return what such a store may be used for."""
        return PLATFORMS[platform].features

    def given(self, platform: PlatformName, shop: str) -> Mapping[str, str]:
        """Return the settings that a word behind `connect PLATFORM` stands for. Raises BadInput."""
        descriptor = PLATFORMS[platform]
        if not shop:
            return {}
        if not descriptor.shop_setting:
            raise BadInput(
                "{platform} tells me by itself which shop is yours: `connect {name}` is enough.",
                platform=descriptor.label,
                name=platform.value,
            )
        return descriptor.clean({descriptor.shop_setting: shop})

    def address(self, platform: PlatformName, code: str) -> Address:
        """Return where a link's page is."""
        return Address(f"{self.base_url}/connect/{platform.value}?code={code}", not self.is_public)

    def taken_away_at(self, platform: PlatformName) -> str:
        """Return where, at the vendor, a person ends our access."""
        return PLATFORMS[platform].taken_away_at

    async def shop_of(self, store: Store) -> str:
        """Return which account of its platform a store is."""
        return shop_in(PLATFORMS[store.platform], await self.stores.settings_of(store))

    def forget(self, store_id: StoreId) -> None:
        """Remember nothing of a store's old keys in this process."""
        self.stores.supplies.transports.forget(store_id)


def known_platform(word: str) -> Descriptor:
    """Return the platform a word means. Raises BadInput naming those that can be connected."""
    known = {one.platform.value: one for one in PLATFORMS.values() if one.features}
    found = known.get({"woo": "woocommerce"}.get(word.lower(), word.lower()))
    if found is None:
        raise BadInput(
            "I cannot connect “{word}”: the stores I know are {names}.", word=word[:40], names=", ".join(known)
        )
    return found
