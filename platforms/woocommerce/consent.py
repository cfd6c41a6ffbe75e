"""WordPress's page where one of the shop's people makes an application password for us, and what comes back of it.

Not WooCommerce's own `/wc-auth/v1/authorize`: its keys open wc/v3 alone, and a picture goes into the media library,
which is WordPress's (docs/decisions/0015).
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from domain.errors import BadInput
from platforms.descriptor import Asked, Given
from platforms.transport import Transports
from platforms.wire import is_loopback

PAGE: Final = "/wp-admin/authorize-application.php"
APP_NAME: Final = "Packshot"
APP_ID: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "packshot.app")
"""The same for every shop, so that WordPress lists our passwords together."""


def is_open(settings: Mapping[str, str]) -> bool:
    """Whether WordPress would send a password on to us: it does to https only, and to this very machine."""
    host = urlsplit(settings["site"]).hostname or ""
    return settings["redirect_url"].startswith("https://") or is_loopback(host)


def ask(settings: Mapping[str, str]) -> Asked:
    """Return the question; its state travels in the address that WordPress sends the browser on to."""
    state = secrets.token_urlsafe(24)
    back = f"{settings['redirect_url']}?{urlencode({'state': state})}"
    query = {"app_name": APP_NAME, "app_id": str(APP_ID), "success_url": back, "reject_url": f"{back}&success=false"}
    return Asked(f"{settings['site']}{PAGE}?{urlencode(query)}", state)


async def take(settings: Mapping[str, str], asked: Asked, landed: str, transports: Transports) -> Given:
    """Return the user and the password. Raises BadInput for a no, and for an answer that is not to our question."""
    given = dict(parse_qsl(urlsplit(landed).query))
    if not hmac.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise BadInput("That answer belongs to another question, so I kept nothing: start again with `connect`.")
    if given.get("success") == "false" or not given.get("password") or not given.get("user_login"):
        raise BadInput(
            "WordPress was not told yes, so I kept nothing: start again with `connect`, and approve it there."
        )
    if _host(given.get("site_url", "")) != _host(settings["site"]):
        raise BadInput("That answer comes from another shop, so I kept nothing: start again with `connect`.")
    return Given({"user": given["user_login"], "password": given["password"]})


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{(parts.hostname or '').removeprefix('www.')}:{parts.port or ''}"
