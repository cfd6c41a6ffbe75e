"""`say`, `press` and `invite`, embedded and through a living `run`."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.run_file import RunningAt
from tests.bot.command import Command, Ended
from tests.bot.conftest import Invoke


def published_main_image(base_url: str) -> bytes:
    products = httpx.get(f"{base_url}/shelf/products.json", trust_env=False).raise_for_status().json()["products"]
    product = next(item for item in products if any(each["sku"] == "MUG-01" for each in item["variants"]))
    main = min(product["images"], key=lambda image: image["position"])
    return httpx.get(httpx.URL(base_url).join(main["src"]), trust_env=False).raise_for_status().content


def type_of(ended: Ended) -> str:
    assert ended.out, ended.err[-1000:]
    return str(ended.reply["type"])


@pytest.fixture(scope="module")
def living_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """One living `run` for the tests that talk through it."""
    command = Command(tmp_path_factory.mktemp("run"))
    with command.running():
        yield command


@dataclass(frozen=True, slots=True)
class Shop:
    """Speaks to the living `run` from this process."""

    command: Command
    invoke: Invoke

    def __call__(self, *words: str) -> Ended:
        return self.invoke(*words, DATA_DIR=str(self.command.data_dir))

    @property
    def address(self) -> RunningAt:
        run = self.command.alive()
        assert run is not None
        return run


@pytest.fixture
def shop(living_run: Command, invoke: Invoke) -> Shop:
    """The living `run`, to speak to."""
    return Shop(living_run, invoke)


def test_engine_that_may_not_be_used_is_one_sentence_and_redo_may_choose_another(shop: Shop) -> None:
    failed = shop("say", "enhance BOWL-01 engine=rembg:bria", "--json")
    assert type_of(failed) == "EnhanceFailed"
    assert "ALLOW_NONCOMMERCIAL_MODELS=1" in failed.reply["sentence"]
    made = shop("press", failed.token("redo"), "--set", "engine=builtin", "--json")
    assert type_of(made) == "PreviewReady"
    assert made.reply["card"]["engine"] == "builtin"


def test_a_photos_way_embedded(packshot: Command, photo: Path) -> None:
    preview = packshot("say", "MUG-01", "--photo", str(photo), "--json")
    assert (preview.status, type_of(preview)) == (0, "PreviewReady")
    assert preview.reply["card"]["sku"] == "MUG-01"
    assert {"label", "token"} == set(preview.reply["buttons"][0])
    assert type_of(packshot("press", preview.token("approve"), "--json")) == "Published"
    with sqlite3.connect(packshot.data_dir / "packshot.db") as rows:
        states = rows.execute("SELECT state FROM placement").fetchall()
    rows.close()
    assert states == [("live",)]
    assert packshot.alive() is None
    for name in ("secret.key", "local.key"):
        path = packshot.data_dir / name
        assert not path.exists() or path.stat().st_mode & 0o077 == 0


def test_a_photos_way_through_a_living_run(shop: Shop, photo: Path) -> None:
    old = published_main_image(shop.address.base_url)
    preview = shop("say", "MUG-01", "--photo", str(photo), "--json")
    assert (preview.status, len(preview.replies), type_of(preview)) == (0, 1, "PreviewReady")
    again = shop("press", preview.token("redo"), "--set", "background=#eee", "--set", "shadow=none", "--json")
    assert (again.reply["card"]["revision"], again.reply["card"]["background"]) == (2, "#eeeeee")
    stale = shop("press", preview.token("approve"), "--json")
    assert (stale.status, [reply["type"] for reply in stale.replies]) == (1, ["PreviewReady", "Refused"])
    published = shop("press", again.token("approve"), "--json")
    assert (published.status, type_of(published)) == (0, "Published")
    assert published_main_image(shop.address.base_url) != old
    undone = shop("press", published.token("undo"), "--json")
    assert (undone.status, type_of(undone)) == (0, "Restored")
    assert published_main_image(shop.address.base_url) == old


def test_reject_takes_its_reason_from_the_command_line(shop: Shop, photo: Path) -> None:
    preview = shop("say", "MUG-01", "--photo", str(photo), "--json")
    rejected = shop("press", preview.token("reject"), "--text", "Too dark", "--json")
    assert (rejected.status, rejected.reply["type"], rejected.reply["reason"]) == (0, "Rejected", "Too dark")


def test_nobody_speaks_for_somebody_unknown_and_an_invitation_makes_them_known(shop: Shop) -> None:
    refused = shop("say", "help", "--as", "nina")
    assert (refused.status, refused.out) == (1, "")
    assert "invite ROLE --as nina" in refused.err
    assert "viewer" in shop("invite", "viewer", "--as", "nina").out
    assert type_of(shop("say", "help", "--as", "nina", "--json")) == "HelpShown"
    refused = shop("say", "enhance MUG-01", "--as", "nina", "--json")
    assert (refused.status, refused.reply["type"], refused.reply["code"]) == (1, "Refused", "not_allowed")


def test_a_name_beyond_ascii_speaks_through_a_living_run(shop: Shop) -> None:
    assert shop("invite", "viewer", "--as", "Jürgen").status == 0
    assert type_of(shop("say", "help", "--as", "Jürgen", "--json")) == "HelpShown"


def test_metrics_want_the_local_key_and_no_address_stands_for_it(shop: Shop) -> None:
    metrics = f"{shop.address.base_url}/metrics"
    key = (shop.command.data_dir / "local.key").read_text()
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": key}):
        assert httpx.get(metrics, headers=headers, trust_env=False).status_code == 404
    shown = httpx.get(metrics, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    assert shown.status_code == 200
    assert "packshot" in shown.text


def test_a_web_process_prints_no_way_in(packshot: Command, invoke: Invoke) -> None:
    assert invoke("migrate").status == 0
    with packshot.running("web") as web:
        web.send_signal(signal.SIGTERM)
        assert web.stdout is not None
        assert web.stdout.read() == ""
    with sqlite3.connect(packshot.data_dir / "packshot.db") as rows:
        assert rows.execute("SELECT count(*) FROM invitation").fetchone() == (0,)
    rows.close()


def test_a_bad_photo_is_one_sentence_and_the_run_lives_on(shop: Shop, tmp_path: Path) -> None:
    bad = tmp_path / "notes.jpg"
    bad.write_text("These are my notes.")
    refused = shop("say", "MUG-01", "--photo", str(bad), "--json")
    assert (refused.status, refused.reply["type"], refused.reply["code"]) == (1, "Refused", "bad_photo")
    text = shop("say", "MUG-01", "--photo", str(bad))
    assert text.out.startswith("Refused\n  sentence: ")
    assert type_of(shop("say", "status", "--json")) == "StatusShown"


def test_a_second_run_on_the_same_folder_is_refused(shop: Shop) -> None:
    second = shop("run")
    assert (second.status, second.out) == (1, "")
    assert f"already runs on {shop.command.data_dir} at {shop.address.base_url}" in second.err
    assert second.err.count("\n") == 1
    assert type_of(shop("say", "status", "--json")) == "StatusShown"


def test_invite_prints_a_code_that_joins(shop: Shop) -> None:
    printed = shop("invite", "approver").out
    code = printed.splitlines()[0].rpartition(" ")[2]
    address = shop.address.base_url
    entered = [
        httpx.post(
            f"{address}/console/join", data={"code": code, "name": name}, headers={"Origin": address}, trust_env=False
        ).status_code
        for name in ("Mira", "Noor")
    ]
    assert entered == [303, 401], "a code lets one in, and then nobody"
    assert "Mira" in shop("say", "members").out


def test_run_stops_cleanly_when_told_and_leaves_no_run_file(packshot: Command) -> None:
    with packshot.running() as process:
        run = packshot.alive()
        assert run is not None
        assert run.pid == process.pid
        with httpx.stream("GET", f"{run.base_url}/shelf", trust_env=False):
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        assert time.monotonic() - started < 15
    assert packshot.alive() is None
    assert not (packshot.data_dir / "run.json").exists()
    assert "Traceback" not in (packshot.folder / "run.log").read_text()


def test_say_beside_a_worker_of_its_own_says_what_to_do(packshot: Command, invoke: Invoke) -> None:
    assert invoke("migrate").status == 0
    with packshot.running("worker"):
        busy = invoke("say", "help")
    assert (busy.status, busy.out) == (1, "")
    assert "Another worker is already running" in busy.err
    assert busy.err.count("\n") == 1
    assert type_of(invoke("say", "help", "--json")) == "HelpShown"


def test_it_gives_up_after_its_timeout(shop: Shop, photo: Path) -> None:
    slow = shop("say", "MUG-01", "--photo", str(photo), "--timeout", "0")
    assert (slow.status, slow.out) == (1, "")
    assert "has not settled within 0 s" in slow.err
