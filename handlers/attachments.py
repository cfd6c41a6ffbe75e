"""The photos that came with an event: fetched from their chat by a worker, once it is known who asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from domain.catalog import Sha256
from domain.errors import NotPossible
from domain.intents import Incoming
from domain.stripped import without_metadata
from handlers.desk import Desk

MAX_ATTACHMENTS = 20
"""What the console takes in one message too; Telegram's albums end at 10."""


async def fetched(incoming: Incoming, desk: Desk) -> Incoming:
    """Return the event with its files as photos in our own storage, in the order they were sent.

    Repeating it after a crash keeps the same bytes under the same names. Raises BadPhoto for a file
    that is gone or too large, NotPossible for too many, RateLimited, StoreDown.
    """
    if len(incoming.attachments) > MAX_ATTACHMENTS:
        raise NotPossible(
            "That is {number} files, and {most} is the most in one go: send the rest next.",
            number=len(incoming.attachments),
            most=MAX_ATTACHMENTS,
        )
    files = desk.files[incoming.place.chat]
    # One after the other: a phone album of ten is 50 MB, and a small host has little memory.
    names: list[Sha256] = []
    for attachment in incoming.attachments:
        content = await files.fetch(attachment)
        stripped = await asyncio.to_thread(without_metadata, content)
        names.append(await desk.media.put(stripped))
    return replace(incoming, photos=(*incoming.photos, *names), attachments=())


def are_tables(incoming: Incoming) -> bool:
    """Whether all that came along are tables, by what their chat says of them, so that nobody has to write `import`."""
    files = incoming.attachments
    return bool(files) and all(
        file.name.lower().endswith(".csv") or file.content_type in {"text/csv", "text/comma-separated-values"}
        for file in files
    )
