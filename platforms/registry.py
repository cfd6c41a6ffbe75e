"""Which platforms there are: what each wants of a picture, and how a connected store is opened."""

from __future__ import annotations

from domain.catalog import PlatformName
from domain.recipe import PictureRules
from platforms.amazon import descriptor as amazon_store
from platforms.amazon import picture as amazon
from platforms.descriptor import Descriptor
from platforms.etsy import descriptor as etsy_store
from platforms.etsy import picture as etsy
from platforms.shelf import descriptor as shelf_store
from platforms.shelf import picture as shelf
from platforms.shopify import descriptor as shopify_store
from platforms.shopify import picture as shopify
from platforms.woocommerce import descriptor as woocommerce_store
from platforms.woocommerce import picture as woocommerce

RULES: dict[PlatformName, PictureRules] = {
    PlatformName.SHOPIFY: shopify.RULES,
    PlatformName.AMAZON: amazon.RULES,
    PlatformName.ETSY: etsy.RULES,
    PlatformName.WOOCOMMERCE: woocommerce.RULES,
    PlatformName.SHELF: shelf.RULES,
}

PLATFORMS: dict[PlatformName, Descriptor] = {
    PlatformName.SHELF: shelf_store.DESCRIPTOR,
    PlatformName.AMAZON: amazon_store.DESCRIPTOR,
    PlatformName.SHOPIFY: shopify_store.DESCRIPTOR,
    PlatformName.ETSY: etsy_store.DESCRIPTOR,
    PlatformName.WOOCOMMERCE: woocommerce_store.DESCRIPTOR,
}
"""A platform that is not here can be enhanced for, and not yet published to."""
