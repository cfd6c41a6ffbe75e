"""Bytes to upright sRGB pixels and back, whatever a phone, a scanner or a prankster sends.

What a reader would not guess: nothing here believes a file's name, and every limit is checked on
the header, before a single pixel is decoded. What leaves is encoded from bare pixels, so that no
EXIF, and with it no GPS position, can leave with it.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image, ImageCms

from domain.errors import BadPhoto
from domain.picture import Finding, FindingCode, FindingLevel
from imaging.srgb import BROKEN_PROFILE, eight_bits, to_srgb

PixelsU8 = npt.NDArray[Any]
"""(height, width, 3) uint8, sRGB, red first. OpenCV's stubs name no dtype, hence Any."""
AlphaU8 = npt.NDArray[Any]
"""(height, width) uint8, 255 = product."""
SoftF32 = npt.NDArray[Any]
"""(height, width) float32, 0..1."""

MAX_PHOTO_BYTES = 60_000_000
"""A 60 MP phone JPEG is about 25 MB; Telegram hands out 20 MB at most, Slack 1 GB."""
MIN_SIDE_PX = 48
"""Below this there is nothing to cut out: an icon, a tracking pixel."""
_NEARLY = 0.9
"""See `shrunk`."""
_SOFTENED_BELOW, _SOFTENED_BY = 0.78, 0.38
"""See `scaled`; the second is the Gaussian's radius per √(1 ÷ scale² − 1)."""
JPEG_QUALITY = 97
"""Of the colour error against a true Lanczos most is the JPEG's: fir trees behind a bear 1.13 ΔE2000 at 95, .91 at 97,
for a file a quarter larger (1 MB at 2000²)."""
LEAST_JPEG_QUALITY = 40

# Pillow's own bomb check only warns up to 179 MP and is a process-wide number anyway; `read_header`
# refuses by the same header field, earlier and lower.
Image.MAX_IMAGE_PIXELS = None

Kind = Literal["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF"]
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
)
"""What Pillow's plugins raise on broken files; there is no common root."""
_ANIMATIONS = {"GIF", "WEBP", "PNG", "AVIF"}
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself before it is decoded; the size is as stored, not yet upright."""

    kind: Kind
    width_px: int
    height_px: int
    mode: str
    is_animated: bool
    orientation: int
    icc_profile: bytes | None


@dataclass(frozen=True, slots=True)
class Photo:
    """Decoded: upright sRGB pixels, and the photo's own matte where it really has one."""

    rgb: PixelsU8
    alpha: AlphaU8 | None
    findings: tuple[Finding, ...]


def sniff(photo: bytes) -> Kind:
    """Return what the bytes are by their first bytes. Raises BadPhoto("empty" | "not_a_picture")."""
    if not photo:
        raise BadPhoto("The file is empty: send the photo again.", reason="empty")
    for magic, kind in _MAGIC:
        if photo.startswith(magic):
            return kind
    if photo[:4] == b"RIFF" and photo[8:12] == b"WEBP":
        return "WEBP"
    if photo[4:8] == b"ftyp":
        brand = photo[8:12]
        if brand in _HEIF_BRANDS:
            return "HEIF"
        if brand in {b"avif", b"avis"}:
            return "AVIF"
    raise BadPhoto(
        "That file is no picture I can read: send the photo as JPEG, PNG, HEIC or WebP.", reason="not_a_picture"
    )


def read_header(photo: bytes, *, max_megapixels: float) -> Header:
    """Return the header after checking every limit; decodes no pixel.

    Raises BadPhoto: empty, not_a_picture, too_many_bytes, truncated, too_many_pixels, too_small.
    """
    kind = sniff(photo)
    if len(photo) > MAX_PHOTO_BYTES:
        raise BadPhoto(
            "The file has {megabytes} MB, and {most} MB is the most I take: send it smaller.",
            megabytes=round(len(photo) / 1e6),
            most=round(MAX_PHOTO_BYTES / 1e6),
            reason="too_many_bytes",
        )
    if kind == "WEBP":
        # Opening an animated WebP allocates its canvas, so its size is read by hand first.
        _check_size(*_webp_size(photo), max_megapixels=max_megapixels)
    try:
        header = _heif_header(photo) if kind == "HEIF" else _pillow_header(photo, kind)
    except _UNREADABLE as error:
        raise _broken() from error
    _check_size(header.width_px, header.height_px, max_megapixels=max_megapixels)
    return header


def decode(photo: bytes, *, max_megapixels: float) -> Photo:
    """Return the photo upright in sRGB, 8 bits a channel. Raises BadPhoto as `read_header`, and "truncated"."""
    header = read_header(photo, max_megapixels=max_megapixels)
    if header.kind == "JPEG" and header.mode in {"RGB", "L"}:
        rgb, alpha = _decode_jpeg(photo, header), None
    else:
        rgb, alpha = _decode_any(photo, header)
    findings = []
    if header.is_animated:
        findings.append(Finding(FindingCode.ANIMATED_INPUT, FindingLevel.NOTE))
    space = foreign_colour_space(header)
    if space and (header.mode != "RGB" or to_srgb(rgb, header.icc_profile)):
        findings.append(Finding(FindingCode.COLOUR_SPACE, FindingLevel.NOTE, detail=space))
    return Photo(
        rgb=upright(rgb, header.orientation),
        alpha=None if alpha is None else upright(alpha, header.orientation),
        findings=tuple(findings),
    )


def encode_jpeg(rgb: PixelsU8, *, max_bytes: int, quality: int = JPEG_QUALITY) -> bytes:
    """Return a 4:4:4 JPEG of at most `max_bytes`, the quality lowered until it fits or is at its least."""
    pixels = np.ascontiguousarray(rgb)
    while True:
        content: bytes = simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="RGB", colorsubsampling="444")
        if len(content) <= max_bytes or quality <= LEAST_JPEG_QUALITY:
            return content
        quality = max(LEAST_JPEG_QUALITY, quality - 6)


def encode_png(rgb: PixelsU8, alpha: AlphaU8) -> bytes:
    """Return an RGBA PNG. Level 3 is a third of the time of the default for 5 % more bytes."""
    rgba = np.dstack([rgb[..., ::-1], alpha])
    done, content = cv2.imencode(".png", rgba, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise RuntimeError("OpenCV could not write a PNG")
    return bytes(content)


def decode_own_jpeg(content: bytes) -> PixelsU8:
    """Decode a JPEG that `encode_jpeg` made, to measure what a buyer will see."""
    pixels: PixelsU8 = simplejpeg.decode_jpeg(content, "RGB")
    return pixels


def foreign_colour_space(header: Header) -> str:
    """Return the name of a colour space that is not sRGB, or an empty string."""
    if header.mode == "CMYK":
        return "CMYK"
    if not header.icc_profile or header.mode != "RGB":
        return ""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(header.icc_profile))
        name = (ImageCms.getProfileDescription(profile) or "").strip()
        space = profile.profile.xcolor_space.strip()
    except BROKEN_PROFILE:
        return ""  # a broken profile says nothing; browsers read such a photo as sRGB too
    if space != "RGB" or "srgb" in name.lower():
        return ""
    return name[:40] or "its own colour space"


def upright(pixels: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Undo the EXIF orientation 1..8 (TIFF 6.0, tag 274)."""
    if orientation in {2, 4, 5, 7}:
        pixels = cv2.flip(pixels, 0 if orientation == 4 else 1)
    turn = {
        3: cv2.ROTATE_180,
        5: cv2.ROTATE_90_COUNTERCLOCKWISE,
        6: cv2.ROTATE_90_CLOCKWISE,
        7: cv2.ROTATE_90_CLOCKWISE,
        8: cv2.ROTATE_90_COUNTERCLOCKWISE,
    }.get(orientation)
    return pixels if turn is None else cv2.rotate(pixels, turn)


def shrunk(pixels: PixelsU8, long_side_px: int) -> PixelsU8:
    """Return the picture with at most this long side, averaged; never enlarged.

    It may be a little shorter, where halving gets there: a phone's 4032 px become 1008 for 1024 in a sixth of the time.
    """
    height, width = pixels.shape[:2]
    # Only even sides: half a pixel of padding would shift everything beside the photo's own grid.
    while max(height, width) >= 2 * _NEARLY * long_side_px and height % 2 == width % 2 == 0:
        pixels = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        height, width = pixels.shape[:2]
    scale = long_side_px / max(height, width)
    if scale >= 1:
        return pixels
    return scaled(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def scaled(pixels: PixelsU8, width_px: int, height_px: int) -> PixelsU8:
    """Return the picture at this size: averaged when shrinking, cubic when enlarging.

    OpenCV averages whole factors three times as fast as others (12 MP: 23 ms against 64), and halves five times as
    fast as it takes thirds, so a whole factor goes first, and of it the halves; what is left between 0.6 and 1 loses nothing in a cubic, and is softened a little
    first where the cubic alone would make jagged what is fine: at .62 it has 1.6 times the sharpness of
    a true Lanczos, softened 1.0.
    """
    height, width = pixels.shape[:2]
    if (height, width) == (height_px, width_px):
        return pixels
    if width_px > width or height_px > height:
        return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    factor = min(width // width_px, height // height_px)
    if factor < 2:
        is_near = width_px > 0.6 * width and height_px > 0.6 * height
        if not is_near:
            return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)
        scale = max(width_px / width, height_px / height)
        if scale < _SOFTENED_BELOW:
            pixels = cv2.GaussianBlur(pixels, (3, 3), _SOFTENED_BY * (1 / scale**2 - 1) ** 0.5)
        return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    factor = factor if factor % 2 else 2
    # Padded to whole blocks, and the padding's share cut off again: every pixel stays where it was.
    below, beside = -height % factor, -width % factor
    if below or beside:
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    blocks = cv2.resize(pixels, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    grown_width = max(width_px, round((width + beside) * width_px / width))
    grown_height = max(height_px, round((height + below) * height_px / height))
    return scaled(blocks, grown_width, grown_height)[:height_px, :width_px]


def _check_size(width_px: int, height_px: int, *, max_megapixels: float) -> None:
    megapixels = width_px * height_px / 1e6
    if megapixels > max_megapixels:
        raise BadPhoto(
            "The photo has {megapixels} megapixels, and {most} is the most I take: send it smaller.",
            megapixels=round(megapixels),
            most=round(max_megapixels),
            reason="too_many_pixels",
        )
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise BadPhoto(
            "The photo is only {width_px} × {height_px} px: send the original from the camera.",
            width_px=width_px,
            height_px=height_px,
            reason="too_small",
        )


def _broken() -> BadPhoto:
    return BadPhoto("The file is damaged or was cut short on its way: send the photo again.", reason="truncated")


def _webp_size(photo: bytes) -> tuple[int, int]:
    """Read the canvas of the three kinds of WebP. Source: RFC 9649, sections 2.5–2.7."""
    chunk, body = photo[12:16], photo[20:30]
    if len(body) < 10:
        raise _broken()
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF


def _pillow_header(photo: bytes, kind: Kind) -> Header:
    with Image.open(io.BytesIO(photo), formats=(kind,)) as image:
        return Header(
            kind=kind,
            width_px=image.width,
            height_px=image.height,
            mode=image.mode,
            is_animated=kind in _ANIMATIONS and bool(getattr(image, "is_animated", False)),
            orientation=_orientation(image, kind),
            icc_profile=image.info.get("icc_profile"),
        )


def _orientation(image: Image.Image, kind: Kind) -> int:
    """Return the EXIF orientation 1..8; 1 where there is none or it is nonsense."""
    raw = image.info.get("exif")
    if kind == "TIFF" or not isinstance(raw, bytes):
        return 1  # Pillow turns TIFFs itself as it loads them
    # Not image.getexif(): for a PNG that decodes every pixel, and a bomb would be in memory.
    exif = Image.Exif()
    try:
        exif.load(raw)
    except _UNREADABLE:
        return 1  # broken tags around a picture that may be whole
    value = exif.get(_ORIENTATION_TAG, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _heif_header(photo: bytes) -> Header:
    import pillow_heif

    image = pillow_heif.open_heif(photo)
    # libheif has already turned the picture (irot, imir); its EXIF orientation must not turn it again.
    width_px, height_px = image.size
    return Header("HEIF", width_px, height_px, image.mode, False, 1, image.info.get("icc_profile"))


def _decode_jpeg(photo: bytes, header: Header) -> PixelsU8:
    try:
        rgb: PixelsU8 = simplejpeg.decode_jpeg(photo, "RGB")
    except ValueError:
        # Strict decoding also trips over harmless stray bytes; Pillow tells those from a file cut short.
        rgb, _ = _decode_any(photo, header)
    return rgb


def _decode_any(photo: bytes, header: Header) -> tuple[PixelsU8, AlphaU8 | None]:
    try:
        if header.kind == "HEIF":
            import pillow_heif

            image: Image.Image = pillow_heif.open_heif(photo).to_pillow()
        else:
            image = Image.open(io.BytesIO(photo), formats=(header.kind,))
            image.load()
        return eight_bits(image, header.icc_profile)
    except _UNREADABLE as error:
        raise _broken() from error
