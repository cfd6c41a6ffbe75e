"""Every table there is: for whoever must miss none (rotation, export, forgetting).

The files of tables are found by their names, so that a new one cannot be left out of what is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from sqlalchemy import Table

from storage.tables import Row


def every_table() -> Sequence[Table]:
    """Return the tables, each after those it refers to."""
    for path in sorted(Path(__file__).parent.glob("*_tables.py")):
        import_module(f"storage.{path.stem}")
    return Row.metadata.sorted_tables
