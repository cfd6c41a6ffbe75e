"""Shopify as the registry knows it: which settings a shop needs, and how it is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from domain.catalog import PlatformName, Store
from domain.errors import BadInput
from domain.ports import StorePlatform
from platforms.descriptor import Consent, Descriptor, Setting, Supplies
from platforms.shopify.consent import ask, is_open, take
from platforms.shopify.features import FEATURES
from platforms.shopify.webhooks import hear

SHOP: Final = re.compile(r"^[a-z0-9][a-z0-9-]*\.myshopify\.com$")


def clean(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings with the shop as `name.myshopify.com`, however it was pasted. Raises BadInput."""
    settings = {name: value.strip() for name, value in given.items()}
    if "shop" in settings:
        settings["shop"] = shop_in(settings["shop"])
    return settings


def shop_in(typed: str) -> str:
    """Return `name.myshopify.com` from a name, a host or an address of the admin. Raises BadInput."""
    text = typed.strip().lower().removeprefix("https://").removeprefix("http://")
    if text.startswith("admin.shopify.com/store/"):
        text = text.removeprefix("admin.shopify.com/store/")
    host = text.partition("/")[0]
    if host and "." not in host:
        host += ".myshopify.com"
    if not SHOP.match(host):
        raise BadInput(
            "“{typed}” is not a shop's Shopify name: give the one that ends in .myshopify.com "
            "(in the admin under Settings, Domains).",
            typed=typed,
        )
    return host


def open_store(store: Store, supplies: Supplies) -> StorePlatform:
    """Open a shop with the token it was given, or with tokens that renew themselves."""
    from platforms.shopify.adapter import ShopifyStore
    from platforms.shopify.api import HOSTS, KEY_HEADER, MANNERS, ShopifyApi
    from platforms.shopify.keys import ShopifyKeys
    from platforms.tokens import FixedKey, RenewedKey
    from platforms.transport import Key
    from platforms.wire import Account

    settings = supplies.settings
    base_url = settings["api_url"].replace("{shop}", settings["shop"])
    account = Account(store, base_url, hosts=HOSTS, secrets=DESCRIPTOR.secrets(settings))
    key: Key
    if settings["token"]:
        key = FixedKey({KEY_HEADER: settings["token"]})
    else:
        unsigned = supplies.transports.open(account, MANNERS)
        keys = ShopifyKeys(unsigned, settings["client_id"], settings["client_secret"])
        keeper = supplies.transports.keeper(account, keys.renew)
        key = RenewedKey(keeper, lambda tokens: {KEY_HEADER: tokens.access})
    return ShopifyStore(store, ShopifyApi(supplies.transports.open(account, MANNERS, key), store.name))


DESCRIPTOR = Descriptor(
    PlatformName.SHOPIFY,
    "Shopify",
    settings=(
        Setting("shop", "The shop's name, as in NAME.myshopify.com"),
        Setting("client_id", "Client ID of your app (Dev Dashboard, Settings)", env="SHOPIFY_CLIENT_ID"),
        Setting("client_secret", "Client secret of your app", is_secret=True, env="SHOPIFY_CLIENT_SECRET"),
        Setting("token", "Access token of an older custom app", is_secret=True, is_needed=False, is_asked=False),
        Setting(
            "api_url",
            "Address of the shop's API",
            is_needed=False,
            is_asked=False,
            default="https://{shop}",
            env="SHOPIFY_API_URL",
        ),
    ),
    open=open_store,
    clean=clean,
    hear=hear,
    consent=Consent((), ask, take, is_open),
    features=FEATURES,
    shop_setting="shop",
    taken_away_at="Shopify admin: Settings, Apps",
)
