"""The shop of tests/handlers, for what is asked about stock in a chat."""

from __future__ import annotations

from tests.handlers.conftest import busy_shop, shop, shop_template

__all__ = ["busy_shop", "shop", "shop_template"]
