"""A file of ours as a file in Slack, in the thread of the message that announces it."""

from __future__ import annotations

import logging

from slack_sdk.web.async_client import AsyncWebClient

from domain.data_replies import FileReady
from domain.errors import PackshotError
from domain.picture_ports import MediaStorage
from handlers.slack import files

log = logging.getLogger(__name__)


async def share_file(client: AsyncWebClient, media: MediaStorage, reply: FileReady, *, place: tuple[str, str]) -> None:
    """Upload it to (place, thread). What fails is logged: the message stands, and raising would post it again."""
    try:
        content = await media.get(reply.content)
        await files.upload(client, content, name=reply.name, alt=reply.name, place=place)
    except PackshotError as error:
        log.warning("slack_file_not_shared", extra={"error": str(error)})
