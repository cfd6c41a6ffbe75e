"""One photo with several things becomes an enhancement a thing, each with the product it shows.

The things are numbered from the left, as `thing=` numbers them, and each keeps the recipe of the card it came
from. The card itself, with the things together, stays as it is: somebody decides about it as before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from domain.catalog import Sku
from domain.enhancement import Enhancement, Target
from domain.errors import BadInput, NotPossible, UnknownSku
from domain.intents import Press
from domain.people import Role
from domain.picture import FindingCode
from domain.picture_intents import SplitPhoto
from domain.ports import UnitOfWork
from domain.recipe import Recipe
from domain.replies import Guess, WhichProduct
from domain.rows import Question
from handlers import decide
from handlers.desk import Asked, Desk, id_from
from handlers.enhance import MAX_POSITION, check_reach, choose_targets, start
from handlers.products import Found, find_everywhere, guess_products, nearest_skus
from handlers.words import text

ROLES: dict[type, Role] = {SplitPhoto: Role.EDITOR}
GUESSES = 3
MOST_THINGS = 9
"""As many as `thing=` can name."""
LEFT_OUT = "-"
"""The choice that this thing is no product; no SKU is spelled so."""
LEAVE_OUT = text("Leave this one out")
_FROM, _THING, _OF, _GIVEN = "split", "thing", "of", "given"
"""Names of a question's options: the card, which thing, how many there are, and the SKUs given so far."""


async def split(asked: Asked, intent: SplitPhoto, desk: Desk) -> None:
    """Start an enhancement a thing, or ask for the first one's product. Raises BadInput, NotPossible, UnknownSku."""
    enhancement = await _card(asked, intent, desk)
    count = _count(enhancement)
    if not intent.skus:
        await _ask(asked, desk, enhancement, thing=1, given="")
        return
    if len(intent.skus) != count:
        raise BadInput(
            "I see {number} separate things in this photo and you named {said}: name one SKU for each, from the "
            "left, or send `split` alone and I ask.",
            number=count,
            said=len(intent.skus),
        )
    chosen = [await _chosen(asked, sku, desk) for sku in intent.skus]
    positions = [_position(enhancement, sku, intent.skus[:index]) for index, sku in enumerate(intent.skus)]
    async with desk.work(asked.incoming) as work:
        begun = 0
        for thing, (found, targets) in enumerate(chosen, start=1):
            begun += await _start(work, asked, desk, enhancement, found, targets, thing, positions[thing - 1])
        if not begun:
            raise NotPossible("This photo was split so already: `history` shows its pictures.")


async def split_pressed(asked: Asked, press: Press, desk: Desk) -> None:
    """Ask for the first thing's product. Raises BadInput for a button of another team's, NotPossible."""
    await split(asked, SplitPhoto(enhancement_id=press.token.subject_id), desk)


def is_about_a_thing(question: Question) -> bool:
    """Whether a question asks for the product of one of several things."""
    return _FROM in dict(question.options)


async def go_on(
    work: UnitOfWork, asked: Asked, desk: Desk, question: Question, found: Found, targets: tuple[Target, ...]
) -> None:
    """Start the thing that was asked about, and ask for the next one's product; in the caller's transaction."""
    options = dict(question.options)
    enhancement = await _source(work, asked, options)
    given = tuple(Sku(each) for each in options[_GIVEN].split())
    position = _position(enhancement, found.sku, given)
    await _start(work, asked, desk, enhancement, found, targets, int(options[_THING]), position)
    await _ask_next(work, asked, desk, enhancement, options, said=found.sku.value)


async def leave_out(work: UnitOfWork, asked: Asked, desk: Desk, question: Question) -> None:
    """Go on with the next thing; in the caller's transaction."""
    options = dict(question.options)
    await _ask_next(work, asked, desk, await _source(work, asked, options), options, said="")


def labels(guesses: tuple[Guess, ...]) -> tuple[Guess, ...]:
    """Return the guesses with the way out behind them."""
    return (*guesses, Guess(LEAVE_OUT, LEFT_OUT))


async def _card(asked: Asked, intent: SplitPhoto, desk: Desk) -> Enhancement:
    team_id, place = asked.member.team_id, asked.incoming.place
    async with desk.work.reading() as rows:
        found = (
            await rows.enhancements.get(team_id, intent.enhancement_id)
            if intent.enhancement_id
            else await rows.enhancements.latest_in(place, team_id)
        )
    if found is None:
        raise decide.no_picture(None)
    return found


def _count(enhancement: Enhancement) -> int:
    several = next((each for each in enhancement.revision.findings if each.code is FindingCode.SEVERAL_OBJECTS), None)
    if several is None or several.measured is None or enhancement.photo is None:
        raise NotPossible(
            "I see one thing in the photo of {sku}, so there is nothing to split: if there are more, send a photo "
            "with some room between them.",
            sku=enhancement.sku.value,
        )
    if several.measured > MOST_THINGS:
        raise NotPossible(
            "I see {number} separate things, and I take {most} apart at most: photograph fewer at once.",
            number=round(several.measured),
            most=MOST_THINGS,
        )
    return round(several.measured)


def _position(enhancement: Enhancement, sku: Sku, before: tuple[Sku, ...]) -> int:
    """Return the picture's position: two things of one product are its first and its second picture."""
    position = enhancement.targets[0].position + Counter(each.key for each in before)[sku.key]
    if position > MAX_POSITION:
        raise BadInput("The position is a number from 1 (the main picture) to {most}: `position=2`.", most=MAX_POSITION)
    return position


async def _chosen(asked: Asked, sku: Sku, desk: Desk) -> tuple[Found, tuple[Target, ...]]:
    found = await find_everywhere(desk, asked.member.team_id, sku)
    if not found.targets:
        found.raise_if_a_store_was_silent()
        raise UnknownSku(sku.value, guesses=await nearest_skus(desk, asked.member.team_id, sku.value, limit=3))
    targets = choose_targets(found, ())
    if targets is None:
        raise BadInput("{sku} is sold in several stores: send `split` alone and I ask which.", sku=sku.value)
    await check_reach(desk, targets)
    return found, targets


async def _start(
    work: UnitOfWork,
    asked: Asked,
    desk: Desk,
    enhancement: Enhancement,
    found: Found,
    targets: tuple[Target, ...],
    thing: int,
    position: int,
) -> int:
    recipe: Recipe = replace(enhancement.revision.recipe, thing=thing)
    return await start(
        work,
        asked,
        desk,
        found,
        targets=targets,
        photos=(enhancement.photo,),
        recipe=recipe,
        first_position=position,
        # Of the card and not of this event: the same split said twice makes the same rows.
        source=f"split:{enhancement.enhancement_id}:{enhancement.revision.number}:{thing}",
    )


# ---------------------------------------------------------------- asking, one thing after the other


async def _source(work: UnitOfWork, asked: Asked, options: dict[str, str]) -> Enhancement:
    enhancement = await work.enhancements.get(asked.member.team_id, options[_FROM])
    if enhancement is None or enhancement.photo is None:
        raise BadInput("I do not know that question any more: send the photo again.")
    return enhancement


async def _ask_next(
    work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement, options: dict[str, str], *, said: str
) -> None:
    thing = int(options[_THING]) + 1
    if thing <= int(options[_OF]):
        given = f"{options[_GIVEN]} {said}".strip()
        await _ask_in(work, asked, enhancement, await _guesses(asked, desk), thing, int(options[_OF]), given)


async def _ask(asked: Asked, desk: Desk, enhancement: Enhancement, *, thing: int, given: str) -> None:
    guesses = await _guesses(asked, desk)
    async with desk.work(asked.incoming) as work:
        await _ask_in(work, asked, enhancement, guesses, thing, _count(enhancement), given)


async def _guesses(asked: Asked, desk: Desk) -> tuple[Guess, ...]:
    return labels(await guess_products(desk, asked.member.team_id, "", limit=GUESSES))


async def _ask_in(
    work: UnitOfWork,
    asked: Asked,
    enhancement: Enhancement,
    guesses: tuple[Guess, ...],
    thing: int,
    count: int,
    given: str,
) -> None:
    assert enhancement.photo is not None, "what was counted was seen"
    incoming = asked.incoming
    question = Question(
        question_id=id_from(incoming.team_id, incoming.event_key, "thing", str(thing)),
        team_id=incoming.team_id,
        place=incoming.place,
        asked_of=asked.member.member_id,
        kind="product",
        photos=(enhancement.photo,),
        sku="",
        stores=(),
        options=(
            (_FROM, enhancement.enhancement_id),
            (_THING, str(thing)),
            (_OF, str(count)),
            (_GIVEN, given),
        ),
        choices=tuple(guess.value for guess in guesses),
        event_key=incoming.event_key,
    )
    await work.questions.add(question)
    await work.answer(WhichProduct(question.question_id, guesses, 1, thing=thing, thing_count=count))
