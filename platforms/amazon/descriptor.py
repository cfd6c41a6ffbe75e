"""Amazon as the registry knows it: our app's pair of keys, the seller's refresh token, and which marketplace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from domain.catalog import PlatformName, Store
from domain.errors import BadInput
from domain.ports import StorePlatform
from platforms.amazon.api import AUTH_URL
from platforms.amazon.consent import ask, is_open, take
from platforms.amazon.features import FEATURES
from platforms.amazon.inbox import open_inbox
from platforms.amazon.marketplaces import MARKETPLACES, REGIONS, SANDBOX, endpoint, marketplace_of
from platforms.descriptor import Consent, Descriptor, Setting, Supplies

SETTINGS = (
    Setting("marketplace", "Marketplace, by its country (DE, UK, US, …)"),
    Setting("seller_id", "Merchant token (Seller Central: Account Info, Your Merchant Token)"),
    Setting("refresh_token", "Refresh token (Solution Provider Portal: Authorize app)", is_secret=True),
    Setting("client_id", "LWA client id (Solution Provider Portal: your app)", env="AMAZON_CLIENT_ID"),
    Setting("client_secret", "LWA client secret", is_secret=True, env="AMAZON_CLIENT_SECRET"),
    Setting("secret_since", "Day the client secret was made", is_needed=False, is_asked=False),
    Setting("region", "Region: na, eu or fe, also eu-sandbox", is_needed=False, is_asked=False, env="AMAZON_REGION"),
    Setting("api_url", "Address of the API", is_needed=False, is_asked=False, env="AMAZON_API_URL"),
    Setting("auth_url", "Address of Login with Amazon", is_needed=False, is_asked=False, env="AMAZON_AUTH_URL"),
    Setting("consent_url", "Page of consent of your app", is_needed=False, is_asked=False, env="AMAZON_CONSENT_URL"),
    Setting("left_out", "Roles that are not to be used, by commas", is_needed=False, is_asked=False),
)


def clean(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return what was typed in shape. Raises BadInput for a marketplace, region or day that is none."""
    typed = {name: value.strip() for name, value in given.items()}
    if word := typed.get("marketplace"):
        known = marketplace_of(word)
        if known is None:
            countries = ", ".join(one.country for one in MARKETPLACES)
            raise BadInput(
                "{word} is no marketplace of Amazon's: take one of {countries}.", word=word, countries=countries
            )
        typed["marketplace"] = known.marketplace_id
    if (region := typed.get("region")) and region.removesuffix(SANDBOX) not in REGIONS:
        raise BadInput("{word} is no region of Amazon's: take na, eu or fe.", word=region)
    if typed.get("client_secret") and not typed.get("secret_since"):
        # It may be older, never younger: the warning comes too late at worst by what nobody told us.
        typed["secret_since"] = datetime.now(UTC).date().isoformat()
    if since := typed.get("secret_since"):
        try:
            date.fromisoformat(since)
        except ValueError:
            raise BadInput("{word} is no day: write it like 2026-11-24.", word=since) from None
    return typed


def open_store(store: Store, supplies: Supplies) -> StorePlatform:
    """Open it; a marketplace's own region serves it unless another is set."""
    from platforms.amazon.adapter import AmazonStore
    from platforms.amazon.api import Keys, open_api
    from platforms.amazon.pictures import Pictures

    settings = supplies.settings
    marketplace = marketplace_of(settings["marketplace"]) or MARKETPLACES[0]
    keys = Keys(
        settings["client_id"],
        settings["client_secret"],
        settings["refresh_token"],
        settings["auth_url"] or AUTH_URL,
        withheld=frozenset(part.strip() for part in settings["left_out"].split(",") if part.strip()),
    )
    api = open_api(
        store,
        supplies.transports,
        keys,
        base_url=settings["api_url"] or endpoint(settings["region"] or marketplace.region),
        seller_id=settings["seller_id"],
        marketplace=marketplace,
    )
    since = settings["secret_since"]
    pictures = Pictures(api, supplies.notes, supplies.media, supplies.links)
    return AmazonStore(store, api, pictures, secret_since=date.fromisoformat(since) if since else None)


DESCRIPTOR = Descriptor(
    PlatformName.AMAZON,
    "Amazon",
    settings=SETTINGS,
    open=open_store,
    clean=clean,
    inbox=open_inbox,
    consent=Consent(("seller_id", "refresh_token"), ask, take, is_open),
    features=FEATURES,
    shop_setting="marketplace",
    taken_away_at="Seller Central: Apps and Services, Manage Your Apps",
)
