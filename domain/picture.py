"""What comes out of the imaging room: pictures, and what was found while making them.

The sentences of the findings live here once, so that every chat, the command line and the log
tell a seller the same thing; a number is always measured, never assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from domain.hint import Area


class FindingLevel(StrEnum):
    """ok: measured and right. note: good to know. warning: look before you approve."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"


class FindingCode(StrEnum):
    """What can be found. Names are stable: they stand in rows and in `--json`."""

    WHITE = "white"
    FILL = "fill"
    CENTRE = "centre"
    SIZE = "size"
    FILE_SIZE = "file_size"
    ENGINE = "engine"
    UNSURE = "unsure"
    SEE_THROUGH = "see_through"
    BLEED = "bleed"
    CUT_OFF = "cut_off"
    SEVERAL_OBJECTS = "several_objects"
    WRITING = "writing"
    BLURRED = "blurred"
    DARK = "dark"
    BRIGHT = "bright"
    CLIPPED = "clipped"
    ENLARGED = "enlarged"
    EXPOSURE = "exposure"
    BRIGHTNESS = "brightness"
    WHITE_BALANCE = "white_balance"
    WHITE_SPOT = "white_spot"
    NO_NEUTRAL = "no_neutral"
    SCALE = "scale"
    SCALE_FIRST = "scale_first"
    FRAME_KEPT = "frame_kept"
    SHADOW_DROPPED = "shadow_dropped"
    BACKGROUND_REPLACED = "background_replaced"
    TRANSPARENT_INPUT = "transparent_input"
    ANIMATED_INPUT = "animated_input"
    COLOUR_SPACE = "colour_space"
    PART_LEFT_OUT = "part_left_out"
    PART_KEPT = "part_kept"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict. `measured` and `wanted` share the code's unit (ratio, px, stops); `detail` is a word.

    `area` is where in the upright photo, for what has a place.
    """

    code: FindingCode
    level: FindingLevel
    measured: float | None = None
    wanted: float | None = None
    detail: str = ""
    area: Area | None = None

    @property
    def sentence(self) -> str:
        """One plain sentence; a warning ends in what to do."""
        return self.template.format(**self.values)

    @property
    def template(self) -> str:
        """The sentence before its numbers are in, which is what gets translated."""
        return SENTENCES[self.code, self.level]

    @property
    def values(self) -> dict[str, float | str]:
        """What goes into the template."""
        return {"measured": self.measured or 0.0, "wanted": self.wanted or 0.0, "detail": self.detail}


_OK, _NOTE, _WARNING = FindingLevel.OK, FindingLevel.NOTE, FindingLevel.WARNING
SENTENCES: dict[tuple[FindingCode, FindingLevel], str] = {
    (FindingCode.WHITE, _OK): "The background is pure white all round the frame.",
    (FindingCode.WHITE, _WARNING): "Only {measured:.1%} of the frame is pure white: redo with background=white.",
    (FindingCode.FILL, _OK): "The product fills {measured:.0%} of the frame.",
    (FindingCode.FILL, _WARNING): "The product fills {measured:.0%} of the frame, and the store wants {wanted:.0%}.",
    (FindingCode.CENTRE, _OK): "The product sits in the middle.",
    (FindingCode.CENTRE, _WARNING): "The product sits {measured:.1%} off the middle.",
    (FindingCode.SIZE, _OK): "The picture is {detail} px.",
    (FindingCode.SIZE, _WARNING): "The picture is {detail} px, smaller than the store wants.",
    (FindingCode.FILE_SIZE, _OK): "The file is {measured:.1f} MB.",
    (FindingCode.FILE_SIZE, _WARNING): "The file is {measured:.1f} MB, and the store takes {wanted:.1f} MB at most.",
    (FindingCode.ENGINE, _OK): "Cut out with {detail}.",
    (FindingCode.ENGINE, _NOTE): "Cut out with {detail}.",
    (
        FindingCode.ENGINE,
        _WARNING,
    ): "Cut out with {detail}, a weaker method, since nothing better is here: look at the edge.",
    (FindingCode.UNSURE, _WARNING): (
        "I am not sure what the product is: check the cut-out, or retake the photo on a plainer background."
    ),
    (FindingCode.SEE_THROUGH, _WARNING): (
        "A part of the product came out half see-through: check the cut-out, or retake the photo on a plainer "
        "background."
    ),
    (FindingCode.BLEED, _WARNING): (
        "The background's colours stand inside the product near its edge: check the cut-out, or retake the photo on a "
        "background of another colour."
    ),
    (
        FindingCode.CUT_OFF,
        _WARNING,
    ): "The product is cut off at the {detail} of the photo: retake it with some room around.",
    (
        FindingCode.SEVERAL_OBJECTS,
        _WARNING,
    ): (
        "I see {measured:.0f} separate things and kept them together: if one alone is the product, redo with thing=1 "
        "for the leftmost, thing=2 for the next; `split` makes each a picture of its own."
    ),
    (FindingCode.WRITING, _NOTE): (
        "There is writing beside the product: it is gone from the picture with the background. If it was laid over "
        "the photo, look whether the product is free of it."
    ),
    (FindingCode.WRITING, _WARNING): (
        "Writing or a watermark seems to lie over the product, and shops refuse such pictures: send the photo "
        "without it."
    ),
    (FindingCode.BLURRED, _WARNING): "The product looks blurred: hold the phone still and tap on the product to focus.",
    (FindingCode.DARK, _WARNING): "The photo is very dark: retake it near a window.",
    (FindingCode.BRIGHT, _WARNING): "The photo is very bright: retake it with less light on the product.",
    (FindingCode.CLIPPED, _WARNING): "{measured:.0%} of the product is burnt out to white: retake it with less light.",
    (FindingCode.ENLARGED, _NOTE): "The product was enlarged {measured:.1f} times: a closer photo would be sharper.",
    (
        FindingCode.ENLARGED,
        _WARNING,
    ): "The product was enlarged {measured:.1f} times and looks soft: retake the photo closer.",
    (FindingCode.EXPOSURE, _NOTE): "Brightened by {measured:+.1f} stops; colours were left as photographed.",
    (FindingCode.EXPOSURE, _OK): "The light was right and stayed as it was.",
    (FindingCode.BRIGHTNESS, _NOTE): "The light was changed by {measured:+.1f} stops.",
    (FindingCode.BRIGHTNESS, _OK): "The light was left as photographed, as asked.",
    (FindingCode.WHITE_BALANCE, _OK): "What is white or grey behind the product has no colour cast.",
    (FindingCode.WHITE_BALANCE, _NOTE): (
        "A colour cast was taken out, judged by what is white or grey behind the product."
    ),
    (FindingCode.WHITE_SPOT, _NOTE): "Colours were corrected so that the spot you named is white or grey.",
    (FindingCode.WHITE_SPOT, _WARNING): (
        "The spot you named as white is burnt out, dark or strongly coloured: name another, like white=80x15."
    ),
    (FindingCode.NO_NEUTRAL, _NOTE): (
        "Nothing white or grey behind the product tells the light's colour, so a cast would stay: if you see one, "
        "name a white spot, like white=80x15."
    ),
    (FindingCode.SCALE, _OK): (
        "Drawn at scale={measured:.0f}: the same number gives other photos from this distance the same scale."
    ),
    (FindingCode.SCALE, _NOTE): (
        "Drawn at scale={measured:.0f} like this product's first picture: true to size if both photos were taken "
        "from one distance with the same zoom; scale=auto fills the frame."
    ),
    (FindingCode.SCALE_FIRST, _NOTE): (
        "This picture sets the scale: the product's next ones are drawn at scale={measured:.0f} too."
    ),
    (FindingCode.SCALE, _WARNING): (
        "At scale={wanted:.0f} the product does not fit the picture, so it was drawn at {measured:.0f}."
    ),
    (FindingCode.FRAME_KEPT, _NOTE): "The photo's own frame was kept, so margin, scale and aspect changed nothing.",
    (FindingCode.SHADOW_DROPPED, _NOTE): "This store allows no shadow on its main picture, so there is none.",
    (
        FindingCode.BACKGROUND_REPLACED,
        _NOTE,
    ): "This store takes only pure white behind its main picture, so that is what it got.",
    (FindingCode.TRANSPARENT_INPUT, _NOTE): "The photo was already cut out; I kept its edge.",
    (FindingCode.ANIMATED_INPUT, _NOTE): "The file is an animation; I used its first picture.",
    (FindingCode.PART_LEFT_OUT, _NOTE): (
        "I left out part {measured:.0f}: answer “keep {measured:.0f}” if it belongs to the product."
    ),
    (FindingCode.PART_LEFT_OUT, _WARNING): (
        "I left out part {measured:.0f}, which may well belong to the product: answer “keep {measured:.0f}” if it does."
    ),
    (FindingCode.PART_KEPT, _NOTE): (
        "Part {measured:.0f} stands by itself: answer “remove {measured:.0f}” if it does not belong to the product."
    ),
    (FindingCode.CORRECTED, _OK): "The cut-out follows your corrections.",
    (FindingCode.CORRECTED, _WARNING): (
        "{measured:.0f} of your {wanted:.0f} corrections found nothing to change: draw the box closer around the part."
    ),
    (FindingCode.COLOUR_SPACE, _NOTE): "The photo was in {detail}; I converted it to sRGB, as shops want.",
}
"""Every pair that may be made; a test makes each one."""


def scale_drawn(findings: Sequence[Finding]) -> float | None:
    """Return the scale at which a picture says that its product was drawn; None where its frame was kept."""
    codes = {FindingCode.SCALE, FindingCode.SCALE_FIRST}
    return next((each.measured for each in findings if each.code in codes), None)


def possible_findings() -> frozenset[tuple[FindingCode, FindingLevel]]:
    """Return every (code, level) that has a sentence, for the tests that check both sides."""
    return frozenset(SENTENCES)


ContentType = Literal["image/jpeg", "image/png"]


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture for the rules called `rules_name`."""

    rules_name: str
    content: bytes = field(repr=False)
    content_type: ContentType
    width_px: int
    height_px: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Enhanced:
    """Everything one photo became, from one decode.

    `before` and `after` are JPEGs of equal size in which the product stands at the same spot, for a
    slider; `preview` is one JPEG with both side by side, for chats that show a single picture.
    `confidence` is 0..1, the cut-out's own; `findings` are about the photo, each picture has its own.
    """

    pictures: tuple[Picture, ...]
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    preview: bytes = field(repr=False)
    engine: str
    confidence: float
    findings: tuple[Finding, ...]
