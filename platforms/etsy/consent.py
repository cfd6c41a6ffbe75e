"""Etsy's page where a seller says yes, and the refresh token that comes of it (OAuth 2.0 code with PKCE).

Etsy sends the browser on to an address of https that is registered for the app. It need not be ours: the seller
pastes where the browser has landed, and `state` and the verifier show that it answers our question.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlencode

from domain.catalog import PlatformName, Store, StoreId
from domain.errors import BadInput
from platforms.descriptor import Asked, Given
from platforms.etsy.keys import RENEW, RENEW_AT, manners
from platforms.tokens import tokens_in
from platforms.transport import Transports
from platforms.wire import Account, Call

PAGE: Final = "https://www.etsy.com/oauth/connect"
RIGHTS: Final = "listings_r listings_w shops_r"
"""The least that pictures, stock, prices and texts need; orders show buyers' data, so they are asked for by name only."""


def is_open(settings: Mapping[str, str]) -> bool:
    """Whether the app's own key is there, and an address of https that Etsy may send the browser on to."""
    return bool(settings["keystring"] and settings["shared_secret"] and settings["redirect_url"].startswith("https://"))


def ask(settings: Mapping[str, str]) -> Asked:
    """Return the question; its secret is the verifier."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": settings["keystring"],
        "redirect_uri": settings["redirect_url"],
        "scope": settings["rights"],
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return Asked(f"{PAGE}?{urlencode(query)}", state, verifier)


async def take(settings: Mapping[str, str], asked: Asked, landed: str, transports: Transports) -> Given:
    """Return the refresh token, and the first tokens, for the address where the browser has landed.

    Raises BadInput for an address that does not answer our question, NeedsReconnect where Etsy takes its code no more.
    """
    query = landed.strip().partition("?")[2].partition("#")[0]
    given = {name: values[0] for name, values in parse_qs(query).items()}
    if "error" in given:
        said = given.get("error_description", given["error"])
        raise BadInput("Etsy was not told yes ({said}): start again, and allow it on Etsy's page.", said=said)
    if not given.get("code") or not hmac.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise BadInput(
            "That address does not come from the page I named: start again, and paste the whole address "
            "that your browser shows after you said yes."
        )
    store = Store(StoreId("etsy-consent"), "", PlatformName.ETSY, "Etsy")
    address = settings["auth_url"] or settings["api_url"]
    words = (settings["keystring"], settings["shared_secret"], given["code"], asked.kept)
    transport = transports.open(Account(store, address, secrets=words), manners(store))
    form = {
        "grant_type": "authorization_code",
        "client_id": settings["keystring"],
        "redirect_uri": settings["redirect_url"],
        "code": given["code"],
        "code_verifier": asked.kept,
    }
    answer = await transport.send(Call(RENEW, "POST", RENEW_AT, is_repeatable=False, form=form, is_signed=False))
    tokens = tokens_in(answer.json(), clock=transports.clock, store=store.name)
    return Given({"refresh_token": tokens.refresh}, tokens)
