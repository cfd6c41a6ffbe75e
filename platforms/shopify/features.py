"""What a Shopify shop may be used for, and the rights each use takes there."""

from __future__ import annotations

from typing import Final

from domain.connecting import Feature, FeatureName
from domain.connection import Scope

FEATURES: Final = (
    Feature(
        FeatureName.PICTURES,
        (
            Scope("read_products", "to find products by SKU and read their pictures"),
            Scope("write_products", "to add and sort pictures, and to change prices and texts"),
            Scope(
                "write_files", "to take a replaced picture off a product without deleting it, which is what undo needs"
            ),
        ),
        is_needed=True,
    ),
    Feature(FeatureName.STOCK, (Scope("read_inventory", "to show stock"),)),
    Feature(FeatureName.STOCK_WRITING, (Scope("write_inventory", "to change stock"),)),
    Feature(
        FeatureName.ORDERS,
        (Scope("read_orders", "to show orders and keep stock in step; customers' data is not asked for"),),
    ),
    Feature(
        FeatureName.SHIPPING,
        (
            Scope("read_merchant_managed_fulfillment_orders", "to see what of an order is still to be sent"),
            Scope("write_merchant_managed_fulfillment_orders", "to mark orders shipped"),
        ),
        is_on=False,
    ),
)
"""The least rights that do (../shared/specs/STORES.md, least privilege)."""
SCOPES: Final = tuple(scope for feature in FEATURES for scope in feature.scopes)
