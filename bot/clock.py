"""The time, aware and in UTC; everybody else takes it as a parameter."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return now."""
    return datetime.now(UTC)
