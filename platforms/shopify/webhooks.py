"""What a Shopify shop tells by itself: deliveries signed with the app's client secret over the raw body.

A delivery carries whole products and orders, buyers included: nothing of it is kept but its topic and the number it
speaks of.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from domain.connection import StoreHint
from platforms.descriptor import NotFromStore

_SUBJECTS: Final = ("inventory_item_id", "id", "admin_graphql_api_id", "shop_id")
"""Where a topic's own number stands: stock levels, products and orders, bulk operations, requests about people."""


def hear(headers: Mapping[str, str], body: bytes, settings: Mapping[str, str], _now: datetime) -> StoreHint | None:
    """Return what changed. Raises NotFromStore.

    The key is made of the signed body: the header with the delivery's id is not signed, so that somebody who saw a
    delivery could send it again under another. Shopify tells no time that is signed, so that a replay is known by that
    key alone; it costs a look.
    """
    secret = settings["client_secret"]
    if not secret:
        raise NotFromStore("no client_secret is set for this store")
    expected = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(expected, headers.get("x-shopify-hmac-sha256", "").encode("utf-8", "replace")):
        raise NotFromStore("the signature is not this store's")
    # One app's secret signs for all the shops it is in.
    if headers.get("x-shopify-shop-domain", "").lower() != settings["shop"]:
        raise NotFromStore("it speaks of another shop")
    topic = headers.get("x-shopify-topic", "")[:64]
    try:
        said: dict[str, Any] = json.loads(body)
        found = next(said[name] for name in _SUBJECTS if said.get(name))
        subject = str(int(str(found).rpartition("/")[2]))
    except (ValueError, AttributeError, TypeError, StopIteration, RecursionError) as error:
        raise NotFromStore("it names nothing of the shop") from error
    return StoreHint(f"{topic}:{hashlib.sha256(body).hexdigest()[:40]}", topic, subject)
