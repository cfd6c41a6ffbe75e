"""`packshot rotate-key`: everything under a new key, in one pass that may be broken off, while others work."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect

from bot.keys import KeyFile, open_vault, rotate_key
from bot.settings import Settings
from domain.catalog import PlatformName, Store, StoreId
from domain.connection import Tokens
from domain.errors import Fault, NotPossible
from storage.bootstrap import ensure_team
from storage.catalog import StoreRows
from storage.connections import SqlConnections
from storage.database import Database, open_database
from storage.every_table import every_table
from storage.rotation import count_old, rotate_all, sealed_columns
from storage.vault import Vault
from tests.fakes import FakeClock

STORES = 7


async def fill(database: Database, vault: Vault) -> None:
    team = await ensure_team(database, "Sealed shop")
    rows, connections = StoreRows(database), SqlConnections(database, vault, FakeClock())
    for number in range(STORES):
        store = Store(StoreId(f"store-{number}"), team.team_id, PlatformName.SHOPIFY, f"Shop {number}")
        assert await rows.add(store, vault.encrypt(f'{{"secret": "credential {number}"}}'))
        await connections.save(store.store_id, Tokens(f"access {number}"), was_version=0)


async def opened(database: Database, vault: Vault) -> list[str]:
    rows, connections = StoreRows(database), SqlConnections(database, vault, FakeClock())
    found = []
    for number in range(STORES):
        sealed = await rows.credentials(StoreId(f"store-{number}"))
        tokens = (await connections.load(StoreId(f"store-{number}"))).tokens
        assert sealed is not None
        assert tokens is not None
        found += [vault.decrypt(sealed), tokens.access]
    return found


async def test_every_table_of_the_database_is_known(database: Database) -> None:
    async with database.read() as db_session:
        names = await (await db_session.connection()).run_sync(lambda sync: inspect(sync).get_table_names())
    assert {table.name for table in every_table()} == set(names) - {"alembic_version"}


def test_the_sealed_columns_are_those_that_hold_keys() -> None:
    names = {f"{column.table.name}.{column.name}" for column in sealed_columns()}
    assert {"store.credentials", "store_state.tokens"} <= names


async def test_everything_is_under_the_new_key_afterwards(database: Database) -> None:
    old, new = Vault.fresh_key(), Vault.fresh_key()
    await fill(database, Vault([old]))
    before = await opened(database, Vault([old]))
    both = Vault([new, old])
    assert await count_old(database, both) == 2 * STORES
    assert await rotate_all(database, both) == 2 * STORES
    assert await rotate_all(database, both) == 0, "again is nothing"
    assert await count_old(database, both) == 0
    assert await opened(database, Vault([new])) == before


async def test_a_pass_that_broke_off_goes_on(database: Database) -> None:
    old, new = Vault.fresh_key(), Vault.fresh_key()
    await fill(database, Vault([old]))

    class Dying(Vault):
        left = 5

        def rotate(self, sealed: bytes) -> bytes:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            return super().rotate(sealed)

    with pytest.raises(KeyboardInterrupt):
        await rotate_all(database, Dying([new, old]))
    assert await count_old(database, Vault([new, old])) == 2 * STORES - 5
    assert len(await opened(database, Vault([new, old]))) == 2 * STORES, "half-way both keys open everything"
    assert await rotate_all(database, Vault([new, old])) == 2 * STORES - 5


async def test_what_somebody_saves_meanwhile_is_not_overwritten(database: Database) -> None:
    old, new = Vault.fresh_key(), Vault.fresh_key()
    await fill(database, Vault([old]))
    connections = SqlConnections(database, Vault([old]), FakeClock())

    class Racing(Vault):
        def is_newest(self, sealed: bytes) -> bool:
            seen.append(sealed)
            return super().is_newest(sealed)

    seen: list[bytes] = []
    vault = Racing([new, old])
    await connections.save(StoreId("store-3"), Tokens("renewed"), was_version=1)
    await rotate_all(database, vault)
    assert len(seen) == 2 * STORES
    assert "renewed" in await opened(database, Vault([new, old]))


def settings_in(folder: Path, monkeypatch: pytest.MonkeyPatch, **others: str) -> Settings:
    monkeypatch.chdir(folder)
    for name in ("SECRET_KEY", "DATABASE_URL", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(folder))
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    return Settings()


async def test_a_running_process_notices_the_new_key_and_the_old_one_ends(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_in(tmp_path, monkeypatch)
    running = open_vault(settings)
    database = open_database(sqlite_url)
    await fill(database, running)
    before = await opened(database, running)
    key_file = tmp_path / "secret.key"
    (old,) = key_file.read_text().split(",")
    await rotate_key(settings, finish=False)
    assert len(key_file.read_text().split(",")) == 2
    assert oct(key_file.stat().st_mode & 0o777) == "0o600"
    assert await opened(database, running) == before, "it was opened before the key changed"
    assert not Vault([old]).is_newest(running.encrypt("said after")), "it writes with the new key"
    await rotate_key(settings, finish=True)
    assert old not in key_file.read_text()
    assert await opened(database, running) == before
    with pytest.raises(Fault):
        await opened(database, Vault([old]))
    said = capsys.readouterr().out
    assert f"{2 * STORES} secrets were put under the new key, 0 are left" in said
    assert old not in said
    await database.close()


async def test_with_a_key_of_the_environment_it_says_what_to_set(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = Vault.fresh_key()
    database = open_database(sqlite_url)
    await fill(database, Vault([old]))
    await rotate_key(settings_in(tmp_path, monkeypatch, SECRET_KEY=old), finish=False)
    both = capsys.readouterr().out.split("SECRET_KEY=")[1].strip()
    assert both.endswith(f",{old}")
    both_settings = settings_in(tmp_path, monkeypatch, SECRET_KEY=both)
    await rotate_key(both_settings, finish=False)
    await rotate_key(both_settings, finish=True)
    only = capsys.readouterr().out.split("SECRET_KEY=")[1].strip()
    assert len(await opened(database, Vault([only]))) == 2 * STORES
    await database.close()


async def test_the_old_key_stays_while_addresses_are_signed_with_it(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path, monkeypatch, PUBLIC_URL="https://shop.example")
    await fill(open_database(sqlite_url), open_vault(settings))
    await rotate_key(settings, finish=False)
    with pytest.raises(NotPossible, match="signed with the old key"):
        await rotate_key(settings, finish=True)
    long_ago = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    os.utime(tmp_path / "secret.key", (long_ago, long_ago))
    await rotate_key(settings, finish=True)
    assert len(KeyFile(tmp_path / "secret.key")()) == 1
