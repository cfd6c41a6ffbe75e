"""Etsy's keys, its limits, and finding by SKU where it cannot (../shared/specs/STORES.md)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.catalog import Sku
from domain.errors import (
    BadInput,
    MissingScope,
    NeedsReconnect,
    RateLimited,
)
from platforms.etsy.api import open_api
from platforms.etsy.descriptor import DESCRIPTOR
from platforms.etsy.keys import LOOK_AGAIN_S, rate_for
from tests.fakes.etsy import FIRST_REFRESH, KEYSTRING, SCOPES
from tests.fakes.etsy_goods import product
from tests.fakes.store_side import MemoryNotes
from tests.platforms.contract import ids, publish
from tests.platforms.etsy_harness import STORE, open_etsy_shop

# ---------------------------------------------------------------- keys and limits


async def test_a_key_without_its_secret_is_named_as_such() -> None:
    async with open_etsy_shop() as shop:
        given = {"keystring": KEYSTRING, "refresh_token": shop.server.refresh_token, "api_url": shop.server.url}
        api = open_api(STORE, shop.transports, MemoryNotes(), DESCRIPTOR.complete(given, {}), ())
        object.__setattr__(api._transport.key, "headers_for", lambda tokens: {"x-api-key": KEYSTRING})
        with pytest.raises(NeedsReconnect, match="Shared secret is required"):
            await api.get_me()


async def test_refresh_tokens_rotate_and_the_newest_is_kept() -> None:
    async with open_etsy_shop() as shop:
        begin = shop.server.refresh_token
        assert begin != FIRST_REFRESH
        shop.time.seconds += timedelta(hours=1).total_seconds()
        await ids(shop)
        assert shop.server.refresh_token != begin
        kept = (await shop.transports.tokens.load(STORE.store_id)).tokens
        assert kept is not None
        assert kept.refresh == shop.server.refresh_token
        assert kept.refresh_expires_at is not None
        assert abs(kept.refresh_expires_at - shop.time.now() - timedelta(days=90)) < timedelta(seconds=5)


async def test_a_missing_right_is_named() -> None:
    async with open_etsy_shop() as shop:
        shop.server.scopes = tuple(scope for scope in SCOPES if scope != "listings_w")
        with pytest.raises(MissingScope) as caught:
            await publish(shop, "e1:1:s", replaces=(await ids(shop))[0])
        assert caught.value.scope == "listings_w"
        assert [scope.name for scope in (await shop.platform.check()).missing] == ["listings_w"]
        shop.server.scopes = ("listings_r", "listings_w", "shops_r")
        health = await shop.platform.check()
        assert health.missing == ()
        assert any("transactions_r" in note for note in health.notes)


async def test_the_shop_is_asked_for_its_number_once_and_for_good() -> None:
    async with open_etsy_shop() as shop:
        shop.notes.kept.clear()
        for _ in range(2):
            shop.reopen()
            await shop.platform.list_products()
        assert shop.server.counted()["getMe"] == 1


async def test_a_day_that_is_used_up_closes_the_account_before_etsy_has_to_refuse() -> None:
    async with open_etsy_shop() as shop:
        shop.server.today = shop.server.per_day - 1
        await ids(shop)
        with pytest.raises(RateLimited) as caught:
            await ids(shop)
        assert caught.value.retry_after_s == pytest.approx(LOOK_AGAIN_S, abs=1)
        assert shop.server.throttled == 0
        shop.server.today = 0
        shop.time.seconds += LOOK_AGAIN_S
        assert len(await ids(shop)) == 3


async def test_a_429_of_the_day_says_when_to_come_back() -> None:
    async with open_etsy_shop() as shop:
        shop.server.today = shop.server.per_day
        with pytest.raises(RateLimited) as caught:
            await ids(shop)
        assert caught.value.retry_after_s == 3600
        assert shop.server.throttled == 1


async def test_a_hundred_publishes_meet_no_429_and_lose_little_time() -> None:
    """Four hundred calls at ten a second take forty seconds at least; ours may take 1.15 times as long."""
    async with open_etsy_shop() as shop:
        main = (await ids(shop))[0]
        shop.time.seconds += 10
        begin, calls = shop.time.monotonic(), len(shop.calls)
        for number in range(100):
            main = (await publish(shop, f"e{number}:1:s", replaces=main)).image_id
        made = len(shop.calls) - calls
        least_s = made / shop.server.window.per_second
        assert shop.server.throttled == 0
        assert made == 400
        assert shop.time.monotonic() - begin <= 1.15 * least_s


@pytest.mark.parametrize("limit", [1, 5, 10, 150])
def test_a_bucket_keeps_a_limit_in_every_window_of_a_second(limit: int) -> None:
    rate = rate_for(limit)
    assert rate.burst >= 1
    assert rate.per_s + rate.burst <= max(limit, 1.5)


# ---------------------------------------------------------------- finding


async def test_a_shop_is_read_a_hundred_listings_a_call() -> None:
    """benchmarks/calls.py reads 10,000."""
    async with open_etsy_shop() as shop:
        await shop.add_skus(998)
        shop.server.calls.clear()
        levels = await shop.platform.read_all_stock()
        assert len(levels) == 1_001
        assert len(shop.calls) == 10 + 4, "and one for each state that has none"
        shop.server.calls.clear()
        [level] = await shop.platform.read_stock([Sku("m-77")])
        assert level.quantity == 3
        assert len(shop.calls) == 1, "the index of the whole shop is kept"


async def test_an_index_is_believed_only_after_a_look() -> None:
    async with open_etsy_shop() as shop:
        assert len(await shop.platform.find_listings(shop.sku)) == 1
        shop.server.calls.clear()
        assert len(await shop.platform.find_listings(shop.sku)) == 1
        assert shop.calls == ["getListing", "getListingInventory"]
        listing = shop.server.goods.listings[int(shop.listing_id)]
        listing.inventory["products"][0]["sku"] = "MUG-99"
        assert await shop.platform.find_listings(shop.sku) == []
        assert len(await shop.platform.find_listings(Sku("MUG-99"))) == 1


async def test_a_new_listing_is_found_soon_after_it_was_not() -> None:
    async with open_etsy_shop() as shop:
        assert list(await shop.platform.find_listings(Sku("NEW-1"))) == []
        shop.server.goods.add_listing("New", [product("NEW-1", 5, 1)])
        shop.time.seconds += 31
        assert len(await shop.platform.find_listings(Sku("NEW-1"))) == 1


@pytest.mark.parametrize("state", ["sold_out", "inactive", "draft", "expired"])
async def test_a_listing_in_any_state_is_found_and_listed(state: str) -> None:
    async with open_etsy_shop() as shop:
        shop.server.goods.listings[int(shop.listing_id)].state = state
        assert [one.listing_id for one in await shop.platform.find_listings(shop.sku)] == [shop.listing_id]
        first = await shop.platform.list_products()
        second = await shop.platform.list_products(cursor=first.next_cursor)
        assert [one.listing_id for one in (*first.listings, *second.listings)][-1] == shop.listing_id


async def test_words_come_without_html() -> None:
    async with open_etsy_shop() as shop:
        shop.server.goods.listings[int(shop.listing_id)].title = "Mug &amp; &quot;Saucer&quot;"
        [listing] = await shop.platform.find_listings(shop.sku)
        assert listing.title == 'Mug & "Saucer"'


# ---------------------------------------------------------------- connecting


def test_both_halves_of_a_pasted_key_are_told_apart() -> None:
    cleaned = DESCRIPTOR.clean({"keystring": " abc:def ", "refresh_token": " 1.x "})
    assert cleaned == {"keystring": "abc", "shared_secret": "def", "refresh_token": "1.x"}
    with pytest.raises(BadInput, match="leave it out"):
        DESCRIPTOR.clean({"shop_id": "MyShop"})
