"""`packshot doctor`: what is set, what is there, what is missing, and what to do about it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import stat
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from bot.app import open_media
from bot.chats import open_chats
from bot.connect import ask_stores, health_lines, what_to_do
from bot.engines import about, where
from bot.redaction import REDACTOR
from bot.run_file import living_run
from bot.settings import KEY_FILE, Settings, load_settings
from bot.store_inbox import open_inboxes
from bot.stores import open_stores
from bot.trust_cli import audit_checks
from domain.catalog import Sha256
from domain.errors import Fault, StoreError, Undeliverable, UserError
from imaging.engine import LocalEnhancer
from imaging.weights import find_weights, held, known_model, missing
from platforms.descriptor import Inbox
from platforms.registry import PLATFORMS
from storage.catalog import StoreRows
from storage.database import open_database

OTHERS = 0o077
"""What the group and everybody else may do."""
LEAST_FREE_BYTES = 500_000_000
"""About two hundred photos with their pictures."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line; `remedy` is empty when all is well."""

    what: str
    found: str
    remedy: str = ""


async def examine() -> int:
    """Print every check; returns 1 when one of them needs a person."""
    try:
        settings = load_settings()
    except UserError as error:
        print(f"! settings: {error.sentence}")
        return 1
    checks = [Check("settings", "readable")]
    for look in (_env_file, _folder, _run, _engine, _weights):
        checks += look(settings)
    for slow in (_database, _media):
        checks.append(await _guarded(slow, settings))
    checks += await _audit(settings)
    checks += await _chats(settings)
    checks += await _stores(settings)
    REDACTOR.remember(*settings.secrets)
    for check in checks:
        print(REDACTOR.text(f"{'!' if check.remedy else '✓'} {check.what}: {check.found}"))
        if check.remedy:
            print(REDACTOR.text(f"    → {check.remedy}"))
    return 1 if any(check.remedy for check in checks) else 0


async def _guarded(look: Callable[[Settings], Awaitable[Check]], settings: Settings) -> Check:
    try:
        return await look(settings)
    except Fault as error:
        name = look.__name__.removeprefix("_")
        return Check(name, f"does not work ({error})", f"check {name.upper()}_URL and that its server is reachable")


def _env_file(_settings: Settings) -> Iterator[Check]:
    path = Path(".env")
    if path.is_file():
        mode = stat.S_IMODE(path.stat().st_mode)
        yield Check(".env", f"mode {mode:04o}", "others can read your keys: chmod 600 .env" if mode & OTHERS else "")


def _folder(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    remedy = "make room, or set DATA_DIR to another disk" if free < LEAST_FREE_BYTES else ""
    yield Check("data folder", f"{folder} ({free / 1e9:.1f} GB free)", remedy)
    if folder.is_dir() and (mode := stat.S_IMODE(folder.stat().st_mode)) & OTHERS:
        # The database, the photos and the keys lie in it.
        yield Check("data folder", f"mode {mode:04o}, open to others", f"chmod 700 {folder}")
    for name in (KEY_FILE, "local.key"):
        path = folder / name
        if path.exists() and (mode := stat.S_IMODE(path.stat().st_mode)) & OTHERS:
            yield Check(name, f"mode {mode:04o}, open to others", f"chmod 600 {path}")


def _run(settings: Settings) -> Iterator[Check]:
    run = living_run(settings)
    yield Check("run", f"alive at {run.base_url} (pid {run.pid})" if run else "not running (`packshot run` starts it)")


def _engine(settings: Settings) -> Iterator[Check]:
    engine = settings.imaging_engine
    enhancer = LocalEnhancer(engine=engine, model_dir=settings.model_dir, threads=1)
    try:
        if engine.startswith("rembg:"):
            model = known_model(engine.removeprefix("rembg:"), noncommercial=settings.allow_noncommercial_models)
            if find_weights(model, settings.model_dir) is None:
                raise missing(model)
        yield Check("engine", enhancer.engine_name())
    except UserError as error:
        yield Check("engine", engine, error.sentence)
    finally:
        enhancer.close()


def _weights(settings: Settings) -> Iterator[Check]:
    for each in held(settings.model_dir):
        yield Check(f"rembg:{each.name}", f"{where(each, settings)} ({about(each.model)})")


async def _database(settings: Settings) -> Check:
    database = open_database(settings.database_url)
    kind = "SQLite file" if database.is_sqlite else "Postgres"
    try:
        async with asyncio.timeout(10), database.read() as db_session:
            await db_session.execute(text("SELECT team_id FROM team LIMIT 1"))
    except TimeoutError:
        return Check("database", f"{kind} does not answer", "check DATABASE_URL and that the server runs")
    except Fault as error:
        return Check(
            "database", f"{kind}: not set up yet ({error.code})", "run `packshot migrate` (`packshot run` does it too)"
        )
    finally:
        await database.close()
    return Check("database", kind)


async def _audit(settings: Settings) -> list[Check]:
    """Walk the audit of every team."""
    database = open_database(settings.database_url)
    try:
        return [Check("audit", found, remedy) for found, remedy in await audit_checks(database)]
    except Fault:  # the database, which has a line of its own above
        return []
    finally:
        await database.close()


async def _media(settings: Settings) -> Check:
    database = open_database(settings.database_url)
    try:
        media = open_media(settings, database)
        # Reading what is not there proves that the folder or bucket answers.
        await media.delete([Sha256(hashlib.sha256(b"packshot doctor").hexdigest())])
    except ValueError as error:
        return Check("media", str(error), "mend MEDIA_URL")
    finally:
        await database.close()
    return Check("media", settings.media_url)


async def _chats(settings: Settings) -> list[Check]:
    """Ask every chat that has a token who we are there; the console needs none."""
    database = open_database(settings.database_url)
    checks = []
    try:
        async with open_chats(settings, open_media(settings, database)) as chats:
            for name, chat in chats.out.items():
                try:
                    async with asyncio.timeout(20):
                        checks.append(Check(name.value, await chat.whoami()))
                except Undeliverable as error:
                    checks.append(Check(name.value, "does not let me in", error.sentence))
                except (StoreError, Fault, TimeoutError) as error:
                    url = f"{name.value.upper()}_API_URL"
                    checks.append(Check(name.value, f"does not answer ({error})", f"check the network, and {url}"))
    except ValueError:  # MEDIA_URL is wrong, which has a line of its own above
        pass
    finally:
        await database.close()
    return checks


async def _stores(settings: Settings) -> list[Check]:
    """Ask every connected store who we are there."""
    database = open_database(settings.database_url)
    checks = []
    try:
        connected = await StoreRows(database).everywhere()
        async with open_stores(settings, database, open_media(settings, database), public_url="") as stores:
            for one in await ask_stores(stores, connected):
                found, remedy = one.trouble, one.trouble
                if one.health is not None:
                    found = ", ".join(health_lines(one.health)[: 2 if one.health.scopes else 1])
                    remedy = " ".join(what_to_do(one.health))
                checks.append(Check(one.store.name, found if one.health else "does not let me work", remedy))
            checks += [
                await _inbox(PLATFORMS[platform].label, inbox) for platform, inbox in open_inboxes(stores).items()
            ]
    except UserError as error:
        checks.append(Check("stores", "cannot be opened", error.sentence))
    except (Fault, ValueError):  # the database or the media, which have lines of their own above
        pass
    finally:
        await database.close()
    return checks


async def _inbox(vendor: str, inbox: Inbox) -> Check:
    """Look into the queue in which a vendor leaves what changed; nothing is taken out."""
    what = f"{vendor}'s queue"
    try:
        async with asyncio.timeout(20):
            waiting = await inbox.look()
    except StoreError as error:
        return Check(what, "cannot be read", f"{error} Orders are asked for in turn meanwhile.")
    except TimeoutError:
        return Check(what, "does not answer", "check the network and the queue's address")
    return Check(what, "messages wait" if waiting else "can be read")  # a short look may miss one
