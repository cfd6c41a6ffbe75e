"""Pictures of every page, on a desktop and a phone: `python -m tests.trust.screenshots FOLDER`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.trust.pages import SIZES, browser, is_for_members, show, site


async def take(folder: Path) -> int:
    """Save them as NAME-SIZE.png, and return how many."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nobody else waits
    count = 0
    with tempfile.TemporaryDirectory() as data:
        async with site(Path(data)) as running, browser() as chromium:
            stranger, member = await chromium.new_context(), await chromium.new_context()
            await (await member.new_page()).goto(f"{running.address}{running.opening}")
            for name in running.pages:
                page = await (member if is_for_members(name) else stranger).new_page()
                for size in SIZES:
                    await show(page, running, name, size=size)
                    await page.screenshot(path=folder / f"{name}-{size}.png", full_page=name != "console")
                    count += 1
                await page.close()
    return count


def main() -> int:
    """Take them into the folder that is named."""
    if len(sys.argv) != 2:
        print("Usage: python -m tests.trust.screenshots FOLDER", file=sys.stderr)
        return 2
    print(f"{asyncio.run(take(Path(sys.argv[1])))} pictures in {sys.argv[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
