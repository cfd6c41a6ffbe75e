"""SECURITY.md speaks of what is there: every file and every test that its table names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`([\w/.]+\.py)(?:::(\w+))?`")
ROWS = [line for line in (ROOT / "SECURITY.md").read_text("utf-8").splitlines() if line.startswith("| ")][1:]


def named_in(row: str) -> list[list[tuple[str, str]]]:
    """Return the files and the tests of a row."""
    cells = row.strip("| ").split(" | ")
    assert len(cells) == 4, row
    return [NAMED.findall(cell) for cell in cells[2:]]


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[2].strip()[:40] for row in ROWS])
def test_a_threat_is_stopped_in_a_file_and_shown_by_a_test(row: str) -> None:
    files, tests = named_in(row)
    assert files, "nothing stops it"
    assert tests, "nothing shows it"
    assert [path for path, _ in files if not (ROOT / path).exists()] == []
    for path, name in tests:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in found, f"{path} has no {name}"


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 20
    assert named_in("| who | what | `bot/gate.py` | `tests/x.py::test_y` |") == [
        [("bot/gate.py", "")],
        [("tests/x.py", "test_y")],
    ]
