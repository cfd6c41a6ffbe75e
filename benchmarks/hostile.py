"""Attacks the real web application with generated requests, and prints what got through: nothing, or exit status 1.

The application runs on a real database, with Slack and Telegram beside it, a member signed in, a photo kept and stores
connected. Requests are drawn over its own route list, so that a new route is attacked without being told; what was
signed, used or has ended is tried again. Accepted means that a row changed, a job was enqueued, a cookie was granted,
a secret or a photo was handed out, a browser was sent elsewhere, or a closed route answered 2xx.
"""

from __future__ import annotations

import asyncio
import collections
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.trust.hostile.asks import generated, ways_of
from tests.trust.hostile.drive import Tally, assault
from tests.trust.hostile.house import house

PER_KIND = 250
SEED = 20_261_124


async def attack(*, per_kind: int = PER_KIND, number: int = SEED) -> tuple[Tally, int]:
    """Return the tally, and how many routes there are."""
    with tempfile.TemporaryDirectory() as folder:
        async with house(Path(folder)) as attacked:
            asks = generated(attacked, per_kind=per_kind, number=number)
            return await assault(attacked.app, asks, attacked.judge), len(ways_of(attacked.app))


def report(tally: Tally, routes: int, *, seconds: float) -> str:
    """Return the figures as text."""
    lines = [f"{count:6}  {kind}" for kind, count in tally.sent.items()]
    lines.append(f"{tally.total:6}  requests over {routes} routes in {seconds:.0f} s")
    lines.append(json.dumps({str(status): count for status, count in sorted(tally.statuses.items())}))
    losses = collections.Counter(loss for loss, _, _ in tally.accepted)
    lines.append(f"5xx {len(tally.broken)}, accepted {len(tally.accepted)} {dict(losses) or ''}".rstrip())
    lines += [
        f"  accepted ({loss}, {status}): {ask.kind} {ask.method} {ask.path[:120]}"
        for loss, ask, status in tally.accepted[:20]
    ]
    lines += [
        f"  {answer.status}: {ask.kind} {ask.method} {ask.path[:120]} {answer.body[:200]!r}"
        for ask, answer in tally.broken[:20]
    ]
    lines += [
        f"  more than a sentence: {ask.method} {ask.path[:80]} {answer.body[:200]!r}"
        for ask, answer in tally.wordy[:20]
    ]
    return "\n".join(lines)


def main() -> int:
    """Run it; 1 where anything got through."""
    logging.disable(logging.CRITICAL)
    begun = time.monotonic()
    tally, routes = asyncio.run(attack())
    print(report(tally, routes, seconds=time.monotonic() - begun))
    return 1 if tally.broken or tally.accepted or tally.wordy else 0


if __name__ == "__main__":
    sys.exit(main())
