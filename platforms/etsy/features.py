"""What an Etsy shop may be used for, and the rights each use takes there."""

from __future__ import annotations

from typing import Final

from domain.connecting import Feature, FeatureName
from domain.connection import Scope

READ: Final = "listings_r"
WRITE: Final = "listings_w"
SHOP_READ: Final = "shops_r"
ORDERS_READ: Final = "transactions_r"
ORDERS_WRITE: Final = "transactions_w"

SCOPES: Final = (
    Scope(READ, "to find listings, and read their pictures and stock"),
    Scope(WRITE, "to publish pictures, and to set stock, prices and texts"),
    Scope(SHOP_READ, "to know which shop a key belongs to"),
)
"""What the bot's pictures need; without them nothing works. Etsy has no right of its own for stock."""
ORDER_SCOPES: Final = (
    Scope(ORDERS_READ, "to read orders"),
    Scope(ORDERS_WRITE, "to mark orders as shipped"),
)
"""What only a shop that lets the bot see its orders grants: an order of Etsy's comes with its buyer's name."""

FEATURES: Final = (
    Feature(FeatureName.PICTURES, SCOPES, is_needed=True),
    Feature(FeatureName.ORDERS, ORDER_SCOPES[:1], is_on=False),
    Feature(FeatureName.SHIPPING, ORDER_SCOPES[1:], is_on=False),
)
