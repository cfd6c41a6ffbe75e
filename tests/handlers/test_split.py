"""One photo with several things becomes a picture a thing, each of its own product."""

from __future__ import annotations

import pytest

from domain.catalog import Sku
from domain.errors import NotPossible
from domain.picture import Finding, FindingCode, FindingLevel
from domain.picture_intents import SplitPhoto
from domain.replies import Card, Guess, PreviewReady, Refused, Reply, WhichProduct, WhichStore
from domain.tokens import Action, Token
from handlers.buttons import buttons
from handlers.console.render import fragment
from handlers.desk import Asked
from handlers.enhance import MAX_POSITION
from handlers.grammar import parse
from handlers.slack import render as slack_render
from handlers.split import split
from handlers.telegram import render as telegram_render
from handlers.words import ENGLISH
from tests.handlers.shop import PHOTO, Shop
from tests.handlers.test_questions import choice

THREE = Finding(FindingCode.SEVERAL_OBJECTS, FindingLevel.WARNING, measured=3.0)


async def together(shop: Shop, *findings: Finding, words: str = "MUG-01 background=#eee") -> Card:
    """A preview of several things, kept together."""
    shop.enhancer.findings = findings
    last = (await shop.send(words, photos=[PHOTO]))[-1]
    assert isinstance(last, PreviewReady)
    shop.enhancer.findings = ()
    return last.card


async def things(shop: Shop) -> dict[tuple[str, int], int | None]:
    """SKU and position → the thing it shows."""
    return {
        (each.sku.value, each.targets[0].position): each.revision.recipe.thing
        for each in await shop.enhancements()
        if each.revision.recipe.thing
    }


def asked(replies: list[Reply]) -> WhichProduct:
    return [each for each in replies if isinstance(each, WhichProduct)][-1]


def test_split_is_a_command_and_a_button_where_there_is_something_to_split() -> None:
    assert parse("split MUG-01, BOWL-2") == SplitPhoto((Sku("MUG-01"), Sku("BOWL-2")))
    card = Card("e" * 22, 1, "MUG-01", "Mug", ("Shelf",), "Edith", findings=(THREE,))
    tokens = {Token.parse(each.token).action for each in buttons(PreviewReady(card))}
    assert Action.SPLIT in tokens
    plain = Card("e" * 22, 1, "MUG-01", "Mug", ("Shelf",), "Edith")
    assert Action.SPLIT not in {Token.parse(each.token).action for each in buttons(PreviewReady(plain))}


async def test_named_products_go_to_the_things_from_the_left(shop: Shop) -> None:
    card = await together(shop, THREE)
    replies = await shop.send("split MUG-01 MUG-02 BOWL-2")
    assert await things(shop) == {("MUG-01", 1): 1, ("MUG-02", 1): 2, ("BOWL-2", 1): 3}
    assert [reply.card.sku for reply in replies if isinstance(reply, PreviewReady)] == ["MUG-01", "MUG-02", "BOWL-2"]
    assert {photo for photo, _ in shop.enhancer.made} == {PHOTO}
    assert {str(recipe.background) for _, recipe in shop.enhancer.made} == {"#eeeeee"}
    whole = next(each for each in await shop.enhancements() if each.enhancement_id == card.enhancement_id)
    assert whole.revision.recipe.thing is None
    assert (whole.state.value, whole.revision.number) == ("awaiting_decision", 1)


async def test_two_things_of_one_product_are_its_first_and_second_picture(shop: Shop) -> None:
    await together(shop, THREE)
    await shop.send("split MUG-01 MUG-01 BOWL-2")
    assert await things(shop) == {("MUG-01", 1): 1, ("MUG-01", 2): 2, ("BOWL-2", 1): 3}


async def test_the_same_split_twice_makes_nothing_twice(shop: Shop) -> None:
    card = await together(shop, THREE)
    await shop.send("split MUG-01 MUG-02 BOWL-2")
    before = await shop.everything()
    again = await shop.press(Action.SPLIT, card, by="edith")
    for answer in ("mug-01", "MUG-02", "BOWL-2"):
        assert asked(again).thing_count == 3
        again = await shop.send(answer)
    assert await shop.everything() == before


async def test_the_same_words_under_the_same_card_are_told_so(shop: Shop) -> None:
    card = await together(shop, THREE)
    await shop.send("split MUG-01 MUG-02 BOWL-2")
    again = SplitPhoto((Sku("MUG-01"), Sku("MUG-02"), Sku("BOWL-2")), card.enhancement_id)
    with pytest.raises(NotPossible, match="split so already"):
        await split(Asked(await shop.take("help"), shop.members["edith"]), again, shop.desk)


async def test_button_asks_for_each_thing_in_turn(shop: Shop) -> None:
    card = await together(shop, THREE)
    first = asked(await shop.press(Action.SPLIT, card, by="edith"))
    assert (first.thing, first.thing_count, first.guesses[-1].label) == (1, 3, "Leave this one out")
    second = asked(await shop.send("MUG-02"))
    assert second.thing == 2
    third = asked(await shop.send(token=choice(second, len(second.guesses) - 1)))
    assert third.thing == 3
    replies = await shop.send("mug-02")
    assert isinstance(replies[-1], PreviewReady)
    assert await things(shop) == {("MUG-02", 1): 1, ("MUG-02", 2): 3}


async def test_answering_a_thing_twice_starts_it_once(shop: Shop) -> None:
    card = await together(shop, THREE)
    first = asked(await shop.press(Action.SPLIT, card, by="edith"))
    await shop.send(token=choice(first, 0))
    count = len(await shop.enhancements())
    assert isinstance((await shop.send(token=choice(first, 0)))[-1], Refused)
    assert len(await shop.enhancements()) == count


async def test_product_in_two_stores_is_asked_for_and_the_next_thing_follows(shop: Shop) -> None:
    card = await together(shop, THREE)
    await shop.press(Action.SPLIT, card, by="edith")
    store = (await shop.send("PLATE-3"))[-1]
    assert isinstance(store, WhichStore)
    second = asked(await shop.send(token=choice(store, 1)))
    assert second.thing == 2
    assert await things(shop) == {("PLATE-3", 1): 1}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("split MUG-01", "I see 3 separate things in this photo and you named 1"),
        ("split MUG-01 MUG-02 NOPE-77", "NOPE-77"),
        ("split MUG-01 MUG-02 PLATE-3", "PLATE-3 is sold in several stores"),
    ],
)
async def test_what_cannot_be_split_so_starts_nothing(shop: Shop, words: str, told: str) -> None:
    await together(shop, THREE)
    before = await shop.everything()
    refused = (await shop.send(words))[-1]
    assert isinstance(refused, Refused)
    assert told in refused.sentence
    assert await shop.everything() == before


async def test_photo_of_one_thing_has_nothing_to_split(shop: Shop) -> None:
    await together(shop)
    refused = (await shop.send("split"))[-1]
    assert isinstance(refused, Refused)
    assert "nothing to split" in refused.sentence


async def test_more_things_than_can_be_named_are_refused(shop: Shop) -> None:
    await together(shop, Finding(FindingCode.SEVERAL_OBJECTS, FindingLevel.WARNING, measured=10.0))
    refused = (await shop.send("split"))[-1]
    assert isinstance(refused, Refused)
    assert "9" in refused.sentence


async def test_no_thing_goes_beyond_the_last_position(shop: Shop) -> None:
    await together(shop, THREE, words=f"MUG-01 position={MAX_POSITION}")
    refused = (await shop.send("split MUG-01 MUG-01 BOWL-2"))[-1]
    assert isinstance(refused, Refused)
    assert str(MAX_POSITION) in refused.sentence
    assert await things(shop) == {}


async def test_viewer_may_not_split(shop: Shop) -> None:
    card = await together(shop, THREE)
    assert isinstance((await shop.press(Action.SPLIT, card, by="vera"))[-1], Refused)
    assert await things(shop) == {}


def test_every_chat_asks_for_one_thing_and_draws_the_button() -> None:
    question = WhichProduct(
        "q" * 22, (Guess("Mug", "MUG-01"), Guess("Leave this one out", "-")), 1, thing=2, thing_count=3
    )
    preview = PreviewReady(Card("e" * 22, 1, "MUG-01", "Mug", ("Shelf",), "Edith", findings=(THREE,)))
    for draw in (fragment, telegram_render.render, lambda reply: slack_render.render(reply, ENGLISH)):
        assert "thing 2 of 3" in str(draw(question))
        assert str(Token(Action.SPLIT, "e" * 22, 1)) in str(draw(preview))
