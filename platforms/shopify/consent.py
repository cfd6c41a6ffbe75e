"""Shopify's page where a merchant says yes (authorization code grant), and the expiring tokens that come of it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from domain.catalog import PlatformName, Store, StoreId
from domain.errors import BadInput
from platforms.descriptor import Asked, Given
from platforms.shopify.api import HOSTS, MANNERS
from platforms.shopify.keys import ShopifyKeys
from platforms.transport import Transports
from platforms.wire import Account

PATH: Final = "/admin/oauth/authorize"


def is_open(settings: Mapping[str, str]) -> bool:
    """Whether there is an app that can ask; a token of an older custom app needs no asking."""
    return bool(settings["client_id"] and settings["client_secret"] and not settings["token"])


def ask(settings: Mapping[str, str]) -> Asked:
    """Return the question for this shop. No secret stays here: the client secret signs the answer."""
    state = secrets.token_urlsafe(24)
    query = {
        "client_id": settings["client_id"],
        "scope": ",".join(settings["rights"].split()),
        "redirect_uri": settings["redirect_url"],
        "state": state,
    }
    return Asked(f"{_base(settings)}{PATH}?{urlencode(query)}", state)


async def take(settings: Mapping[str, str], asked: Asked, landed: str, transports: Transports) -> Given:
    """Return the tokens for the address where the browser has landed.

    Raises BadInput where it is not Shopify's answer to our question (signature, state, shop), or is a no;
    NeedsReconnect where its code is taken no more.
    """
    pairs = parse_qsl(urlsplit(landed).query, keep_blank_values=True)
    given = dict(pairs)
    if len(given) != len(pairs) or not is_signed(given, settings["client_secret"]):
        raise BadInput("That answer is not signed by Shopify, so I kept nothing: start again with `connect`.")
    if not hmac.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise BadInput("That answer belongs to another question, so I kept nothing: start again with `connect`.")
    if given.get("shop") != settings["shop"]:
        raise BadInput("That answer comes from another shop, so I kept nothing: start again with `connect`.")
    if "error" in given or not given.get("code"):
        raise BadInput("Shopify was not told yes, so I kept nothing: start again with `connect`, and install the app.")
    store = Store(StoreId(f"shopify-consent-{settings['shop']}"), "", PlatformName.SHOPIFY, "Shopify")
    words = (settings["client_secret"], given["code"])
    account = Account(store, _base(settings), hosts=HOSTS, secrets=words)
    keys = ShopifyKeys(transports.open(account, MANNERS), settings["client_id"], settings["client_secret"])
    return Given({}, await keys.redeem(given["code"]))


def is_signed(given: Mapping[str, str], client_secret: str) -> bool:
    """Whether a query carries Shopify's HMAC-SHA256 over all its other parameters, sorted, with the client secret."""
    message = "&".join(f"{_name(name)}={_value(given[name])}" for name in sorted(given) if name != "hmac")
    expected = hmac.new(client_secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.get("hmac", "").lower().encode(), expected.encode())


def _value(text: str) -> str:
    """As Shopify's own libraries do: a separator inside a name or value must not make two parameters of one."""
    return text.replace("%", "%25").replace("&", "%26")


def _name(text: str) -> str:
    return _value(text).replace("=", "%3D")


def _base(settings: Mapping[str, str]) -> str:
    return settings["api_url"].replace("{shop}", settings["shop"])
