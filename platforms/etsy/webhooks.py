"""What an Etsy shop tells by itself: orders only, signed over id, time and raw body with the portal's `whsec_` secret.

A delivery names an order by its address and carries nothing of the buyer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from domain.connection import StoreHint
from platforms.descriptor import NotFromStore

WINDOW: Final = timedelta(minutes=5)
"""How far a delivery's time may lie from ours; each try of Etsy's has a time of its own."""


def hear(headers: Mapping[str, str], body: bytes, settings: Mapping[str, str], now: datetime) -> StoreHint | None:
    """Return what changed. Raises NotFromStore."""
    try:
        secret = base64.b64decode(settings["webhook_secret"].removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not secret:
        raise NotFromStore("no usable webhook_secret is set for this store")
    delivery, told = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not told.isascii() or not told.isdigit() or len(told) > 12:
        raise NotFromStore("it has no time")
    if abs(now.timestamp() - int(told)) > WINDOW.total_seconds():
        raise NotFromStore("it is too old, or from the future")
    signed = b".".join((delivery.encode("utf-8", "replace"), told.encode(), body))
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest())
    # Several while a secret is changed: "v1,AAAA v1,BBBB".
    given = [one.removeprefix("v1,").encode("utf-8", "replace") for one in headers.get("webhook-signature", "").split()]
    if not any([hmac.compare_digest(expected, one) for one in given[:8]]):  # noqa: C419 - all are compared
        raise NotFromStore("the signature is not this store's")
    try:
        said: dict[str, Any] = json.loads(body)
        topic, shop = str(said["event_type"])[:64], str(said.get("shop_id") or "")
        subject = str(int(str(said["resource_url"]).rstrip("/").rpartition("/")[2]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotFromStore("it names no order") from error
    if settings["shop_id"] and shop != settings["shop_id"]:
        raise NotFromStore("it speaks of another shop")
    return StoreHint(f"{topic}:{hashlib.sha256(delivery.encode('utf-8', 'replace')).hexdigest()[:40]}", topic, subject)
