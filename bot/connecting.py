"""The port `Connecting`: what there is to connect, by which pages of ours, and which account a store is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.keeping import shop_in
from bot.stores import ConnectedStores
from domain.catalog import PlatformName, Store, StoreId
from domain.connecting import Address, Feature
from platforms.registry import PLATFORMS


@dataclass(frozen=True, slots=True)
class Platforms:
    """`base_url` is where our own pages are; `is_public` whether a browser elsewhere reaches them."""

    stores: ConnectedStores
    base_url: str
    is_public: bool

    def platforms(self) -> Mapping[str, PlatformName]:
        """Return those that can be connected, by the words people may use."""
        known = {one.platform.value: one.platform for one in PLATFORMS.values() if one.features}
        return known | {"woo": PlatformName.WOOCOMMERCE}

    def label(self, platform: PlatformName) -> str:
        """Return how its maker spells it."""
        return PLATFORMS[platform].label

    def features(self, platform: PlatformName) -> Sequence[Feature]:
        """Return what such a store may be used for."""
        return PLATFORMS[platform].features

    def given(self, platform: PlatformName, shop: str) -> Mapping[str, str]:
        """Return the settings that a word behind `connect PLATFORM` stands for: Etsy's tells by itself. Raises BadInput."""
        descriptor = PLATFORMS[platform]
        return descriptor.clean({descriptor.shop_setting: shop}) if shop and descriptor.shop_setting else {}

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
