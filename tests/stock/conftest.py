"""The shop of tests/handlers, for what is asked about stock in a chat."""

from __future__ import annotations

from tests.handlers.conftest import shop, shop_template

__all__ = ["shop", "shop_template"]
