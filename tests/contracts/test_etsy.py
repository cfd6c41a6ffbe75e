"""Every call of the Etsy adapter before Prism on Etsy's own definition."""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog import PlatformName, Store, StoreId
from platforms.tokens import FixedKey
from platforms.transport import Transports
from platforms.wire import Account, Call, Manners
from tests.contracts.witness import Witness
from tests.fakes.store_server import Seen
from tests.platforms.etsy_harness import open_etsy_shop
from tests.platforms.etsy_story import play

STORE = Store(StoreId("etsy-contract"), "team-1", PlatformName.ETSY, "Etsy")
KEY = FixedKey({"x-api-key": "keystring:secret", "authorization": "Bearer any"})
NOT_DEFINED = {"refreshToken", "picture"}


async def _sent() -> Sequence[Seen]:
    """What the adapter sends in a story on our fake, each call of the same shape once."""
    async with open_etsy_shop() as shop:
        await play(shop)
        calls = shop.server.calls
    shapes = {
        (seen.operation, *sorted(seen.query), seen.query.get("includes"), seen.body[-60:]): seen for seen in calls
    }
    return [seen for seen in shapes.values() if seen.operation not in NOT_DEFINED]


async def test_prism_takes_every_request_as_it_is_sent(transports: Transports, etsy_url: str, witness: Witness) -> None:
    seen_by_prism = witness.watch(transports, "etsy")
    sent = await _sent()
    transport = transports.open(Account(STORE, etsy_url), Manners(), KEY)
    for seen in sent:
        kind = {"content-type": seen.headers["content-type"]} if seen.body else {}
        answer = await transport.send(
            Call(
                seen.operation,
                seen.method,
                seen.path,
                is_repeatable=True,
                params=dict(seen.query),
                headers=kind,
                content=seen.body or None,
            )
        )
        assert 200 <= answer.status < 300, seen.operation
        seen_by_prism.operations.add(seen.operation)
    seen_by_prism.operations = {name for name in seen_by_prism.operations if " " not in name}
    assert len(seen_by_prism.operations) == 16
    assert seen_by_prism.violations == []
