"""A photo's bytes without what a camera or a program wrote beside the picture: where, when, with what, by whom.

Bytes in, bytes out, nothing decoded: the picture is the same to the last pixel, and so are its colour profile and
which way up it stands. JPEG, PNG and WebP lose the pieces; HEIC and AVIF, whose pieces are found by their place in
the file, have them overwritten. Anything else is returned as it is: no other format is taken for a photo.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from typing import Final
from zlib import crc32

_JPEG_KEPT: Final = frozenset({0xE0, 0xE2, 0xEE})
"""JFIF, the colour profile (and others of APP2 that name a profile), Adobe's colour transform."""
_PNG_KEPT: Final = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"cHRM",
        b"gAMA",
        b"iCCP",
        b"sRGB",
        b"sBIT",
        b"bKGD",
        b"pHYs",
        b"cICP",
    }
)
_ORIENTATION: Final = 0x0112
_NO_EXIF: Final = b"\x00\x00\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x00"
"""An Exif item with nothing in it: readers stumble over one that is all zeros."""
_BOXES: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})


def without_metadata(content: bytes) -> bytes:
    """Return the photo without its metadata; bytes that are no photo, or are broken before the picture, as they are."""
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[4:8] == b"ftyp" and content[8:12] in _BOXES:
        return _boxes(content)
    return content


# ---------------------------------------------------------------- JPEG


def _jpeg(content: bytes) -> bytes:
    kept, at, orientation = [b"\xff\xd8"], 2, 1
    while True:
        while content[at : at + 2] == b"\xff\xff":  # padding
            at += 1
        if at + 4 > len(content) or content[at] != 0xFF:
            return content
        marker = content[at + 1]
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            break
        if length < 2 or at + 2 + length > len(content):
            return content
        segment = content[at : at + 2 + length]
        if marker == 0xE1 and segment[4:10] == b"Exif\x00\x00":
            orientation = _orientation(segment[10:]) or orientation
        is_profile = marker != 0xE2 or segment[4:16] == b"ICC_PROFILE\x00"
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or (marker in _JPEG_KEPT and is_profile):
            kept.append(segment)
        at += 2 + length
    if orientation != 1:
        # After JFIF's own segment, which must come first where there is one.
        kept.insert(2 if len(kept) > 1 and kept[1][1] == 0xE0 else 1, _upright_tag(orientation))
    return b"".join([*kept, _scan(content[at:])])


def _scan(rest: bytes) -> bytes:
    """Return the picture itself: nothing written between its scans, nor hung behind its end (a film, a second picture)."""
    kept: list[bytes] = []
    done = at = 0
    while (at := rest.find(b"\xff", at)) >= 0 and at + 1 < len(rest):
        marker = rest[at + 1]
        if marker == 0xD9:
            return b"".join([*kept, rest[done : at + 2]])
        if marker == 0 or 0xD0 <= marker <= 0xD7:
            at += 2
        elif marker == 0xFF:
            at += 1
        else:
            end = at + 2 + int.from_bytes(rest[at + 2 : at + 4], "big")
            if 0xE0 <= marker <= 0xEF or marker == 0xFE:
                kept.append(rest[done:at])
                done = end
            at = max(end, at + 2)
    return b"".join([*kept, rest[done:]])


def _upright_tag(orientation: int) -> bytes:
    """Return an Exif segment that says which way up the picture stands, and nothing else."""
    tiff = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


def _orientation(tiff: bytes) -> int:
    """Return Exif's orientation, 2 to 8; 0 for none, and for a block that cannot be read."""
    order: str = {b"II": "<", b"MM": ">"}.get(tiff[:2], "")
    if not order or len(tiff) < 8:
        return 0
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    if first + 2 > len(tiff):
        return 0
    (count,) = struct.unpack_from(f"{order}H", tiff, first)
    for entry in range(first + 2, min(first + 2 + 12 * count, len(tiff) - 11), 12):
        tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
        if tag == _ORIENTATION:
            return value if 2 <= value <= 8 else 0
    return 0


# ---------------------------------------------------------------- PNG and WebP


def _png(content: bytes) -> bytes:
    kept, at, orientation = [content[:8]], 8, 0
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            return content
        if kind in _PNG_KEPT:
            kept.append(content[at:end])
        elif kind == b"eXIf":
            orientation = _orientation(content[at + 8 : end - 4])
        at = end
        if kind == b"IEND":
            break
    if orientation:
        kept.insert(2, _png_chunk(b"eXIf", _upright_tag(orientation)[10:]))
    return b"".join(kept)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + crc32(kind + body).to_bytes(4, "big")


def _webp(content: bytes) -> bytes:
    kept, at, orientation = [], 12, 0
    while at + 8 <= len(content):
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if at + 8 + length > len(content):
            return content
        chunk = content[at:end]
        if kind == b"EXIF":
            orientation = _orientation(chunk[8:].removeprefix(b"Exif\x00\x00"))
        elif kind == b"VP8X" and len(chunk) >= 18:
            kept.append(chunk[:8] + bytes([chunk[8] & ~0x0C]) + chunk[9:])  # it has neither Exif nor XMP any more
        elif kind in {b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"}:
            kept.append(chunk)
        at = end
    if orientation and kept and kept[0][:4] == b"VP8X":
        kept[0] = kept[0][:8] + bytes([kept[0][8] | 0x08]) + kept[0][9:]
        body = _upright_tag(orientation)[10:]
        kept.append(b"EXIF" + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2))
    whole = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


# ---------------------------------------------------------------- HEIC and AVIF


def _boxes(content: bytes) -> bytes:
    """Overwrite the Exif and XMP items: which way up the picture stands is a property of its own there."""
    meta = next((body for kind, body in _walk(content, 0, len(content)) if kind == b"meta"), None)
    if meta is None:
        return content
    start, end = meta
    inside = dict(_walk(content, start + 4, end))
    if b"iinf" not in inside or b"iloc" not in inside:
        return content
    hidden = _hidden_items(content, *inside[b"iinf"])
    cleaned = bytearray(content)
    data = inside.get(b"idat", (0, 0))[0]
    for item, first, size in _extents(content, *inside[b"iloc"], wanted=hidden, data=data):
        there = min(size, max(0, len(content) - first))
        is_exif = hidden[item] == b"Exif" and there >= len(_NO_EXIF)
        cleaned[first : first + there] = (_NO_EXIF if is_exif else b"").ljust(there, b"\x00" if is_exif else b" ")
    return bytes(cleaned)


def _walk(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield the boxes between two places: kind, and where the body begins and ends."""
    while at + 8 <= end:
        size, head = int.from_bytes(content[at : at + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        size = size or end - at
        if size < head or at + size > end:
            return
        yield content[at + 4 : at + 8], (at + head, at + size)
        at += size


def _hidden_items(content: bytes, start: int, end: int) -> dict[int, bytes]:
    """Return the items that are Exif, XMP or another text beside the picture: id and kind."""
    at = start + 4 + (2 if content[start] == 0 else 4)
    found = {}
    for kind, (first, _last) in _walk(content, at, end):
        version = content[first]
        if kind != b"infe" or version < 2:
            continue
        width = 2 if version == 2 else 4
        item = int.from_bytes(content[first + 4 : first + 4 + width], "big")
        if (what := content[first + 6 + width : first + 10 + width]) in {b"Exif", b"mime", b"uri "}:
            found[item] = what
    return found


def _extents(
    content: bytes, start: int, end: int, *, wanted: Container[int], data: int
) -> Iterator[tuple[int, int, int]]:
    """Yield where in the file the wanted items lie: id, first byte and size. `data` is where the meta box's own data begins."""
    version = content[start]
    sizes = content[start + 4], content[start + 5]
    offset_size, length_size = sizes[0] >> 4, sizes[0] & 15
    base_size, index_size = sizes[1] >> 4, (sizes[1] & 15) if version in {1, 2} else 0
    wide = 4 if version == 2 else 2
    at = start + 6

    def number(size: int) -> int:
        nonlocal at
        value = int.from_bytes(content[at : at + size], "big")
        at += size
        return value

    for _ in range(number(wide)):
        item = number(wide)
        is_inside = version in {1, 2} and number(2) & 15 == 1
        number(2)
        base = number(base_size)
        for _extent in range(number(2)):
            number(index_size)
            first, size = base + number(offset_size), number(length_size)
            if item in wanted:
                yield item, (first + data if is_inside else first), size
        if at > end:
            return
