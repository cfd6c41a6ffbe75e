"""The time, aware and in UTC; everybody else takes it as a parameter."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones


def utc_now() -> datetime:
    """Return now."""
    return datetime.now(UTC)


def host_timezone(localtime: Path = Path("/etc/localtime")) -> str:
    """Return this machine's zone as an IANA name: TZ, else what the system's clock points to, else UTC."""
    for name in (os.environ.get("TZ", ""), str(localtime.resolve()).partition("zoneinfo/")[2]):
        if name in available_timezones():
            return name
    return "UTC"
