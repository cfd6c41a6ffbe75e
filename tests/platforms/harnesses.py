"""The adapters under the contract, one line each."""

from __future__ import annotations

from tests.platforms.amazon_harness import AMAZON
from tests.platforms.etsy_harness import ETSY
from tests.platforms.harness import Kind
from tests.platforms.shelf_harness import SHELF
from tests.platforms.shopify_harness import SHOPIFY
from tests.platforms.woocommerce_harness import WOOCOMMERCE

KINDS: tuple[Kind, ...] = (SHELF, SHOPIFY, AMAZON, ETSY, WOOCOMMERCE)
