"""A scripted bot behind the fakes: it answers as the real one would, one step at each `go()`.

The steps are let through one by one so that a test can look at the page in between.
"""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

from PIL import Image, ImageDraw, ImageFilter

from domain.catalog import Sha256
from domain.hint import FIELDS, HintKind
from domain.intents import Incoming
from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import (
    Card,
    Compared,
    Guess,
    HelpLine,
    HelpShown,
    ListingLine,
    Placed,
    PreviewReady,
    ProductList,
    Published,
    Publishing,
    Refused,
    Rejected,
    Restored,
    Restoring,
    Version,
    WhichPart,
    WhichProduct,
    Working,
)
from domain.tokens import Action, Token
from tests.console.fakes import NOW, Office

FINDINGS = (
    Finding(FindingCode.CUT_OFF, FindingLevel.WARNING, detail="left edge"),
    Finding(FindingCode.EXPOSURE, FindingLevel.NOTE, measured=0.4),
    Finding(FindingCode.WHITE, FindingLevel.OK),
    Finding(FindingCode.FILL, FindingLevel.OK, measured=0.86),
    Finding(FindingCode.SIZE, FindingLevel.OK, detail="2000 × 2000"),
)


class ScriptedBot:
    """`card` is the last card it made; the message keys are the enhancement's."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._steps = asyncio.Semaphore(0)
        self.cards: dict[str, Card] = {}
        office.events.answer = self.answer
        office.working = Working("", "received")

    def go(self, steps: int = 1) -> None:
        """Let the bot take its next steps."""
        for _ in range(steps):
            self._steps.release()

    async def answer(self, incoming: Incoming) -> None:
        if incoming.token:
            await self._press(incoming, Token.parse(incoming.token))
        elif incoming.photos or incoming.text.startswith("enhance"):
            await self._enhance(incoming)
        elif incoming.text == "help":
            await self._say(incoming, HELP)
        elif incoming.text.startswith("products"):
            await self._say(incoming, await self._products())
        else:
            await self._say(incoming, WhichProduct("q1", (Guess("Blue mug", "MUG-01"), Guess("Bowl", "BOWL-2")), 1))
        self._office.events.concluded.add(incoming.event_key)

    async def _enhance(self, incoming: Incoming) -> None:
        key = f"answer:{incoming.event_key}"
        number = len(self.cards) + 1
        sku = incoming.text.removeprefix("enhance").strip() or "MUG-01"
        before = incoming.photos[0] if incoming.photos else await self.keep(phone_photo())
        card = Card(
            enhancement_id=f"enhancement-number-{number:03}",
            revision=1,
            sku=sku,
            title="Stoneware mug, ocean blue, 350 ml",
            stores=("Shelf",),
            requested_by=incoming.actor.name,
            background="white",
            shadow="contact",
            engine="builtin",
            before=before,
            after=await self.keep(clean_picture()),
            findings=FINDINGS,
        )
        self.cards[card.enhancement_id] = card
        for stage in ("received", "enhancing"):
            await self._office.events.say(key, Working(sku, stage), cause=incoming.event_key)
            await self._steps.acquire()
        await self._office.events.say(key, PreviewReady(card), cause=incoming.event_key)

    async def _press(self, incoming: Incoming, token: Token) -> None:
        if token.action is Action.CHOOSE_PRODUCT:
            await self._enhance(incoming)
            return
        if token.action is Action.CHOOSE_PART:
            newest = list(self.cards.values())[-1]
            token = Token(Action.REDO, newest.enhancement_id, newest.revision)
        card = self.cards.get(token.subject_id)
        by, cause = incoming.actor.name, incoming.event_key
        if card is None or token.number != card.revision:
            await self._say(incoming, Refused("stale_button", "That card has moved on: use the newest one."))
            return
        key = next(row.message_key for row in self._office.lines.rows if card_id(row.reply) == card.enhancement_id)

        def placed(state: str) -> tuple[Placed, ...]:
            return (Placed("p1", "Shelf", state, "/shelf#stoneware-mug"),)

        say = self._office.events.say
        if token.action is Action.APPROVE:
            await say(key, Publishing(card, by, NOW, placed("publishing")), cause=cause)
            await self._steps.acquire()
            await say(key, Published(card, by, NOW, placed("live")), cause=cause)
        elif token.action is Action.UNDO:
            await say(key, Restoring(card, placed("restoring")), cause=cause)
            await self._steps.acquire()
            await say(key, Restored(card, placed("restored")), cause=cause)
        elif token.action is Action.REJECT:
            await say(key, Rejected(card, by, NOW, incoming.text), cause=cause)
        elif token.action in {Action.KEEP, Action.REMOVE}:
            await self._which_part(incoming, card, token.action.value)
        elif token.action is Action.COMPARE:
            assert card.before is not None
            assert card.after is not None
            versions = (Version(1, card.after), Version(2, card.after, "shadow=soft", 1))
            await self._say(incoming, Compared(card.sku, card.title, card.before, versions, card.after))
        elif token.action is Action.REDO:
            again = replace(card, revision=card.revision + 1, background=incoming.options.get("background", "white"))
            self.cards[card.enhancement_id] = again
            await say(key, PreviewReady(again), cause=cause)

    async def _which_part(self, incoming: Incoming, card: Card, wants: str) -> None:
        guesses = (Guess("1", "62x36x86x68"), *(Guess(name, str(area)) for name, area in FIELDS.items()))
        photo = await self.keep(phone_photo())
        kind: HintKind = "remove" if wants == "remove" else "keep"
        question = WhichPart("q1", card.enhancement_id, card.revision, card.sku, card.title, kind, guesses, 1, photo)
        await self._say(incoming, question)

    async def _products(self) -> ProductList:
        names = [("MUG-01", "Stoneware mug, ocean blue, 350 ml"), ("BOWL-2", "Bowl"), ("VASE-7", "Tall vase")]
        lines = tuple(ListingLine("Shelf", title, "/shelf", "", 3, "€24.00", 12, sku) for sku, title in names)
        return ProductList(lines, "", 1, 3, 27)

    async def _say(
        self, incoming: Incoming, reply: Refused | HelpShown | ProductList | WhichProduct | WhichPart | Compared
    ) -> None:
        await self._office.events.say(f"answer:{incoming.event_key}", reply, cause=incoming.event_key)

    async def keep(self, content: bytes) -> Sha256:
        return await self._office.media.put(content)


def card_id(reply: object) -> str:
    """Return the enhancement a reply is about, empty for none."""
    card = getattr(reply, "card", None)
    return card.enhancement_id if isinstance(card, Card) else ""


HELP = HelpShown(
    (
        HelpLine("enhance SKU… [on STORE…]", "improve the picture a store has now", "enhance MUG-01"),
        HelpLine("product SKU", "one product on every store", "product MUG-01"),
        HelpLine("undo [SKU]", "put back what stood there before", "undo MUG-01"),
    )
)


def phone_photo(size_px: int = 900) -> bytes:
    """Draw what a phone sees: a mug on a wooden table, warm and uneven light."""
    photo = Image.new("RGB", (size_px, size_px), (148, 112, 78))
    draw = ImageDraw.Draw(photo)
    for row in range(0, size_px, 18):
        shade = 140 + (row * 37) % 26
        draw.rectangle((0, row, size_px, row + 16), fill=(shade, shade - 34, shade - 66))
    draw.ellipse((size_px * 0.2, size_px * 0.74, size_px * 0.86, size_px * 0.9), fill=(92, 66, 44))
    _mug(draw, size_px, body=(52, 84, 112), edge=(36, 60, 84), inside=(84, 72, 60))
    light = Image.radial_gradient("L").resize((size_px * 2, size_px * 2)).crop((300, 500, 300 + size_px, 500 + size_px))
    photo = Image.composite(Image.new("RGB", photo.size, (40, 26, 12)), photo, light.point(lambda value: value // 2))
    return _jpeg(photo.filter(ImageFilter.GaussianBlur(1.2)))


def clean_picture(size_px: int = 900) -> bytes:
    """Draw the same mug on white with a contact shadow."""
    picture = Image.new("RGB", (size_px, size_px), "white")
    shadow = ImageDraw.Draw(picture)
    shadow.ellipse((size_px * 0.24, size_px * 0.79, size_px * 0.7, size_px * 0.86), fill=(205, 205, 208))
    picture = picture.filter(ImageFilter.GaussianBlur(10))
    _mug(ImageDraw.Draw(picture), size_px, body=(66, 124, 176), edge=(44, 92, 138), inside=(150, 180, 204))
    return _jpeg(picture)


def _mug(
    draw: ImageDraw.ImageDraw,
    size_px: int,
    *,
    body: tuple[int, int, int],
    edge: tuple[int, int, int],
    inside: tuple[int, int, int],
) -> None:
    unit = size_px / 100
    draw.ellipse((60 * unit, 36 * unit, 86 * unit, 68 * unit), outline=edge, width=round(5 * unit))
    draw.rounded_rectangle((24 * unit, 24 * unit, 70 * unit, 84 * unit), radius=8 * unit, fill=body)
    draw.ellipse((24 * unit, 17 * unit, 70 * unit, 31 * unit), fill=edge)
    draw.ellipse((27 * unit, 19 * unit, 67 * unit, 29.5 * unit), fill=inside)


def _jpeg(picture: Image.Image) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=90)
    return kept.getvalue()
