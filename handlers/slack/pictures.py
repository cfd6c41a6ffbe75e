"""Pictures that Slack keeps for us, each uploaded once and shown in as many messages and Homes as want it."""

from __future__ import annotations

from collections import OrderedDict

from slack_sdk.web.async_client import AsyncWebClient

from domain.catalog import Sha256
from domain.picture_ports import MediaStorage
from handlers.slack import files

KEPT_UPLOADS = 2000
"""File ids remembered by digest; one that fell out is uploaded once more."""


class Pictures:
    """The uploads of one workspace. `pause_s` is how long to wait between two looks at one."""

    def __init__(self, client: AsyncWebClient, media: MediaStorage, *, pause_s: float = 0.4) -> None:
        self._client = client
        self._media = media
        self._pause_s = pause_s
        self._uploads: OrderedDict[Sha256, str] = OrderedDict()

    def known(self, digest: Sha256) -> str:
        """Return the file id of a picture that is up already, empty for none."""
        file_id = self._uploads.get(digest, "")
        if file_id:
            self._uploads.move_to_end(digest)
        return file_id

    async def file_id(self, digest: Sha256, *, name: str, alt: str) -> str:
        """Return the file id of a picture, which may stand in a block; upload it where it is not up yet.

        Raises files.NotReady, Fault, BadPhoto, and what `translated` does.
        """
        if file_id := self.known(digest):
            return file_id
        content = await self._media.get(digest)
        file_id = await files.upload(self._client, content, name=name, alt=alt)
        await files.wait_until_ready(self._client, file_id, pause_s=self._pause_s)
        self._uploads[digest] = file_id
        while len(self._uploads) > KEPT_UPLOADS:
            self._uploads.popitem(last=False)
        return file_id

    def forget(self) -> None:
        """Forget which pictures are up."""
        self._uploads.clear()


def file_name(sku: str, ending: str) -> str:
    """Return what a picture is called when somebody downloads it."""
    kept = "".join(char if char.isalnum() or char in "-." else "-" for char in sku).strip("-.")
    return f"{kept or 'photo'}-{ending}.jpg"
