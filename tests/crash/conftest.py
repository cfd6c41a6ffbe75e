"""`--kills N`: how often `make crash` kills in every cell; and the matrix it prints."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Cell:
    """What one cell of the matrix came to."""

    database: str
    moment: str
    kills: int
    lost: int
    published_twice: int
    told: bool


CELLS = pytest.StashKey[list[Cell]]()


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--kills"))


@pytest.fixture
def matrix(request: pytest.FixtureRequest) -> list[Cell]:
    return request.config.stash.setdefault(CELLS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    cells = config.stash.get(CELLS, [])
    if not cells:
        return
    terminalreporter.section("crash matrix")
    terminalreporter.write_line(f"{'database':10}{'killed at':18}{'kills':>6}{'lost':>6}{'twice':>7}  person told")
    for cell in cells:
        terminalreporter.write_line(
            f"{cell.database:10}{cell.moment:18}{cell.kills:6}{cell.lost:6}{cell.published_twice:7}"
            f"  {'yes' if cell.told else 'NO'}"
        )
    kills, lost, twice = (sum(getattr(cell, name) for cell in cells) for name in ("kills", "lost", "published_twice"))
    untold = sum(not cell.told for cell in cells)
    terminalreporter.write_line(f"{kills} kills: lost {lost}, published twice {twice}, person not told {untold}")
