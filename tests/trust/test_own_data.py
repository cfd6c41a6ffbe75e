"""`export` gives everything and no key, `forget` deletes all of it and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.export import write_export
from bot.forgetting import forget_team
from domain.data_replies import ExportOffered, Forgotten
from domain.people import Actor, ChatName, Place, Role
from domain.replies import Refused
from storage.audit import verify_audit
from storage.bootstrap import ensure_member
from storage.every_table import every_table
from storage.own_data import SqlData
from tests.handlers.shop import PHOTO, Shop
from tests.trust.test_trust_stripped import SECRET, jpeg

NAME, ACTOR = "Nora Lindqvist", "8812345"


async def bytes_of(shop: Shop) -> bytes:
    """Every row of every table, and the file it lies in."""
    found = []
    async with shop.database.read() as db_session:
        for table in every_table():
            found += [repr(tuple(row)) for row in await db_session.execute(table.select())]
    return "\n".join(found).encode()


async def with_nora(shop: Shop) -> None:
    """Somebody from Telegram who asks, decides, and is named wherever names are kept."""
    place = Place(ChatName.TELEGRAM, ACTOR)
    await ensure_member(shop.database, shop.team.team_id, NAME, Role.APPROVER, Actor(ChatName.TELEGRAM, ACTOR, NAME))
    for number, words in enumerate(("enhance MUG-01", "approve MUG-01", "history", f"enhance {NAME}")):
        incoming = await shop.take(words, by="vera", event_key=f"telegram:{number}", place=place)
        async with shop.database.begin() as db_session:
            swap = text("UPDATE seen_event SET payload = :payload WHERE event_key = :key")
            told = replace(incoming, actor=Actor(ChatName.TELEGRAM, ACTOR, NAME))
            payload: dict[str, object] = {"event_key": told.event_key, "team_id": told.team_id, "text": words}
            payload |= {"actor": {"chat": "telegram", "actor_id": ACTOR, "name": NAME}}
            payload |= {"place": {"chat": "telegram", "place_id": ACTOR, "thread_id": ""}}
            await db_session.execute(swap, {"payload": json.dumps(payload), "key": told.event_key})
        await shop.run_jobs()


async def test_forgetting_a_person_leaves_no_trace_and_an_intact_chain(shop: Shop) -> None:
    await with_nora(shop)
    before = await bytes_of(shop)
    assert before.count(NAME.encode()) > 10
    assert before.count(ACTOR.encode()) > 5
    (asked,) = await shop.send(f"forget {NAME}", by="ada")
    assert isinstance(asked, Forgotten)
    assert not asked.is_done
    assert await bytes_of(shop) != before, "the question itself is kept"
    assert NAME.encode() in await bytes_of(shop), "nothing was deleted yet"
    (done,) = await shop.send(f"forget {NAME} sure=yes", by="ada")
    assert isinstance(done, Forgotten)
    assert done.is_done
    after = await bytes_of(shop)
    assert NAME.encode() not in after
    assert ACTOR.encode() not in after
    assert all(one.broken_at is None for one in await verify_audit(shop.database))
    assert [one.who for one in await shop.audit() if one.action == "approved"] == ["(forgotten)"]
    (again,) = await shop.send(f"forget {NAME}", by="ada")
    assert isinstance(again, Refused)


async def test_the_only_admin_cannot_be_forgotten(shop: Shop) -> None:
    (refused,) = await shop.send("forget ada sure=yes", by="ada")
    assert isinstance(refused, Refused)
    assert "only admin" in refused.sentence


@pytest.mark.parametrize("words", ["forget", "forget team Another shop", "forget nobody", "forget ada"])
async def test_what_was_not_made_sure_of_deletes_nothing(shop: Shop, words: str) -> None:
    async def rows() -> dict[str, int]:
        async with shop.database.read() as db_session:
            facts = dict(await SqlData(db_session, shop.clock()).team_facts(shop.team.team_id))
        return {name: facts[name] for name in ("member", "identity", "store", "shelf_listing")}

    before = await rows()
    await shop.send(words, by="ada")
    assert await rows() == before


@pytest.mark.parametrize("words", ["export", "forget edith", "forget team My shop"])
async def test_only_an_admin_may(shop: Shop, words: str) -> None:
    (refused,) = await shop.send(words, by="april")
    assert isinstance(refused, Refused)
    assert refused.code == "not_allowed"


async def test_forgetting_a_team_deletes_all_of_it_and_nothing_of_the_other(shop: Shop) -> None:
    await shop.send("enhance MUG-01", by="edith")
    await shop.send("approve", by="april")
    (done,) = await shop.send("forget team My shop", by="ada")
    assert isinstance(done, Forgotten)
    assert done.is_done
    assert any("pictures" in line for line in done.lines)
    now = shop.clock()
    async with shop.database.read() as db_session:
        assert [team for team, _at in await SqlData(db_session, now).going_teams()] == [shop.team.team_id]
        theirs = dict(await SqlData(db_session, now).team_facts(shop.other_team.team_id))
    kept = set(shop.media.kept)
    gone = await forget_team(shop.database, shop.media, shop.team.team_id, now=now)
    async with shop.database.read() as db_session:
        left = dict(await SqlData(db_session, now).team_facts(shop.team.team_id))
        assert dict(await SqlData(db_session, now).team_facts(shop.other_team.team_id)) == theirs
    assert left == {"forgotten_team": 1}
    assert gone > 3
    assert len(kept - set(shop.media.kept)) == gone
    listing = (await shop.shelf_rows.listings(shop.stores.opened[2].store.store_id))[0]
    assert all(image.photo in shop.media.kept for image in listing.images), "the other team's photos stay"
    assert all(one.broken_at is None for one in await verify_audit(shop.database))


async def test_an_export_has_everything_and_opens_nothing(shop: Shop, tmp_path: Path) -> None:
    await shop.send("enhance MUG-01", by="edith", photos=())
    await shop.send("approve", by="april")
    (invited,) = await shop.send("invite editor", by="ada")
    code = getattr(invited, "code", "")
    assert code
    (offered,) = await shop.send("export", by="ada")
    assert isinstance(offered, (ExportOffered, Refused))
    photo = await shop.media.put(jpeg(1))
    async with shop.database.begin() as db_session:
        await db_session.execute(text("UPDATE enhancement SET photo = :photo"), {"photo": photo})
    out = tmp_path / "all.zip"
    await write_export(out, shop.database, shop.media, shop.team.team_id, now=datetime.now(UTC))
    assert oct(out.stat().st_mode & 0o777) == "0o600"
    with zipfile.ZipFile(out) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    rows = [json.loads(line) for line in whole["rows/enhancement.jsonl"].decode().splitlines()]
    assert [row["sku"] for row in rows] == ["MUG-01"]
    assert b"approved" in whole["history.csv"]
    assert any(photo in name for name in whole)
    everything = b"\n".join(whole.values())
    assert SECRET not in everything, "what the camera wrote stays here"
    assert code.encode() not in everything
    assert b"SECRET-9" not in everything, "the other team's product"
    assert PHOTO not in everything
    assert not any(name.startswith(("rows/console_login", "rows/outbox", "rows/invitation")) for name in whole)
    beside = await asyncio.to_thread(
        lambda: [path for path in tmp_path.iterdir() if path.suffix != ".db" and ".db-" not in path.name]
    )
    assert beside == [out], "nothing half-made lies about"


async def test_an_exports_code_works_once_and_not_for_long(shop: Shop) -> None:
    now = shop.clock()
    async with shop.database.begin() as db_session:
        data = SqlData(db_session, now)
        first = await data.offer_export(shop.team.team_id, by="ada", expires_at=now + timedelta(hours=1))
        late = await data.offer_export(shop.team.team_id, by="ada", expires_at=now)
        assert await data.is_export_offered(first)
        assert await data.take_export(first) == (shop.team.team_id, "ada")
        assert await data.take_export(first) is None
        assert await data.take_export(late) is None
        assert await data.take_export("made-up") is None
    async with shop.database.read() as db_session:
        kept = str((await db_session.execute(text("SELECT * FROM export_ticket"))).all())
    assert first not in kept, "only its hash is kept"
