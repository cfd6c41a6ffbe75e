"""Pictures on their way to Slack and photos on their way from it.

The token goes with a download, so the host is checked first and redirects are followed by hand. A missing
scope is no error there: Slack answers 200 with its login page.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import BadPhoto, Fault, RateLimited, StoreDown, Undeliverable
from domain.intents import Attachment
from handlers.slack.api import NAME, TIMEOUT_S, code_of, is_slacks, retry_after_s, translated
from handlers.words import text

MAX_BYTES = 100 * 1024 * 1024
MAX_REDIRECTS = 3
READY_POLLS = 12
"""Slack looks at an upload for about a second before it may stand in a block; 12 × 0.4 s is patience enough."""

GONE = text("I cannot find that file on Slack: it was deleted, or I am not in its channel. Send it again here.")
FOREIGN = text("That file is only linked from Slack, not kept there: download it and send the file itself.")
NO_SCOPE = text(
    "Slack does not let me read files: ask an admin to add the scope files:read to the app and install it again."
)
_GONE_CODES = {"file_not_found", "file_deleted", "file_not_shared", "access_denied"}


class NotReady(Exception):
    """Slack has not looked at an upload yet, so that no block may show it."""


async def upload(
    client: AsyncWebClient, content: bytes, *, name: str, alt: str, place: tuple[str, str] | None = None
) -> str:
    """Upload a picture in Slack's three steps and return its file id; `place` shares it in (place, thread).

    Without a place nobody sees it until a block shows it. Raises as `translated` does.
    """
    async with translated():
        offered = await client.files_getUploadURLExternal(filename=name, length=len(content), alt_txt=alt[:1000])
        url, file_id = str(offered["upload_url"]), str(offered["file_id"])
        if not is_slacks(url, api_url=client.base_url):
            raise Fault("slack_refused", f"an upload address on {urlsplit(url).hostname}")
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S * 4)) as http,
            http.post(url, data=content, headers={"Content-Type": "application/octet-stream"}) as answer,
        ):
            _check(answer)
        channel, thread = place or (None, None)
        await client.files_completeUploadExternal(
            files=[{"id": file_id, "title": name}], channel_id=channel, thread_ts=thread
        )
    return file_id


async def wait_until_ready(client: AsyncWebClient, file_id: str, *, pause_s: float) -> None:
    """Wait until Slack knows what the file is. Raises NotReady after READY_POLLS."""
    for _ in range(READY_POLLS):
        async with translated():
            seen = await client.files_info(file=file_id)
        if (seen.get("file") or {}).get("mimetype"):
            return
        await asyncio.sleep(pause_s)
    raise NotReady(file_id)


async def fetch(client: AsyncWebClient, attachment: Attachment) -> bytes:
    """Return what somebody sent. Raises BadPhoto, RateLimited, StoreDown."""
    if attachment.size_bytes > MAX_BYTES:
        raise too_large(attachment.size_bytes)
    seen = await _look_up(client, attachment.file_id)
    if seen.get("mode") == "tombstone":
        raise BadPhoto(GONE, reason="gone")
    if seen.get("is_external") or seen.get("mode") == "external":
        raise BadPhoto(FOREIGN, reason="foreign")
    if int(seen.get("size") or 0) > MAX_BYTES:
        raise too_large(int(seen["size"]))
    return await _download(client, str(seen.get("url_private_download") or seen.get("url_private") or ""))


def too_large(size_bytes: int) -> BadPhoto:
    """Return the refusal for a file over our limit."""
    megabytes = round(size_bytes / 1024 / 1024)
    return BadPhoto(
        "That file has {megabytes} MB, and I take 100 MB: send a smaller one.", megabytes=megabytes, reason="too_large"
    )


async def _look_up(client: AsyncWebClient, file_id: str) -> dict[str, Any]:
    try:
        async with translated():
            return dict((await client.files_info(file=file_id)).get("file") or {})
    except (Fault, Undeliverable) as error:
        code = code_of(error)
        if code in _GONE_CODES:
            raise BadPhoto(GONE, reason="gone") from error
        if code == "missing_scope":
            raise BadPhoto(NO_SCOPE, reason="no_scope") from error
        raise


async def _download(client: AsyncWebClient, url: str) -> bytes:
    api_url, headers = client.base_url, {"Authorization": f"Bearer {client.token}"}
    async with (
        translated(),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S * 8)) as http,
    ):
        for _ in range(MAX_REDIRECTS + 1):
            if not is_slacks(url, api_url=api_url):
                raise BadPhoto(FOREIGN, reason="foreign")
            async with http.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308}:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                _check(answer)
                return await _read(answer)
    raise BadPhoto(GONE, reason="gone")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(1 << 16):
        content += chunk
        if len(content) > MAX_BYTES:
            raise too_large(len(content))
    is_page = content[:256].lstrip().lower().startswith((b"<!doctype html", b"<html"))
    if answer.content_type == "text/html" or is_page:
        raise BadPhoto(NO_SCOPE, reason="no_scope")
    return bytes(content)


def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status == 429:
        raise RateLimited(store=NAME, retry_after_s=retry_after_s(answer.headers))
    if answer.status >= 500:
        raise StoreDown(f"Slack has trouble with its files ({answer.status}).", store=NAME)
    if answer.status in {401, 403}:
        raise BadPhoto(NO_SCOPE, reason="no_scope")
    if answer.status >= 400:
        raise BadPhoto(GONE, reason="gone")
