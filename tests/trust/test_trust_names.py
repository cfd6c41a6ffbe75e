"""What people and stores write stays words: no name leads out of its folder, no word becomes a header."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from domain.catalog import ListingId, PlatformName, Sha256, Sku, Store, StoreId
from domain.errors import BadInput, Fault, NeedsReconnect
from handlers.console.data_pages import _NAME as FILE_NAME
from platforms.shopify.media import Mark
from platforms.tokens import FixedKey
from platforms.transport import Transports
from platforms.wire import Account, Call, Manners
from storage.database import open_database
from storage.media import ObstoreMedia
from tests.fakes.store_side import HandTime, MemoryContacts, MemoryTokens
from tests.trust.hostile.asks import MARKUP, TRAVERSALS

SECRET = b"the key of the house"
SPLITTERS = ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\x00b", 'x"; filename="evil.exe', "ü", "a\u2028b", "%0d%0aX: 1"]


@pytest.mark.parametrize(
    "name", [*TRAVERSALS, "", ".", "..", "aa/" + "b" * 64, "A" * 64, "g" * 64, "a" * 63 + "\n", "é" * 64]
)
async def test_no_name_leads_out_of_its_folder(name: str, sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "media"
    (tmp_path / "local.key").write_bytes(SECRET)
    database = open_database(sqlite_url)
    media = ObstoreMedia(folder.as_uri(), database=database, clock=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    with pytest.raises(Fault, match="no name of a photo") as refusal:
        await media.get(Sha256(name))
    assert refusal.value.code == "media_missing"
    with pytest.raises(Fault):
        await media.delete([Sha256(name)])
    await database.close()
    assert (tmp_path / "local.key").read_bytes() == SECRET


@pytest.mark.parametrize("name", [*SPLITTERS, *MARKUP, *TRAVERSALS])
async def test_no_word_becomes_a_header(name: str) -> None:
    """Files are named by us at a store, and kept under names without quotes or line ends here."""
    made = Mark.of(name, ListingId(name)).filename("image/jpeg")
    assert re.fullmatch(r"packshot-[0-9a-f]{24}\.jpg", made)
    if FILE_NAME.fullmatch(name):
        assert re.fullmatch(r"[\w.-]+", name, re.ASCII)


@pytest.mark.parametrize("key", [word for word in SPLITTERS if not word.isascii() or not word.isprintable()])
async def test_a_key_with_a_line_end_is_never_sent(key: str) -> None:
    def unheard(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request)

    time = HandTime()
    transports = Transports(MemoryTokens(time), MemoryContacts(time), time.now)
    transports._client = httpx.AsyncClient(transport=httpx.MockTransport(unheard))
    store = Store(StoreId("s1"), "team", PlatformName.WOOCOMMERCE, "Teeladen")
    async with transports:
        shop = transports.open(Account(store, "https://shop.example"), Manners(), FixedKey({"authorization": key}))
        with pytest.raises(NeedsReconnect):
            await shop.send(Call("look", "GET", "/", is_repeatable=True))


@pytest.mark.parametrize("typed", ["", "   ", "a\x00b", "x" * 500, "\u202ex"])
def test_what_is_no_sku_is_one_sentence(typed: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Sku(typed)
    assert "\n" not in str(refusal.value)


def test_a_line_end_in_a_sku_is_a_blank() -> None:
    assert Sku("a\r\n b").value == "a b"
