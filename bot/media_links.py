"""Signed addresses under PUBLIC_URL by which a store may fetch one stored picture for a while: `/media/{signed}`.

An address names one picture, ends by itself and cannot be guessed; it opens nothing else. What is signed is the
picture's digest and the end, under a key of its own made from SECRET_KEY; after a rotation the old key still opens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.catalog import Sha256
from domain.errors import Fault
from domain.ports import Clock
from storage.media import ObstoreMedia

LIFETIME: Final = timedelta(days=7)
"""A store fetches within hours, and fetches again when it processes a listing anew; S3 signs no longer than this."""
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "private, max-age=3600",
}


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """The port `PictureLinks` where `public_url` is how the world reaches us, or the photos lie in a public bucket."""

    media: ObstoreMedia
    keys: Sequence[bytes] = field(repr=False)
    public_url: str
    clock: Clock

    async def link(self, name: Sha256) -> str:
        """Return an address that is good for a week: the bucket's own where the photos lie in one."""
        if presigned := await self.media.presigned(name, LIFETIME):
            return presigned
        ends = int((self.clock() + LIFETIME).timestamp())
        signed = f"{_text(bytes.fromhex(name))}.{ends:x}.{_text(_signature(self.keys[0], name, ends))}"
        return f"{self.public_url}/media/{signed}.jpg"

    def routes(self) -> list[Route]:
        """Return the way in; GET answers HEAD too."""
        return [Route("/media/{signed}", self.serve)]

    async def serve(self, request: Request) -> Response:
        """The picture, 410 once the address has ended or the picture is forgotten, 404 for any other address."""
        name, ends = self._read(request.path_params["signed"])
        if name is None:
            return PlainTextResponse("not found\n", status_code=404, headers=_HEADERS)
        if ends < self.clock().timestamp():
            return PlainTextResponse("this address has ended\n", status_code=410, headers=_HEADERS)
        try:
            content_type = await self.media.content_type(name)
            content = await self.media.get(name)
        except Fault as fault:
            if fault.code != "media_missing":
                raise
            return PlainTextResponse("this picture is gone\n", status_code=410, headers=_HEADERS)
        return Response(content, media_type=content_type, headers={**_HEADERS, "ETag": f'"{name}"'})

    def _read(self, signed: str) -> tuple[Sha256 | None, int]:
        """Return the picture an address names and when it ends; None for one that we did not sign."""
        parts = signed.removesuffix(".jpg").split(".")
        try:
            digest, ends_hex, signature = parts
            name, ends, given = Sha256(_bytes(digest).hex()), int(ends_hex, 16), _bytes(signature)
        except (ValueError, binascii.Error):
            return None, 0
        is_ours = [hmac.compare_digest(_signature(key, name, ends), given) for key in self.keys]
        # One spelling a picture: a second one would be another address for the same signature.
        is_spelled_so = parts == [_text(bytes.fromhex(name)), f"{ends:x}", _text(given)]
        return (name, ends) if any(is_ours) and is_spelled_so else (None, 0)


def link_keys(secret_keys: Sequence[str]) -> tuple[bytes, ...]:
    """Return the signing keys of SECRET_KEY's, the newest first: none of them opens anything but pictures."""
    return tuple(hmac.digest(key.strip().encode(), b"packshot media links v1", hashlib.sha256) for key in secret_keys)


def _signature(key: bytes, name: Sha256, ends: int) -> bytes:
    return hmac.digest(key, f"{name} {ends}".encode(), hashlib.sha256)[:16]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
