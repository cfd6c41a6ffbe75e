"""A form off the wire, counted while it is read: nothing is buffered that is over the limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from handlers.console.guard import Refusal

MAX_PHOTOS = 20
"""In one message; Telegram's albums end at 10, a seller's camera roll does not."""
MAX_TEXT_CHARS = 4_000
_MAX_FIELDS = 40
_MAX_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form said."""

    text: str
    photos: tuple[bytes, ...]
    token: str
    options: dict[str, str]


async def read_sent(request: Request, *, max_bytes: int) -> Sent:
    """Read a multipart or urlencoded form. Raises Refusal: 413 too large, 400 unreadable, 507 no room to hold it.

    A declared length over the limit is refused before a byte is read, an undeclared one while reading.
    """
    form = await _parse(request, max_bytes=max_bytes)
    try:
        photos = [item for item in form.getlist("photo") if isinstance(item, UploadFile) and item.filename]
        if len(photos) > MAX_PHOTOS:
            raise Refusal(
                413, f"That is {len(photos)} photos, and {MAX_PHOTOS} is the most in one go: send the rest next."
            )
        text = _text(form, "text")
        if len(text) > MAX_TEXT_CHARS:
            raise Refusal(413, f"That text is longer than {MAX_TEXT_CHARS} characters: make it shorter.")
        options = dict(_pair(word) for word in form.getlist("set"))
        return Sent(text, tuple([await photo.read() for photo in photos]), _text(form, "token"), options)
    finally:
        await form.close()


async def read_fields(request: Request, *, max_bytes: int) -> dict[str, str]:
    """Read a form of plain fields. Raises Refusal as `read_sent` does."""
    form = await _parse(request, max_bytes=max_bytes)
    try:
        return {name: value for name, value in form.items() if isinstance(value, str)}
    finally:
        await form.close()


async def _parse(request: Request, *, max_bytes: int) -> FormData:
    too_large = Refusal(
        413, f"That is more than {max_bytes / 1_000_000:.0f} MB in one go: send fewer or smaller photos."
    )
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared) > max_bytes:
        raise too_large

    async def counted() -> AsyncGenerator[bytes, None]:
        read = 0
        async for chunk in request.stream():
            read += len(chunk)
            if read > max_bytes:
                raise too_large
            yield chunk

    try:
        if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return await FormParser(request.headers, counted(), max_fields=_MAX_FIELDS).parse()
        return await MultiPartParser(
            request.headers,
            counted(),
            max_files=MAX_PHOTOS + 1,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_FIELD_BYTES,
        ).parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, "That message arrived broken: send it again, with at most 20 photos.") from error
    except OSError as error:  # a large photo is spooled to the temporary folder
        raise Refusal(
            507,
            "My temporary folder is full or closed to me, so nothing was taken: free some room there, then send it again.",
        ) from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    # Browsers send line ends of a form as CRLF.
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def _pair(word: UploadFile | str) -> tuple[str, str]:
    name, equals, value = word.partition("=") if isinstance(word, str) else ("", "", "")
    if not equals or not name.strip():
        raise Refusal(400, "An option is written name=value, for example background=white.")
    return name.strip(), value.strip()
