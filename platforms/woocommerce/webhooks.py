"""What a WooCommerce shop tells by itself: a ping without a signature when a webhook is made, then signed deliveries.

A delivery carries whole orders, buyers included: nothing of it is kept but its topic and the number it speaks of.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime

from domain.connection import StoreHint
from platforms.descriptor import NotFromStore

_PING = re.compile(rb"webhook_id=\d+")


def hear(headers: Mapping[str, str], body: bytes, settings: Mapping[str, str], _now: datetime) -> StoreHint | None:
    """Return what changed, None for the ping, which proves nothing and changes nothing. Raises NotFromStore.

    The key is made of the signed body: the header with the delivery's id is not signed, so that somebody who saw a
    delivery could send it again under another.
    """
    signature = headers.get("x-wc-webhook-signature", "")
    if not signature and _PING.fullmatch(body.strip()):
        return None
    secret = settings["webhook_secret"]
    if not secret:
        raise NotFromStore("no webhook_secret is set for this store")
    expected = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
        raise NotFromStore("the signature is not this store's")
    topic = headers.get("x-wc-webhook-topic", "")[:64]
    try:
        subject = str(int(json.loads(body)["id"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotFromStore("it names no product and no order") from error
    return StoreHint(f"{topic}:{hashlib.sha256(body).hexdigest()[:40]}", topic, subject)
