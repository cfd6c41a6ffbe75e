"""The house keeps its walls: import-linter passes on it, and fails on each breach planted in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "domain", "handlers", "imaging", "platforms", "storage")
LINES_MOST = 400
LONGER_FOR_A_REASON = {
    "tests/stock/proof.py": "everything that may happen to one business, and what must hold of it",
    "storage/tables.py": "every table stands in one file, so that a migration can be checked against it",
    "tests/console/test_browser.py": "one browser and one page: split, each half would start its own",
    "tests/console/test_listeners.py": "every refusal of one door, beside the fixtures that knock at it",
    "tests/bot/test_outbox.py": "the rules of one loop, told on one clock that only the test moves",
    "tests/storage/test_outbox.py": "what may be due, told by one shop that speaks in several places",
    "domain/replies.py": "the closed union: whoever adds a reply sees all the others",
    "imaging/models/train.py": "the net's training script as it ran: a record, not a part of the product",
}


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter on a copy: its own folder goes first, before the installed project."""
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def house_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages' modules, without what they carry."""
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(HOUSE / "pyproject.toml", copy)
    for package in PACKAGES:
        for path in (HOUSE / package).rglob("*.py"):
            target = copy / path.relative_to(HOUSE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return copy


def test_the_house_keeps_its_contracts(house_copy: Path) -> None:
    checked = lint_imports(house_copy)
    assert checked.returncode == 0, checked.stdout[-3000:]


@pytest.mark.parametrize(
    ("where", "breach", "contract"),
    [
        ("domain/catalog.py", "import httpx", "Neither the ground nor the subjects know a vendor"),
        ("domain/catalog.py", "import handlers.desk", "Imports run down"),
        ("handlers/enhance.py", "import sqlalchemy", "Neither the ground nor the subjects know a vendor"),
        ("handlers/enhance.py", "import handlers.console.chat", "Subjects do not know the chats' folders"),
        ("handlers/console/chat.py", "import storage.database", "Imports run down"),
        ("handlers/slack/chat.py", "import handlers.telegram.chat", "Chats do not know each other"),
        ("handlers/enhance.py", "import slack_sdk", "Neither the ground nor the subjects know a vendor"),
        ("imaging/codec.py", "import storage.media", "Imports run down"),
        ("platforms/shelf/adapter.py", "import imaging.engine", "Imports run down"),
        ("storage/work.py", "import bot.clock", "Imports run down"),
    ],
)
def test_a_planted_breach_is_found(house_copy: Path, where: str, breach: str, contract: str) -> None:
    path = house_copy / where
    sound = path.read_text()
    path.write_text(f"{sound}\n{breach}\n")
    try:
        checked = lint_imports(house_copy)
    finally:
        path.write_text(sound)
    assert checked.returncode == 1, checked.stdout[-3000:] + checked.stderr[-2000:]
    broken = [line for line in checked.stdout.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in broken), broken


def test_every_chat_and_every_store_is_under_its_contract() -> None:
    contracts = tomllib.loads((HOUSE / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {contract["name"]: set(contract.get("modules", ())) for contract in contracts}
    chats = {f"handlers.{path.parent.name}" for path in HOUSE.glob("handlers/*/chat.py")}
    stores = {f"platforms.{path.parent.name}" for path in HOUSE.glob("platforms/*/adapter.py")}
    assert chats
    assert stores
    assert chats <= named["Chats do not know each other"]
    assert stores <= named["Stores do not know each other"]
    forbidden = next(each for each in contracts if each["name"] == "Subjects do not know the chats' folders")
    assert chats <= set(forbidden["forbidden_modules"])


def own_files() -> list[Path]:
    folders = (*PACKAGES, "tests", "benchmarks")
    return [path for folder in folders for path in sorted((HOUSE / folder).rglob("*.py"))]


def test_no_file_grows_beyond_one_subject_without_a_reason() -> None:
    long = {}
    for path in own_files():
        lines = len(path.read_text().splitlines())
        if lines > LINES_MOST:
            long[str(path.relative_to(HOUSE))] = lines
    assert set(long) <= set(LONGER_FOR_A_REASON), long


def test_no_file_is_a_drawer_for_odds_and_ends() -> None:
    drawers = re.compile(r"utils?|helpers?|common|misc|base\d?")
    assert [path for path in own_files() if drawers.fullmatch(path.stem)] == []


def test_every_module_says_why_it_is_there() -> None:
    for path in own_files():
        if path.relative_to(HOUSE).parts[0] in PACKAGES:
            assert path.read_text().startswith(('"""', "#!")), path


def test_the_ground_reads_no_clock_and_no_setting() -> None:
    for path in (*HOUSE.glob("domain/*.py"), *HOUSE.glob("handlers/*.py")):
        text = path.read_text()
        assert not re.search(r"datetime\.now|time\.time\(|os\.environ|getenv", text), path
