"""An Etsy shop as the registry knows it: the app's key, and a token that renews itself."""

from __future__ import annotations

from collections.abc import Mapping

from domain.catalog import PlatformName, Store
from domain.errors import BadInput
from domain.ports import StorePlatform
from platforms.descriptor import Consent, Descriptor, Setting, Supplies
from platforms.etsy.consent import RIGHTS, ask, is_open, take
from platforms.etsy.features import FEATURES
from platforms.etsy.webhooks import hear


def open_store(store: Store, supplies: Supplies) -> StorePlatform:
    """Open the shop."""
    from platforms.etsy.adapter import EtsyStore
    from platforms.etsy.api import open_api

    settings = supplies.settings
    return EtsyStore(open_api(store, supplies.transports, supplies.notes, settings, DESCRIPTOR.secrets(settings)))


def clean(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the values without blanks; both halves of the key where they were pasted as one. Raises BadInput."""
    cleaned = {name: value.strip() for name, value in given.items()}
    first, colon, second = cleaned.get("keystring", "").partition(":")
    if colon:
        cleaned |= {"keystring": first, "shared_secret": second}
    shop_id = cleaned.get("shop_id", "")
    if shop_id and not (shop_id.isascii() and shop_id.isdigit()):
        raise BadInput("{typed} is no number of a shop: leave it out, and I ask Etsy.", typed=shop_id)
    return cleaned


DESCRIPTOR = Descriptor(
    PlatformName.ETSY,
    "Etsy",
    settings=(
        Setting(
            "keystring", "Keystring of your app (etsy.com/developers/your-apps)", is_secret=True, env="ETSY_KEYSTRING"
        ),
        Setting("shared_secret", "Shared secret of your app (same page)", is_secret=True, env="ETSY_SHARED_SECRET"),
        Setting("refresh_token", "Refresh token for your shop", is_secret=True, is_asked=False),
        Setting(
            "redirect_url",
            "Callback URL registered for your app",
            is_needed=False,
            is_asked=False,
            default="https://localhost/connect/etsy/callback",
        ),
        Setting("rights", "Rights to ask for", is_needed=False, is_asked=False, default=RIGHTS),
        Setting(
            "webhook_secret",
            "Signing secret of your app's webhooks (whsec_…)",
            is_secret=True,
            is_needed=False,
            is_asked=False,
        ),
        Setting("shop_id", "Number of your shop", is_needed=False, is_asked=False),
        Setting(
            "api_url",
            "Address of the API",
            is_needed=False,
            is_asked=False,
            default="https://openapi.etsy.com",
            env="ETSY_API_URL",
        ),
        Setting("auth_url", "Address that renews tokens", is_needed=False, is_asked=False, env="ETSY_AUTH_URL"),
    ),
    open=open_store,
    clean=clean,
    hear=hear,
    consent=Consent(("refresh_token",), ask, take, is_open, can_paste=True),
    features=FEATURES,
    taken_away_at="Etsy: Account settings, Apps",
)
