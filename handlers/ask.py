"""When one word is missing: which product, which store. The photos wait in a row, not in memory."""

from __future__ import annotations

from domain.catalog import Sku
from domain.errors import BadInput, UnknownSku
from domain.intents import EnhancePhotos, EnhanceSkus, Press
from domain.people import Member
from domain.ports import UnitOfWork
from domain.replies import Guess, WhichProduct, WhichStore
from domain.rows import Question
from domain.tokens import Action
from handlers import enhance, split
from handlers.desk import Asked, Desk, id_from
from handlers.products import Found, find_everywhere, guess_products

GUESSES = 3


async def which_product(asked: Asked, intent: EnhancePhotos, desk: Desk, *, found: Found | None = None) -> None:
    """Ask which product the photos show, with three guesses to press."""
    if found is not None:
        found.raise_if_a_store_was_silent()
    hint = intent.sku.value if intent.sku else intent.caption
    guesses = await guess_products(desk, asked.member.team_id, hint, limit=GUESSES)
    question = _question(asked, "product", intent, sku=hint, choices=tuple(guess.value for guess in guesses))
    async with desk.work(asked.incoming) as work:
        await work.questions.add(question)
        asked_sku = intent.sku.value if intent.sku else ""
        await work.answer(WhichProduct(question.question_id, guesses, len(intent.photos), asked_sku))


async def which_store(
    asked: Asked, intent: EnhancePhotos | EnhanceSkus, found: Found, desk: Desk, *, answers: Question | None = None
) -> None:
    """Ask on which of several listings to publish; the last choice is all of them.

    `answers` is the question that led here. It is closed with this one, or the same photos could be
    started twice. Raises BadInput when somebody else closed it.
    """
    choices = tuple(f"{target.store_id}/{target.listing_id}" for target in found.targets)
    question = _question(asked, "store", intent, sku=found.sku.value, choices=choices)
    labels = found.labels()
    guesses = (
        *(Guess(label, choice) for label, choice in zip(labels, choices, strict=True)),
        Guess("All of them", "all"),
    )
    async with desk.work(asked.incoming) as work:
        if answers is not None:
            await _close(work, answers)
        await work.questions.add(question)
        await work.answer(WhichStore(question.question_id, found.sku.value, guesses))


def _question(
    asked: Asked, kind: str, intent: EnhancePhotos | EnhanceSkus, *, sku: str, choices: tuple[str, ...]
) -> Question:
    incoming = asked.incoming
    return Question(
        question_id=id_from(incoming.team_id, incoming.event_key, "question"),
        team_id=incoming.team_id,
        place=incoming.place,
        asked_of=asked.member.member_id,
        kind=kind,
        photos=intent.photos if isinstance(intent, EnhancePhotos) else (),
        sku=sku,
        stores=intent.stores,
        options=tuple(intent.options.items()),
        choices=choices,
        event_key=incoming.event_key,
    )


async def answer_by_press(asked: Asked, press: Press, desk: Desk) -> None:
    """Go on with the choice whose button was pressed. Raises BadInput for a foreign or answered one."""
    async with desk.work.reading() as rows:
        question = await rows.questions.get(asked.incoming.team_id, press.token.subject_id)
    kind = "product" if press.token.action is Action.CHOOSE_PRODUCT else "store"
    if question is None or question.kind != kind:
        raise BadInput("I do not know that question any more: send the photo again.")
    index = press.token.number
    if kind == "product":
        if index >= len(question.choices):
            raise BadInput("I do not know that answer: type the SKU instead.")
        if question.choices[index] == split.LEFT_OUT:
            async with desk.work(asked.incoming) as work:
                await _close(work, question)
                await split.leave_out(work, asked, desk, question)
            return
        await answer_product(asked, question, Sku(question.choices[index]), desk)
    else:
        await _answer_store(asked, question, index, desk)


async def answer_product(asked: Asked, question: Question, sku: Sku, desk: Desk) -> None:
    """Go on with the product that was pressed or typed. Raises UnknownSku and leaves the question open."""
    found = await find_everywhere(desk, asked.member.team_id, sku)
    if not found.targets:
        found.raise_if_a_store_was_silent()
        guesses = await guess_products(desk, asked.member.team_id, sku.value, limit=GUESSES)
        raise UnknownSku(sku.value, guesses=tuple(guess.value for guess in guesses))
    targets = enhance.choose_targets(found, question.stores)
    if targets is None:
        intent = EnhancePhotos(question.photos, sku, question.stores, dict(question.options))
        await which_store(asked, intent, found, desk, answers=question)
        return
    await _go_on(asked, question, found, [f"{item.store_id}/{item.listing_id}" for item in targets], desk)


async def _answer_store(asked: Asked, question: Question, index: int, desk: Desk) -> None:
    if index > len(question.choices):
        raise BadInput("I do not know that answer: press one of the stores.")
    found = await find_everywhere(desk, asked.member.team_id, Sku(question.sku))
    wanted = question.choices if index == len(question.choices) else question.choices[index : index + 1]
    await _go_on(asked, question, found, list(wanted), desk)


async def _go_on(asked: Asked, question: Question, found: Found, wanted: list[str], desk: Desk) -> None:
    targets = tuple(item for item in found.targets if f"{item.store_id}/{item.listing_id}" in wanted)
    if not targets:
        raise BadInput("{sku} is no longer in that store: send the photo again.", sku=found.sku.value)
    await enhance.check_reach(desk, targets)
    if split.is_about_a_thing(question):
        async with desk.work(asked.incoming) as work:
            await _close(work, question)
            await split.go_on(work, asked, desk, question, found, targets)
        return
    recipe, position = enhance.read_options(dict(question.options))
    async with desk.work(asked.incoming) as work:
        await _close(work, question)
        await enhance.start(
            work,
            asked,
            desk,
            found,
            targets=targets,
            photos=question.photos or (None,),
            recipe=recipe,
            first_position=position,
        )


async def _close(work: UnitOfWork, question: Question) -> None:
    if not await work.questions.answer(question.question_id):
        raise BadInput("That question was answered already: send the photo again to start anew.")


async def open_question(asked: Asked, desk: Desk) -> Question | None:
    """Return the question that a bare word from this member may be the answer to."""
    member: Member = asked.member
    async with desk.work.reading() as rows:
        return await rows.questions.latest_open(asked.incoming.place, member.member_id)
