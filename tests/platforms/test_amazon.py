"""Amazon's own pitfalls: accepted is not live, no memory, 403s that say nothing, a bucket for every operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import cv2
import numpy as np
import pytest

from domain.catalog import ImageId, ListingId, Sku
from domain.errors import (
    Ambiguous,
    BadInput,
    ChangedMeanwhile,
    MissingScope,
    NeedsReconnect,
    NotFound,
    NotPossible,
    RejectedByStore,
)
from domain.trade import OrderState, Shipment, StockId, StockWrite
from platforms.amazon.descriptor import DESCRIPTOR, clean
from platforms.amazon.likeness import shows_the_same
from platforms.amazon.stock import Stock
from platforms.descriptor import NoLinks
from tests.fakes.amazon import LISTING_ROLE, ORDER_ROLE, RATES
from tests.fakes.amazon_goods import SLOTS, an_issue
from tests.fakes.store_server import Fault
from tests.platforms.amazon_harness import AmazonHarness, open_amazon
from tests.platforms.contract import CONTRACT, Rule, ids, publish, restore

KEY = "e1:1:s"
HOURS_2 = timedelta(hours=2).total_seconds()


@pytest.fixture
async def shop() -> AsyncIterator[AmazonHarness]:
    async with open_amazon() as opened:
        yield opened


def own(shop: AmazonHarness):
    return shop.server.goods.items[shop.listing_id]


async def publish_main(shop: AmazonHarness, key: str = KEY) -> ImageId:
    return (await publish(shop, key, replaces=(await ids(shop))[0])).image_id


@pytest.mark.parametrize("rule", CONTRACT, ids=lambda rule: rule.__name__)
async def test_the_contract_holds_where_amazon_gives_pictures_addresses_of_its_own(rule: Rule) -> None:
    async with open_amazon(rewrites=True) as shop:
        await rule(shop)


# ---------------------------------------------------------------- accepted is not live


async def test_accepted_is_not_live_until_buyers_see_it(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 4
    await publish_main(shop)
    assert [one.operation for one in shop.server.calls if one.query.get("mode")] == ["patchListingsItem"]
    looks = 0
    while (live := await shop.platform.find_live(KEY, shop.listing_id)) is None:
        looks += 1
    assert looks > 1
    assert live.url == own(shop).shown[1]
    assert await shop.platform.fetch_image(live) == shop.content(KEY)


async def test_nothing_is_live_that_was_never_sent(shop: AmazonHarness) -> None:
    assert await shop.platform.find_live(KEY, shop.listing_id) is None


async def test_a_second_picture_goes_live_by_the_catalogue(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 3
    await publish(shop, KEY, position=2, replaces=(await ids(shop))[1])
    assert shop.calls.count("getCatalogItem") == 0
    for _ in range(4):
        live = await shop.platform.find_live(KEY, shop.listing_id)
    assert live is not None
    assert (live.position, live.url) == (2, own(shop).shown[2])


@pytest.mark.parametrize("position", [1, 2])
async def test_another_sellers_picture_is_said_plainly(shop: AmazonHarness, position: int) -> None:
    rival = shop.server.goods.keep_file(b"another seller's")
    own(shop).rivals[position] = rival
    await publish(shop, KEY, position=position, replaces=(await ids(shop))[position - 1])
    own(shop).shown[position] = shop.server.goods.keep_file(b"in between")
    assert await shop.platform.find_live(KEY, shop.listing_id) is None
    own(shop).shown[position] = rival
    assert await shop.platform.find_live(KEY, shop.listing_id) is None, "it may still be on its way"
    await shop.time.sleep(HOURS_2)
    with pytest.raises(RejectedByStore, match="another seller's"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_picture_amazon_cannot_fetch_or_take_says_amazons_reason(shop: AmazonHarness) -> None:
    image = await publish_main(shop)
    own(shop).issues.append(an_issue("18027", "The main image is not on white.", SLOTS[0], "INVALID_IMAGE"))
    with pytest.raises(RejectedByStore, match="not on white"):
        await shop.platform.find_live(KEY, shop.listing_id)
    assert (await ids(shop))[0] == image, "it stands there, so undo stays possible"


async def test_an_old_complaint_is_not_held_against_the_new_picture_at_once(shop: AmazonHarness) -> None:
    goods = shop.server.goods
    goods.live_after = 6
    complaint = an_issue("18027", "The main image is not on white.", SLOTS[0], "INVALID_IMAGE")
    own(shop).issues.append(complaint)
    await publish_main(shop)
    own(shop).issues.append(complaint)
    assert await shop.platform.find_live(KEY, shop.listing_id) is None
    await shop.time.sleep(HOURS_2)
    with pytest.raises(RejectedByStore, match="not on white"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_picture_changed_by_hand_meanwhile_is_no_longer_waited_for(shop: AmazonHarness) -> None:
    shop.server.goods.live_after = 50
    await publish_main(shop)
    await shop.change_by_hand(1)
    with pytest.raises(RejectedByStore, match="somebody put another picture"):
        await shop.platform.find_live(KEY, shop.listing_id)


async def test_a_listing_that_names_a_picture_late_is_published_once_and_undone(shop: AmazonHarness) -> None:
    goods, main, before = shop.server.goods, (await ids(shop))[0], await shop.images_at_store()
    goods.named_after = 5
    image = await publish(shop, KEY, replaces=main)
    assert (await ids(shop))[0] == main, "accepted, and not even named yet"
    # The undo comes while the picture is still on its way: it must not be taken for done.
    await restore(shop, KEY, ours=image.image_id, original=main, content=before[0])
    for _ in range(12):
        await ids(shop)
    assert await shop.images_at_store() == before
    assert (await ids(shop))[0] == main


# ---------------------------------------------------------------- whose picture it is


def photo(seed: int, side_px: int = 800) -> np.ndarray:
    """A white frame with a product of its own in the middle."""
    picture = np.full((side_px, side_px, 3), 255, np.uint8)
    rng = np.random.default_rng(seed)
    left, top = rng.integers(80, 240, 2)
    colour = tuple(int(one) for one in rng.integers(0, 160, 3))
    cv2.rectangle(picture, (int(left), int(top)), (side_px - int(top), side_px - int(left)), colour, -1)
    return picture


def jpeg(picture: np.ndarray, quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def as_amazon_serves_it(content: bytes) -> bytes:
    small = cv2.resize(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), (500, 500))
    return jpeg(small, quality=80)


async def test_a_picture_is_known_by_its_looks_after_compression() -> None:
    for seed in range(5):
        one, other = jpeg(photo(seed)), jpeg(photo(seed + 100))
        assert await shows_the_same(one, as_amazon_serves_it(one))
        assert not await shows_the_same(one, as_amazon_serves_it(other))
        assert not await shows_the_same(one, jpeg(photo(seed)[:600]))
    assert not await shows_the_same(b"no picture", jpeg(photo(1)))


async def test_a_compressed_copy_under_another_address_is_published_once_and_undone() -> None:
    async with open_amazon(rewrites=True) as shop:
        shop.server.goods.copies = as_amazon_serves_it
        shop.picture = lambda name: jpeg(photo(len(name)))
        main, before = (await ids(shop))[0], await shop.images_at_store()
        image = await publish(shop, KEY, replaces=main)
        assert own(shop).attributes[SLOTS[0]]["media_location"] == own(shop).shown[1]
        shop.reopen()
        assert (await publish(shop, KEY, replaces=main)).image_id == image.image_id
        assert await shop.platform.find_live(KEY, shop.listing_id) is not None
        await restore(shop, KEY, ours=image.image_id, original=main, content=before[0])
        assert await shop.images_at_store() == before


async def test_a_strange_address_is_looked_at_once(shop: AmazonHarness) -> None:
    await publish_main(shop)
    await shop.change_by_hand(1)
    for _ in range(3):
        assert await shop.platform.find_published(KEY, shop.listing_id) is None
    assert shop.calls.count("download") == 1


async def test_undo_to_an_earlier_picture_of_ours_gives_amazon_a_fresh_address(shop: AmazonHarness) -> None:
    one = await publish_main(shop, "e1:1:s")
    first_address = own(shop).attributes[SLOTS[0]]["media_location"]
    two = (await publish(shop, "e1:2:s", replaces=one)).image_id
    await restore(shop, "e1:2:s", ours=two, original=one, content=shop.content("e1:1:s"))
    assert own(shop).attributes[SLOTS[0]]["media_location"] != first_address, "the first one ends after a week"
    assert (await ids(shop))[0] == one


@pytest.mark.parametrize("address", ["s3://sellers-bucket/mug.jpg", "https://cdn.seller.example/mug.jpg"])
async def test_a_picture_kept_elsewhere_is_fetched_as_buyers_see_it_and_put_back_by_its_address(
    shop: AmazonHarness, address: str
) -> None:
    for slot in SLOTS[:2]:
        own(shop).attributes[slot]["media_location"] = address + slot
    before = await shop.images_at_store()
    images = await shop.platform.read_images(shop.listing_id)
    assert [await shop.platform.fetch_image(image) for image in images] == before
    ours = await publish_main(shop)
    await restore(shop, KEY, ours=ours, original=images[0].image_id, content=before[0])
    assert own(shop).attributes[SLOTS[0]]["media_location"] == address + SLOTS[0]


async def test_a_main_picture_of_somebody_elses_is_covered_and_uncovered(shop: AmazonHarness) -> None:
    del own(shop).attributes[SLOTS[0]]
    theirs = own(shop).shown[1]
    main = (await shop.platform.read_images(shop.listing_id))[0]
    assert (main.is_main, main.url) == (True, theirs)
    ours = await publish_main(shop)
    own(shop).rivals[1] = theirs
    back = await restore(shop, KEY, ours=ours, original=main.image_id, content=b"theirs")
    assert back is not None
    assert back.image_id == main.image_id
    assert SLOTS[0] not in own(shop).attributes
    assert own(shop).shown[1] == theirs
    assert await restore(shop, KEY, ours=ours, original=main.image_id, content=b"theirs") == back


async def test_a_gap_between_the_pictures_is_a_position_of_its_own(shop: AmazonHarness) -> None:
    await shop.platform.remove_image(shop.listing_id, (await ids(shop))[1])
    assert [image.position for image in await shop.platform.read_images(shop.listing_id)] == [1, 3]
    assert (await publish(shop, KEY, position=2)).position == 2
    with pytest.raises(RejectedByStore, match="main picture"):
        await shop.platform.remove_image(shop.listing_id, (await ids(shop))[0])


async def test_an_undo_of_what_moved_changes_nothing(shop: AmazonHarness) -> None:
    first, second, _ = await ids(shop)
    ours = await publish_main(shop)
    values = own(shop).attributes
    values[SLOTS[0]], values[SLOTS[1]] = values[SLOTS[1]], values[SLOTS[0]]
    before = dict(values)
    with pytest.raises(ChangedMeanwhile):
        await restore(shop, KEY, ours=ours, original=first, content=b"")
    assert values == before
    assert second in await ids(shop)


async def test_without_a_public_address_nothing_is_sent_and_the_remedies_are_named(shop: AmazonHarness) -> None:
    shop.links = NoLinks()  # type: ignore[assignment]
    shop.reopen()
    main, patched = (await ids(shop))[0], len(shop.calls)
    with pytest.raises(NotPossible, match="PUBLIC_URL"):
        await publish(shop, KEY, replaces=main)
    assert "patchListingsItem" not in shop.calls[patched:]
    assert any("PUBLIC_URL" in note for note in (await shop.platform.check()).notes)


@pytest.mark.parametrize("sku", ["MUG/01 #2", "50%+ off?", "A,B", "Täss-ü"])
async def test_a_sku_may_hold_what_an_address_may_not(shop: AmazonHarness, sku: str) -> None:
    shop.server.goods.add_item(sku, "Odd", quantity=3, pictures=[b"\xff\xd8odd"])
    [listing] = await shop.platform.find_listings(Sku(sku))
    assert listing.listing_id == sku
    [image] = await shop.platform.read_images(ListingId(sku))
    assert await shop.platform.fetch_image(image) == b"\xff\xd8odd"
    [level] = await shop.platform.read_stock([Sku(sku)])
    assert (level.sku.value, level.quantity) == (sku, 3)


# ---------------------------------------------------------------- keys and limits


async def test_a_missing_role_is_named_after_another_token_was_tried(shop: AmazonHarness) -> None:
    shop.server.roles = {LISTING_ROLE}
    with pytest.raises(MissingScope) as caught:
        await shop.platform.read_order(await shop.sell(shop.sku, 1))
    assert caught.value.scope == ORDER_ROLE
    assert shop.calls.count("getToken") == 2


async def test_an_ended_token_is_renewed_once_for_everybody(shop: AmazonHarness) -> None:
    await ids(shop)
    await shop.time.sleep(3601)
    await asyncio.gather(*(ids(shop) for _ in range(8)))
    assert shop.calls.count("getToken") == 2


async def test_an_app_secret_that_ended_says_so(shop: AmazonHarness) -> None:
    shop.server.client_secret = "a newer one"
    with pytest.raises(NeedsReconnect, match="180 days"):
        await shop.platform.check()


@pytest.mark.parametrize(("since", "is_warned"), [("2026-11-01", False), ("2026-06-01", True)])
async def test_the_app_secret_is_warned_of_a_month_before_it_ends(
    shop: AmazonHarness, since: str, is_warned: bool
) -> None:
    shop.more["secret_since"] = since
    shop.reopen()
    health = await shop.platform.check()
    assert health.key_expires_at is not None
    assert any("client secret ends" in note for note in health.notes) == is_warned


async def test_a_marketplace_where_nobody_sells_is_said(shop: AmazonHarness) -> None:
    shop.more["marketplace"] = "ATVPDKIKX0DER"
    shop.reopen()
    with pytest.raises(NotFound, match=r"amazon\.com"):
        await shop.platform.check()


def test_what_was_typed_is_put_into_shape() -> None:
    typed = {"marketplace": " de ", "client_secret": "s", "region": "eu-sandbox"}
    given = clean(typed)
    assert given["marketplace"] == "A1PA6795UKMFR9"
    assert given["secret_since"]
    assert clean({"marketplace": "gb"})["marketplace"] == "A1F83G8C2ARO7P"
    for wrong in ({"marketplace": "Atlantis"}, {"region": "moon"}, {"secret_since": "soon"}):
        with pytest.raises(BadInput):
            clean(wrong)
    with pytest.raises(NotPossible, match="refresh_token"):
        DESCRIPTOR.require(DESCRIPTOR.complete(given, {}))


async def test_a_hundred_publishes_keep_the_limits_and_waste_no_time(shop: AmazonHarness) -> None:
    goods = shop.server.goods
    skus = [f"CUP-{number:03d}" for number in range(100)]
    for sku in skus:
        goods.add_item(sku, "Cup", quantity=1, pictures=[b"\xff\xd8" + sku.encode()])
    await ids(shop)
    started = shop.time.monotonic()
    for sku in skus:
        shop.listing_id = ListingId(sku)
        await publish(shop, f"{sku}:1:s", replaces=(await ids(shop))[0])
    calls = shop.server.counted()
    least_s = max((calls[name] - burst) / per_s for name, (per_s, burst) in RATES.items())
    assert calls["patchListingsItem"] == 200
    assert shop.server.throttled == 0
    assert shop.time.monotonic() - started <= 1.15 * least_s


async def test_the_header_slows_one_operation_down_before_amazon_does(shop: AmazonHarness) -> None:
    shop.server.slower = 0.2
    await ids(shop)
    for _ in range(30):
        await ids(shop)
    assert shop.server.throttled <= 1, "the burst of the slower account was spent while we believed the models"


# ---------------------------------------------------------------- stock, orders


async def test_what_lies_in_amazons_warehouses_is_read_and_never_written(shop: AmazonHarness) -> None:
    own(shop).channel = "AMAZON_EU"
    [level] = await shop.platform.read_stock([shop.sku])
    assert (level.quantity, level.is_writable, level.location) == (7, False, "FBA")
    assert level in await shop.platform.read_all_stock()
    with pytest.raises(RejectedByStore, match="warehouses"):
        await shop.platform.set_stock(StockWrite("w", level.stock_id, level.sku, was=7, quantity=9))
    assert own(shop).quantity == 7


async def test_a_stock_write_keeps_what_stands_beside_the_quantity(shop: AmazonHarness) -> None:
    own(shop).attributes["fulfillment_availability"] = {
        "fulfillment_channel_code": "DEFAULT",
        "quantity": 7,
        "lead_time_to_ship_max_days": 3,
    }
    await shop.platform.set_stock(StockWrite("w", StockId("MUG-01"), shop.sku, was=7, quantity=9))
    assert own(shop).attributes["fulfillment_availability"]["lead_time_to_ship_max_days"] == 3
    assert own(shop).quantity == 9


@pytest.mark.parametrize(("channel", "most"), [("AMAZON_EU", 210), ("DEFAULT", 210)])
async def test_the_stock_of_ten_thousand_skus_takes_few_calls(shop: AmazonHarness, channel: str, most: int) -> None:
    goods = shop.server.goods
    goods.items.clear()
    for number in range(10_000):
        goods.add_item(f"SKU-{number:05d}", "Größe M", quantity=number % 7, pictures=[]).channel = channel
    begin = len(shop.calls)
    levels = await shop.platform.read_all_stock()
    made = [name for name in shop.calls[begin:] if name not in {"getToken", "getReport"}]
    assert len({level.sku.key for level in levels}) == len(levels) == 10_000
    assert {level.sku.value: level.quantity for level in levels} == {
        item.sku: item.quantity for item in goods.items.values()
    }
    assert len(made) <= most
    assert shop.server.throttled == 0


async def test_many_quantities_are_written_by_one_feed_and_refusals_named(shop: AmazonHarness) -> None:
    writes = [
        StockWrite("a", StockId("MUG-01"), Sku("MUG-01"), was=7, quantity=11),
        StockWrite("b", StockId("NO-SUCH"), Sku("NO-SUCH"), was=1, quantity=12),
        StockWrite("c", StockId("BOWL-01"), Sku("BOWL-01"), was=2, quantity=13),
    ]
    stock = Stock(shop.platform._api)
    begin = len(shop.calls)
    refused = await stock.set_many(writes)
    assert list(refused) == ["NO-SUCH"]
    assert "not found" in refused[StockId("NO-SUCH")]
    assert [one.quantity for one in shop.server.goods.items.values()] == [11, 13]
    names = [name for name in shop.calls[begin:] if name not in {"getToken", "getFeed"}]
    assert names == ["createFeedDocument", "upload", "createFeed", "getFeedDocument", "download"]


async def test_a_shipment_whose_answer_is_lost_is_looked_up_and_sent_once(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    shop.server.fail(Fault.LOST, operation="confirmShipment")
    order = await shop.platform.mark_shipped(Shipment("s", order_id, carrier="Kurier", tracking_number="1Z"))
    assert order.state is OrderState.SHIPPED
    assert shop.mails_to_buyers() == 1


async def test_a_shipment_nobody_can_judge_is_put_to_a_person(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    shop.server.fail(Fault.CUT, operation="confirmShipment")
    with pytest.raises(Ambiguous):
        await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="1Z"))
    assert shop.mails_to_buyers() == 0


async def test_an_order_amazon_sends_itself_and_one_without_a_number_are_refused(shop: AmazonHarness) -> None:
    order_id = await shop.sell(shop.sku, 2)
    with pytest.raises(RejectedByStore, match="tracking number"):
        await shop.platform.mark_shipped(Shipment("s", order_id))
    shop.server.goods.orders[order_id]["fulfillment"]["fulfilledBy"] = "AMAZON"
    with pytest.raises(RejectedByStore, match="itself"):
        await shop.platform.mark_shipped(Shipment("s", order_id, carrier="DHL", tracking_number="1Z"))


async def test_no_order_asks_for_a_buyer(shop: AmazonHarness) -> None:
    await shop.platform.read_order(await shop.sell(shop.sku, 1))
    await shop.platform.orders_since(shop.time.now() - timedelta(days=1))
    asked = {seen.query["includedData"] for seen in shop.server.calls if "rder" in seen.operation}
    assert asked == {"FULFILLMENT"}
