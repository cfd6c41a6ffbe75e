"""Amazon's page where a seller authorises our app, and the refresh token that its code stands for."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from domain.catalog import PlatformName, Store, StoreId
from domain.errors import BadInput
from platforms.amazon.api import AUTH_URL, LWA, MANNERS
from platforms.descriptor import Asked, Given
from platforms.tokens import tokens_in
from platforms.transport import Transports
from platforms.wire import Account, Call


def is_open(settings: Mapping[str, str]) -> bool:
    """Whether the deployment's app has a page of consent (AMAZON_CONSENT_URL), and the keys to redeem its code."""
    return bool(settings["consent_url"] and settings["client_id"] and settings["client_secret"])


def ask(settings: Mapping[str, str]) -> Asked:
    """Return the question: the app's own page of consent, told where to send the seller on."""
    state = secrets.token_urlsafe(24)
    page = settings["consent_url"]
    query = urlencode({"state": state, "redirect_uri": settings["redirect_url"]})
    return Asked(f"{page}{'&' if urlsplit(page).query else '?'}{query}", state)


async def take(settings: Mapping[str, str], asked: Asked, landed: str, transports: Transports) -> Given:
    """Return the seller's id and refresh token for the address where the browser has landed.

    Raises BadInput for an answer that is not to our question, or is a no; NeedsReconnect for a code that is used up.
    """
    given = dict(parse_qsl(urlsplit(landed).query))
    if not hmac.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise BadInput("That answer belongs to another question, so I kept nothing: start again with `connect`.")
    if not given.get("spapi_oauth_code") or not given.get("selling_partner_id"):
        raise BadInput("Amazon was not told yes, so I kept nothing: start again with `connect`, and confirm there.")
    address = settings["auth_url"] or AUTH_URL
    parts = urlsplit(address)
    store = Store(StoreId("amazon-consent"), "", PlatformName.AMAZON, "Amazon")
    words = (settings["client_secret"], given["spapi_oauth_code"])
    transport = transports.open(Account(store, f"{parts.scheme}://{parts.netloc}", secrets=words), MANNERS)
    form = {
        "grant_type": "authorization_code",
        "code": given["spapi_oauth_code"],
        "redirect_uri": settings["redirect_url"],
        "client_id": settings["client_id"],
        "client_secret": settings["client_secret"],
    }
    answer = await transport.send(Call(LWA, "POST", address, is_repeatable=False, form=form, is_signed=False))
    tokens = tokens_in(answer.json(), clock=transports.clock, store=store.name)
    if not tokens.refresh:
        raise BadInput("Amazon gave no lasting key for that code: start again with `connect`.")
    return Given({"seller_id": given["selling_partner_id"], "refresh_token": tokens.refresh})
