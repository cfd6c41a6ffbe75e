"""What a WooCommerce shop may be used for, and the capabilities of WordPress that each use takes."""

from __future__ import annotations

from typing import Final

from domain.connecting import Feature, FeatureName
from domain.connection import Scope

FEATURES: Final = (
    Feature(
        FeatureName.PICTURES,
        (
            Scope(
                "edit_products", "to read products and stock, to publish pictures, and to set stock, prices and texts"
            ),
            Scope("upload_files", "to put pictures into the media library"),
            Scope("manage_woocommerce", "to know the shop's currency"),
        ),
        is_needed=True,
    ),
    Feature(
        FeatureName.ORDERS, (Scope("edit_shop_orders", "to see orders without their buyers, and to mark them as sent"),)
    ),
)
"""WordPress gives an application password all that its user may do: what is left out is kept by us, and never used."""
RIGHTS: Final = tuple(scope for feature in FEATURES for scope in feature.scopes)
"""Capabilities of WordPress; the role Shop manager has all of them."""
