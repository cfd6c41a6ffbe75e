"""“Keep the handle”, “remove 2”: which part of the photo is meant, and the new revision that follows it.

The cut-out's findings number its parts. Where a person's words leave exactly one of them, that one is taken;
else they tap a numbered part or a field of the photo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.enhancement import Enhancement
from domain.errors import BadInput, Fault, NotPossible
from domain.hint import FIELDS, Area, HintKind
from domain.intents import CorrectPart, Press
from domain.picture import FindingCode
from domain.replies import Guess, WhichPart
from domain.rows import Question
from domain.tokens import Action, Token
from handlers import decide
from handlers.desk import Asked, Desk, id_from

_CODES: dict[HintKind, FindingCode] = {"keep": FindingCode.PART_LEFT_OUT, "remove": FindingCode.PART_KEPT}
_ALL = frozenset({"all", "both", "everything", "alle", "beide", "alles"})
_SIDES: dict[str, tuple[int, int]] = {
    word: side
    for side, words in {
        (-1, 0): "left links linke linken linker linkes",
        (1, 0): "right rechts rechte rechten rechter rechtes",
        (0, -1): "top upper above oben obere oberen oberer oberes",
        (0, 1): "bottom lower below unten untere unteren unterer unteres",
    }.items()
    for word in words.split()
}
"""Word → where to look from the photo's middle, in x and y."""
_PLACE = re.compile(r"\d[\d.]*%?(?:[x;]\d[\d.]*%?)+", re.IGNORECASE)
_MOST_CHOSEN = 8


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: int
    area: Area
    kind: HintKind


async def correct(asked: Asked, intent: CorrectPart, desk: Desk) -> None:
    """Make a new revision with the one part the words mean, or ask which. Raises BadInput, NotPossible."""
    enhancement = await _meant_card(asked, intent, desk)
    areas = _places(intent.words) or part_meant(intent.words, _parts(enhancement), intent.kind)
    if not areas:
        await _ask(asked, desk, enhancement, intent.kind)
        return
    await _redo(asked, desk, enhancement.enhancement_id, enhancement.revision.number, intent.kind, areas)


async def ask_part(asked: Asked, press: Press, desk: Desk) -> None:
    """A button: show the numbered photo to tap on. A stale one is answered as every stale press."""
    token = press.token
    async with desk.work.reading() as rows:
        enhancement = await rows.enhancements.get(asked.member.team_id, token.subject_id)
    if enhancement is None or token.number != enhancement.revision.number:
        await decide.press(asked, Press(Token(Action.REDO, token.subject_id, token.number)), desk)
        return
    await _ask(asked, desk, enhancement, "keep" if token.action is Action.KEEP else "remove")


async def answer_part(asked: Asked, press: Press, desk: Desk) -> None:
    """Go on with what was tapped: `options` may name several `fields`, and `wants` other than was asked.

    Raises BadInput for a foreign question or choice.
    """
    async with desk.work.reading() as rows:
        question = await rows.questions.get(asked.member.team_id, press.token.subject_id)
    if question is None or question.kind != "part":
        raise BadInput("I do not know that question any more: answer the preview with “keep …” or “remove …”.")
    about = dict(question.options)
    said = press.options.get("fields", str(press.token.number)).split()[:_MOST_CHOSEN]
    if not all(index.isdecimal() and int(index) < len(question.choices) for index in said):
        raise BadInput("I do not know that answer: press one of the parts or fields.")
    kind: HintKind = "remove" if press.options.get("wants", about["wants"]) == "remove" else "keep"
    areas = [Area.parse(question.choices[int(index)]) for index in said]
    await _redo(asked, desk, about["enhancement"], int(about["revision"]), kind, areas)


def part_meant(words: str, parts: Sequence[_Numbered], kind: HintKind) -> list[Area]:
    """Return the areas that words mean among the numbered parts: exactly one plausible, or those they count.

    `the left strap` leaves what lies left of the photo's middle; a number is taken as it stands. Empty: ask.
    """
    said = re.findall(r"\w+", words.lower())
    if numbers := {int(word) for word in said if word.isdecimal() and len(word) <= 2}:
        return [part.area for part in parts if part.number in numbers]
    plausible = [part for part in parts if part.kind == kind]
    if _ALL.intersection(said):
        return [part.area for part in plausible]
    for side in {_SIDES[word] for word in said if word in _SIDES}:
        plausible = [part for part in plausible if _lies(part.area, side)]
    return [plausible[0].area] if len(plausible) == 1 else []


def _lies(area: Area, side: tuple[int, int]) -> bool:
    x, y = area.centre
    return (x - 0.5) * side[0] > 0 or (y - 0.5) * side[1] > 0


def _places(words: str) -> list[Area]:
    """Return boxes and points that were typed, and fields by their names: `keep A1 B2`."""
    places = [Area.parse(word) for word in _PLACE.findall(words)]
    return places or [FIELDS[word.upper()] for word in words.split() if word.upper() in FIELDS][:_MOST_CHOSEN]


def _parts(enhancement: Enhancement) -> list[_Numbered]:
    found = enhancement.revision.findings
    return [
        _Numbered(int(finding.measured or 0), finding.area, kind)
        for kind, code in _CODES.items()
        for finding in found
        if finding.code is code and finding.area is not None
    ]


async def _meant_card(asked: Asked, intent: CorrectPart, desk: Desk) -> Enhancement:
    async with desk.work.reading() as rows:
        return await decide.meant(rows, asked, intent)


async def _redo(
    asked: Asked, desk: Desk, enhancement_id: str, revision: int, kind: HintKind, areas: Sequence[Area]
) -> None:
    options: dict[str, str] = {kind: "+".join(str(area) for area in areas)}
    await decide.press(asked, Press(Token(Action.REDO, enhancement_id, revision), options=options), desk)


async def _ask(asked: Asked, desk: Desk, enhancement: Enhancement, kind: HintKind) -> None:
    if enhancement.photo is None or not enhancement.revision.pictures:
        raise NotPossible("I am still working on {sku}: wait for its preview, then redo.", sku=enhancement.sku.value)
    parts = _parts(enhancement)
    try:
        photo = await desk.media.get(enhancement.photo)
    except Fault as fault:
        if fault.code != "media_missing":
            raise
        raise NotPossible(
            "The photo of {sku} is no longer kept: send it again, then correct it.", sku=enhancement.sku.value
        ) from fault
    picture = await desk.media.put(await desk.enhancer.numbered(photo, [part.area for part in parts]))
    offered = [part for part in parts if part.kind == kind]
    guesses = (
        *(Guess(str(part.number), str(part.area)) for part in offered),
        *(Guess(name, str(area)) for name, area in FIELDS.items()),
    )
    question_id = id_from(asked.incoming.team_id, asked.incoming.event_key, "part")
    number = enhancement.revision.number
    async with desk.work(asked.incoming) as work:
        await work.questions.add(
            Question(
                question_id=question_id,
                team_id=asked.member.team_id,
                place=asked.incoming.place,
                asked_of=asked.member.member_id,
                kind="part",
                photos=(),
                sku=enhancement.sku.value,
                stores=(),
                options=(("enhancement", enhancement.enhancement_id), ("revision", str(number)), ("wants", kind)),
                choices=tuple(guess.value for guess in guesses),
                event_key=asked.incoming.event_key,
            )
        )
        await work.answer(
            WhichPart(
                question_id,
                enhancement.enhancement_id,
                number,
                enhancement.sku.value,
                enhancement.title,
                kind,
                guesses,
                len(offered),
                picture,
            )
        )
