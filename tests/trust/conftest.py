"""The small shop of the handlers' tests, for whoever asks it about trust."""

from __future__ import annotations

from tests.handlers.conftest import busy_shop, shop, shop_template

__all__ = ["busy_shop", "shop", "shop_template"]
