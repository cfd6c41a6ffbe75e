"""How much memory this process ever held."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mb() -> int:
    """Return its highest resident memory in MB.

    Where the kernel keeps it for this program alone: `ru_maxrss` begins with what the process that started
    this one held, and a test run of hours holds more than any photo needs.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return next(int(line.split()[1]) // 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
