"""What a seller's account may be used for, and the roles of our app that each use takes."""

from __future__ import annotations

from typing import Final

from domain.connecting import Feature, FeatureName
from domain.connection import Scope

LISTING_ROLE: Final = "Product Listing"
ORDER_ROLE: Final = "Inventory and Order Tracking"

FEATURES: Final = (
    Feature(
        FeatureName.PICTURES,
        (Scope(LISTING_ROLE, "to find listings by SKU, to publish pictures, and to set stock, prices and texts"),),
        is_needed=True,
    ),
    Feature(
        FeatureName.ORDERS,
        (Scope(ORDER_ROLE, "to read orders without their buyers, and to mark them as sent"),),
    ),
)
"""Amazon gives an app all its roles or none: one that is left out is kept by us, and never used."""
SCOPES: Final = tuple(scope for feature in FEATURES for scope in feature.scopes)
