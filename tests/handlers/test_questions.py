"""When one word is missing: which product, which store. The photos wait, and a question is answered once."""

from __future__ import annotations

from domain.replies import PreviewReady, ProductShown, Refused, Reply, WhichProduct, WhichStore
from domain.tokens import Action, Token
from tests.handlers.shop import OTHER_ADMIN, PHOTO, Shop


def choice(question: WhichProduct | WhichStore, index: int) -> str:
    action = Action.CHOOSE_PRODUCT if isinstance(question, WhichProduct) else Action.CHOOSE_STORE
    return str(Token(action, question.question_id, index))


def which_product(replies: list[Reply]) -> WhichProduct:
    last = replies[-1]
    assert isinstance(last, WhichProduct)
    return last


def which_store(replies: list[Reply]) -> WhichStore:
    last = replies[-1]
    assert isinstance(last, WhichStore)
    return last


async def test_an_unknown_sku_with_a_photo_asks_once_and_goes_on_with_the_answer(shop: Shop) -> None:
    question = which_product(await shop.send("MUG-1 background=#eee", photos=[PHOTO]))
    assert (question.asked_sku, question.photo_count) == ("MUG-1", 1)
    assert 1 <= len(question.guesses) <= 3
    assert question.guesses[0].value in {"MUG-01", "MUG-02"}
    assert await shop.enhancements() == []

    preview = (await shop.send(token=choice(question, 0)))[-1]
    assert isinstance(preview, PreviewReady)
    assert (preview.card.sku, preview.card.background) == (question.guesses[0].value, "#eeeeee")
    assert shop.enhancer.made[0][0] == PHOTO

    refused = (await shop.send(token=choice(question, 1)))[-1]
    assert isinstance(refused, Refused)
    assert "answered already" in refused.sentence
    assert len(await shop.enhancements()) == 1


async def test_a_caption_without_a_sku_guesses_from_its_words(shop: Shop) -> None:
    question = which_product(await shop.send("the new oak bowl", photos=[PHOTO, b"another"]))
    assert question.photo_count == 2
    assert question.guesses[0].value == "BOWL-2"
    preview = (await shop.send(token=choice(question, 0)))[-1]
    assert isinstance(preview, PreviewReady)
    assert [item.targets[0].position for item in await shop.enhancements()] == [1, 2]


async def test_a_photo_alone_asks_with_three_guesses(shop: Shop) -> None:
    question = which_product(await shop.send(photos=[PHOTO]))
    assert len(question.guesses) == 3
    assert question.asked_sku == ""


async def test_a_typed_sku_answers_the_open_question(shop: Shop) -> None:
    which_product(await shop.send(photos=[PHOTO]))
    preview = (await shop.send("bowl-2"))[-1]
    assert isinstance(preview, PreviewReady)
    assert preview.card.sku == "BOWL-2"
    assert shop.enhancer.made[0][0] == PHOTO
    shown = (await shop.send("bowl-2"))[-1]
    assert isinstance(shown, ProductShown), "the question is answered, so the same word shows the product"


async def test_a_wrong_sku_leaves_the_question_open(shop: Shop) -> None:
    which_product(await shop.send(photos=[PHOTO]))
    refused = (await shop.send("BOWL-22"))[-1]
    assert isinstance(refused, Refused)
    assert (refused.code, "Did you mean BOWL-2" in refused.sentence) == ("unknown_sku", True)
    assert isinstance((await shop.send("BOWL-2"))[-1], PreviewReady)


async def test_only_who_was_asked_answers_by_typing(shop: Shop) -> None:
    which_product(await shop.send(photos=[PHOTO]))
    shown = (await shop.send("BOWL-2", by="egon"))[-1]
    assert isinstance(shown, ProductShown)
    assert await shop.enhancements() == []


async def test_a_sku_of_several_stores_asks_which_and_the_last_choice_is_all(shop: Shop) -> None:
    question = which_store(await shop.send("PLATE-3", photos=[PHOTO]))
    assert [guess.label for guess in question.guesses] == ["Shelf", "Outlet", "All of them"]
    preview = (await shop.send(token=choice(question, 2)))[-1]
    assert isinstance(preview, PreviewReady)
    assert preview.card.stores == ("Shelf", "Outlet")
    await shop.press(Action.APPROVE, preview.card)
    assert (await shop.shown("PLATE-3"))[0].startswith(b"shelf picture")
    assert (await shop.shown("PLATE-3", at=shop.outlet))[0].startswith(b"shelf picture")
    await shop.press(Action.UNDO, preview.card)
    assert await shop.shown("PLATE-3") == [b"shelf PLATE-3 1", b"shelf PLATE-3 2"]
    assert await shop.shown("PLATE-3", at=shop.outlet) == [b"outlet PLATE-3 1"]


async def test_one_store_of_several_by_press(shop: Shop) -> None:
    question = which_store(await shop.send("enhance PLATE-3"))
    preview = (await shop.send(token=choice(question, 1)))[-1]
    assert isinstance(preview, PreviewReady)
    assert preview.card.stores == ("Outlet",)
    assert preview.card.title == "Dinner plate, seconds", "and so is its name"
    assert shop.enhancer.made[0][0] == b"outlet PLATE-3 1", "the picture is taken from the store that was chosen"


async def test_the_store_can_be_named_at_once(shop: Shop) -> None:
    for words, stores in (("outlet", ("Outlet",)), ("SHELF", ("Shelf",)), ("all", ("Shelf", "Outlet"))):
        preview = (await shop.send(f"PLATE-3 on {words}", photos=[PHOTO]))[-1]
        assert isinstance(preview, PreviewReady)
        # "shelf" is the platform of both stores too: a store's own name goes first.
        assert preview.card.stores == stores


async def test_an_unknown_store_is_refused_with_the_names_there_are(shop: Shop) -> None:
    for words, photos in (("MUG-01 on ebay", [PHOTO]), ("enhance MUG-01 on outlet", [])):
        refused = (await shop.send(words, photos=photos))[-1]
        assert isinstance(refused, Refused)
        assert "it is in Shelf" in refused.sentence
    assert await shop.enhancements() == []


async def test_a_product_question_can_lead_to_a_store_question(shop: Shop) -> None:
    which_product(await shop.send(photos=[PHOTO]))
    question = which_store(await shop.send("PLATE-3"))
    preview = (await shop.send(token=choice(question, 0)))[-1]
    assert isinstance(preview, PreviewReady)
    assert preview.card.stores == ("Shelf",)
    assert shop.enhancer.made[0][0] == PHOTO
    assert isinstance((await shop.send("BOWL-2"))[-1], ProductShown), "the first question is answered with the second"


async def test_several_skus_at_once_start_together_or_not_at_all(shop: Shop) -> None:
    refused = (await shop.send("enhance MUG-01 NOPE-1"))[-1]
    assert isinstance(refused, Refused)
    refused = (await shop.send("enhance MUG-01 PLATE-3"))[-1]
    assert isinstance(refused, Refused)
    assert "say which" in refused.sentence
    assert await shop.enhancements() == []
    replies = await shop.send("enhance MUG-01, BOWL-2")
    assert sorted(reply.card.sku for reply in replies if isinstance(reply, PreviewReady)) == ["BOWL-2", "MUG-01"]


async def test_forged_and_foreign_answers_are_refused(shop: Shop) -> None:
    question = which_product(await shop.send(photos=[PHOTO]))
    before = await shop.everything()
    forged = [
        str(Token(Action.CHOOSE_PRODUCT, question.question_id, 7)),
        str(Token(Action.CHOOSE_STORE, question.question_id, 0)),
        str(Token(Action.CHOOSE_PRODUCT, "nobody-asked-this", 0)),
        "v1:product::0",
    ]
    for token in forged:
        assert isinstance((await shop.send(token=token))[-1], Refused)
    stolen = (await shop.send(token=choice(question, 0), by=OTHER_ADMIN))[-1]
    assert isinstance(stolen, Refused)
    assert await shop.everything() == before


async def test_no_guess_is_ever_another_teams_product(shop: Shop) -> None:
    question = which_product(await shop.send("their secret lamp SECRET-9", photos=[PHOTO]))
    assert "SECRET" not in str(question.guesses)
    refused = (await shop.send("product SECRET-9"))[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "unknown_sku"
