"""A WooCommerce shop as the registry knows it: an address, and an application password of one of its people."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from domain.catalog import PlatformName, Store
from domain.errors import BadInput
from domain.ports import StorePlatform
from platforms.descriptor import Consent, Descriptor, Setting, Supplies
from platforms.wire import is_loopback
from platforms.woocommerce.consent import ask, is_open, take
from platforms.woocommerce.features import FEATURES
from platforms.woocommerce.webhooks import hear


def open_store(store: Store, supplies: Supplies) -> StorePlatform:
    """Open the shop."""
    from platforms.woocommerce.adapter import WooStore
    from platforms.woocommerce.api import open_api

    settings = supplies.settings
    return WooStore(open_api(store, supplies.transports, settings, DESCRIPTOR.secrets(settings)))


def clean(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the address with its scheme and without what belongs to a page. Raises BadInput."""
    cleaned = {name: value.strip() for name, value in given.items()}
    if site := cleaned.get("site"):
        cleaned["site"] = _site(site)
    return cleaned


def _site(typed: str) -> str:
    address = typed if "://" in typed else f"https://{typed}"
    try:
        parts = urlsplit(address)
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        host = ""
    if not host or parts.username is not None or parts.scheme not in {"http", "https"}:
        raise BadInput("{typed} is no address of a shop: write it like https://shop.example.", typed=typed)
    if parts.scheme == "http" and not is_loopback(host):
        raise BadInput(
            "{typed} goes without encryption, and would show the password to everybody on the way: "
            "give the https:// address.",
            typed=typed,
        )
    # People copy the address of the page they are looking at.
    path = parts.path.split("/wp-admin")[0].split("/wp-json")[0].split("/wp-login")[0].rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


DESCRIPTOR = Descriptor(
    PlatformName.WOOCOMMERCE,
    "WooCommerce",
    settings=(
        Setting("site", "Address of your shop, for example https://shop.example"),
        Setting("user", "WordPress user (role Shop manager) the application password belongs to"),
        Setting(
            "password", "Application password (WordPress: Users → Profile → Application Passwords)", is_secret=True
        ),
        Setting("image_hosts", "Other hosts your pictures are shown from", is_needed=False, is_asked=False),
        Setting("webhook_secret", "Secret of the shop's webhooks", is_secret=True, is_needed=False, is_asked=False),
        Setting(
            "allow_http",
            "Plain http, on this machine only",
            is_needed=False,
            is_asked=False,
            env="WOOCOMMERCE_ALLOW_HTTP",
        ),
        Setting("left_out", "Rights that are not to be used, by commas", is_needed=False, is_asked=False),
    ),
    open=open_store,
    clean=clean,
    hear=hear,
    consent=Consent(("user", "password"), ask, take, is_open),
    features=FEATURES,
    shop_setting="site",
    taken_away_at="WordPress: Users, Profile, Application Passwords",
)
