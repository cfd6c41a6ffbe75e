"""The servers judge: without this, zero violations would mean nothing."""

from __future__ import annotations

import pytest

from domain.catalog import PlatformName, Store, StoreId
from domain.errors import StoreError
from platforms.transport import Transports
from platforms.wire import Account, Call, Manners
from tests.contracts.witness import Witness


def _send(transports: Transports, url: str, platform: PlatformName) -> tuple[Witness, Account]:
    store = Store(StoreId(f"{platform.value}-probe"), "team-1", platform, platform.value.title())
    apart = Witness()
    apart.watch(transports, platform.value)
    return apart, Account(store, url)


async def test_prism_names_a_parameter_that_amazon_does_not_let_out(transports: Transports, amazon_url: str) -> None:
    apart, account = _send(transports, amazon_url, PlatformName.AMAZON)
    with pytest.raises(StoreError):
        await transports.open(account, Manners()).send(
            Call("getListingsItem", "GET", "/listings/2021-08-01/items/SELLER/SKU", is_repeatable=True)
        )
    assert any("marketplaceids" in each.lower() for each in apart.seen["amazon"].violations), apart.seen["amazon"]


async def test_prism_names_a_page_larger_than_etsy_gives(transports: Transports, etsy_url: str) -> None:
    apart, account = _send(transports, etsy_url, PlatformName.ETSY)
    with pytest.raises(StoreError):
        await transports.open(account, Manners()).send(
            Call(
                "findAllListingsActive", "GET", "/v3/application/listings/active", is_repeatable=True,
                params={"limit": 1000}, headers={"x-api-key": "key:secret"},
            )
        )  # fmt: skip
    assert apart.seen["etsy"].violations


async def test_the_sandbox_knows_amazons_examples_only(transports: Transports, sandbox_url: str) -> None:
    _, account = _send(transports, sandbox_url, PlatformName.AMAZON)
    with pytest.raises(StoreError):
        await transports.open(account, Manners()).send(
            Call("getListingsItem", "GET", "/listings/2021-08-01/items/SELLER/SKU", is_repeatable=True)
        )


async def test_the_schema_refuses_a_field_that_shopify_does_not_have(transports: Transports, shopify_url: str) -> None:
    apart, account = _send(transports, shopify_url, PlatformName.SHOPIFY)
    await transports.open(account, Manners()).send(
        Call(
            "shop", "POST", "/admin/api/2026-10/graphql.json", is_repeatable=True,
            headers={"x-shopify-access-token": "any"}, json={"query": "{ shop { noSuchField } }"},
        )
    )  # fmt: skip
    assert any("noSuchField" in each for each in apart.seen["shopify"].violations)
