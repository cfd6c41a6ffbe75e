"""The command line: light until it is needed, one line an error, three exit statuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.command import Command
from tests.bot.conftest import Invoke

HEAVY = "imaging cv2 onnxruntime numpy PIL rembg starlette uvicorn sqlalchemy dbos platforms storage handlers httpx"


@pytest.mark.parametrize("words", [["--help"], ["say", "--help"], ["enhance", "--help"]])
def test_help_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['packshot', *{words!r}]\n"
        "from bot.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('HEAVY:', [name for name in {HEAVY.split()!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
        env=Command(tmp_path).environment(),
    )  # fmt: skip
    assert "HEAVY: []" in done.stdout
    assert "Usage" in done.stdout
    assert not Command(tmp_path).data_dir.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["enhance"],
        ["enhance", "photo.jpg"],
        ["say", "--photo", "missing.jpg"],
        ["say", "--unknown"],
        ["press"],
        ["press", "v1:redo:abc:1", "--set", "background"],
        ["invite"],
        ["invite", "boss"],
        ["say"],
        ["enhance", "x.jpg", "-o", "out.jpg", "--for", "ebay"],
        ["enhance", "x.jpg", "-o", "out.jpg", "--shadow", "long"],
        ["enhance", "x.jpg", "-o", "out.jpg", "--background", "plaid"],
        ["enhance", "x.jpg", "-o", "out.jpg", "--engine", "photoshop"],
    ],
)
def test_wrong_usage_is_one_line_and_two(invoke: Invoke, words: list[str]) -> None:
    ended = invoke(*words)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("packshot: ")
    assert ended.err.count("\n") == 1, ended.err
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (["say", "help"], {"PORT": "x", "TIMEZONE": "Mars"}, "Some settings are wrong: PORT"),
        (["say", "help"], {"DATA_DIR": "/dev/null/data"}, "Set DATA_DIR to a folder I may write to"),
        (["migrate"], {"DATABASE_URL": "sqlite:///:memory:"}, "Some settings are wrong: DATABASE_URL must be a file"),
        (["migrate"], {"DATABASE_URL": "postgresql://127.0.0.1:9/x"}, "SECRET_KEY is missing"),
        (
            ["migrate"],
            {"DATABASE_URL": "postgresql://127.0.0.1:9/x", "SECRET_KEY": "A" * 43 + "="},
            "packshot doctor",
        ),
        (["enhance", "missing.jpg", "-o", "out.jpg"], {}, "missing.jpg: I cannot read it"),
    ],
)
def test_what_it_cannot_do_is_one_line_and_one(
    invoke: Invoke, words: list[str], settings: dict[str, str], says: str
) -> None:
    ended = invoke(*words, **settings)
    assert (ended.status, ended.out) == (1, "")
    assert says in ended.err
    assert ended.err.startswith("packshot: ")
    assert ended.err.count("\n") == 1, ended.err[:500]


def test_no_word_at_all_shows_the_help(invoke: Invoke) -> None:
    ended = invoke()
    assert (ended.status, ended.err) == (2, "")
    assert "Usage" in ended.out


def test_doctor_says_what_is_there_and_what_to_do(invoke: Invoke) -> None:
    fresh = invoke("doctor")
    assert fresh.status == 1, "there is no database yet"
    assert "✓ settings: readable" in fresh.out
    assert "run `packshot migrate`" in fresh.out
    assert fresh.err == ""

    assert invoke("migrate").status == 0
    ready = invoke("doctor")
    assert (ready.status, "✓ database: SQLite file" in ready.out) == (0, True), ready.out

    wrong = invoke("doctor", PORT="x")
    assert wrong.status == 1
    assert wrong.out.startswith("! settings: Some settings are wrong: PORT")
