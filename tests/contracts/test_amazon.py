"""Every call of the Amazon adapter before Prism on Amazon's models, and the adapter itself on Amazon's own examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from domain.catalog import ListingId, PlatformName, Store, StoreId
from domain.errors import StoreError
from platforms.amazon.adapter import AmazonStore
from platforms.amazon.api import AmazonApi
from platforms.amazon.marketplaces import marketplace_of
from platforms.amazon.pictures import Pictures
from platforms.tokens import FixedKey
from platforms.transport import Transports
from platforms.wire import Account, Call, Manners
from tests.contracts.witness import Witness
from tests.fakes.store_server import Seen
from tests.fakes.store_side import MemoryNotes
from tests.platforms.amazon_harness import NumberedLinks, open_amazon
from tests.platforms.amazon_story import play
from tests.platforms.fakes import FakeMedia

STORE = Store(StoreId("amazon-contract"), "team-1", PlatformName.AMAZON, "Amazon")
KEY = FixedKey({"x-amz-access-token": "any"})
NOT_IN_MODELS = {"getToken", "download", "upload"}
BAD_EXAMPLE = {"getMarketplaceParticipations"}
"""Amazon's own example breaks its own schema, so Prism cannot answer; the sandbox does."""


async def _sent() -> Sequence[Seen]:
    """What the adapter sends in a story on our fake, each call of the same shape once."""
    async with open_amazon() as shop:
        await play(shop)
        calls = shop.server.calls
    shapes = {(seen.operation, *sorted(seen.query), seen.query.get("mode"), seen.body[:120]): seen for seen in calls}
    return [seen for seen in shapes.values() if seen.operation not in NOT_IN_MODELS | BAD_EXAMPLE]


async def test_prism_takes_every_request_as_it_is_sent(
    transports: Transports, amazon_url: str, witness: Witness
) -> None:
    seen_by_prism = witness.watch(transports, "amazon")
    sent = await _sent()
    transport = transports.open(Account(STORE, amazon_url), Manners(), KEY)
    for seen in sent:
        answer = await transport.send(
            Call(
                seen.operation,
                seen.method,
                str(seen.request.rel_url.raw_path),
                is_repeatable=True,
                params=dict(seen.query),
                json=seen.json() if seen.body else None,
            )
        )
        assert 200 <= answer.status < 300, seen.operation
        seen_by_prism.operations.add(seen.operation)
    seen_by_prism.operations = {name for name in seen_by_prism.operations if " " not in name}
    assert len(seen_by_prism.operations) >= 15
    assert seen_by_prism.violations == []


async def signed_for_nobody() -> Mapping[str, str]:
    """The static sandbox has no operations that are the app's own."""
    raise AssertionError("not asked here")


async def test_the_adapter_lives_on_amazons_static_sandbox(
    transports: Transports, sandbox_url: str, witness: Witness
) -> None:
    seen = witness.watch(transports, "amazon sandbox")
    marketplace = marketplace_of("US")
    assert marketplace is not None
    media = FakeMedia()
    transport = transports.open(Account(STORE, sandbox_url), Manners(), KEY)
    api = AmazonApi(transport, transports, "SELLER", marketplace, signed_for_nobody)
    pictures = Pictures(api, MemoryNotes(), media, NumberedLinks(media))
    store = AmazonStore(STORE, api, pictures, secret_since=None)
    [main, *_] = await store.read_images(ListingId("GM-ZDPI-9B4E"))
    assert main.is_main
    assert main.url.startswith("https://")
    assert (await api.participations())[0]["storeName"]
    await api.patch("GM-ZDPI-9B4E", "LUGGAGE", [], is_preview=True)
    with pytest.raises(StoreError, match="Invalid input"):
        await store.read_images(ListingId("BadSKU"))
    assert seen.calls >= 4
    assert seen.violations == []
