"""Corrections of the cut-out by words, by tapping and by typed places; and the versions side by side."""

from __future__ import annotations

import pytest

from domain.hint import FIELDS, Area, HintKind
from domain.intents import CompareVersions, CorrectPart, DecideBySku, Intent
from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import Card, Compared, PreviewReady, Refused, Reply, WhichPart
from domain.tokens import TOKEN_MAX_BYTES, Action, Token
from handlers.answers import read_answer
from handlers.buttons import buttons
from handlers.grammar import parse
from tests.handlers.shop import PHOTO, Shop, button
from tests.handlers.test_chat_events import event, shown_ids
from tests.handlers.test_chat_events import preview as preview_in_chat

LEFT, RIGHT = Area(0.1, 0.4, 0.2, 0.7), Area(0.8, 0.5, 0.95, 0.8)


def found(*areas: Area, code: FindingCode = FindingCode.PART_LEFT_OUT, first: int = 1) -> tuple[Finding, ...]:
    return tuple(
        Finding(code, FindingLevel.NOTE, measured=float(number), area=area) for number, area in enumerate(areas, first)
    )


async def preview(shop: Shop, *findings: Finding) -> Card:
    shop.enhancer.findings = findings
    last = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(last, PreviewReady)
    return last.card


def hints_of(shop: Shop) -> list[str]:
    return [f"{hint.kind} {hint.area}" for hint in shop.enhancer.made[-1][1].hints]


async def test_the_one_part_left_out_is_what_keep_the_handle_means(shop: Shop) -> None:
    card = await preview(shop, *found(LEFT))
    replies = await shop.send("keep the handle")
    last = replies[-1]
    assert isinstance(last, PreviewReady)
    assert (last.card.enhancement_id, last.card.revision) == (card.enhancement_id, 2)
    assert hints_of(shop) == [f"keep {LEFT}"]
    assert (await shop.audit())[-2].what == f"keep={LEFT}"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("keep the left strap", [LEFT]),
        ("keep the strap on the right", [RIGHT]),
        ("keep 2", [RIGHT]),
        ("keep both", [LEFT, RIGHT]),
        ("keep 1 and 2", [LEFT, RIGHT]),
        ("keep MUG-01 1", [LEFT]),
        ("keep 30x40", [Area.parse("30x40")]),
        ("keep 10x20x30x40 55x60", [Area.parse("10x20x30x40"), Area.parse("55x60")]),
        ("keep b2", [FIELDS["B2"]]),
        ("redo keep=10,20,30,40", [Area.parse("10x20x30x40")]),
    ],
)
async def test_words_that_leave_no_doubt_need_no_question(shop: Shop, words: str, meant: list[Area]) -> None:
    await preview(shop, *found(LEFT, RIGHT))
    assert isinstance((await shop.send(words))[-1], PreviewReady)
    assert hints_of(shop) == [f"keep {area}" for area in meant]


@pytest.mark.parametrize("words", ["keep the handle", "keep the lower strap", "keep 7", "keep", "keep it"])
async def test_words_that_leave_a_doubt_are_answered_with_a_photo_to_tap_on(shop: Shop, words: str) -> None:
    card = await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send(words))[-1]
    assert isinstance(question, WhichPart)
    assert (question.enhancement_id, question.revision, question.wants) == (card.enhancement_id, 1, "keep")
    assert [guess.label for guess in question.guesses] == ["1", "2", *FIELDS]
    assert question.part_count == 2
    assert shop.media.kept[question.picture].startswith(f"numbered {LEFT} {RIGHT}".encode())
    assert len(shop.enhancer.made) == 1, "nothing was made yet"


async def test_a_tap_on_a_part_or_a_field_makes_the_version(shop: Shop) -> None:
    await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send("keep the handle"))[-1]
    assert isinstance(question, WhichPart)
    assert all(len(each.token.encode()) <= TOKEN_MAX_BYTES for each in buttons(question))
    assert isinstance((await shop.send(token=buttons(question)[1].token))[-1], PreviewReady)
    assert hints_of(shop) == [f"keep {RIGHT}"]
    stale = await shop.send(token=buttons(question)[2].token)
    assert [type(reply).__name__ for reply in stale] == ["PreviewReady", "Refused"]
    assert len(shop.enhancer.made) == 2, "the question was about a version that is gone"


async def test_several_taps_at_once_and_a_change_of_mind_are_one_version(shop: Shop) -> None:
    await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send("keep the handle"))[-1]
    last = (await shop.send(token=buttons(question)[0].token, options={"fields": "0 2", "wants": "remove"}))[-1]
    assert isinstance(last, PreviewReady)
    assert hints_of(shop) == [f"remove {LEFT}", f"remove {FIELDS['A1']}"]


@pytest.mark.parametrize("options", [{"fields": "99"}, {"fields": "one"}, {"fields": "-1"}])
async def test_a_forged_choice_is_refused(shop: Shop, options: dict[str, str]) -> None:
    await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send("keep the handle"))[-1]
    refused = (await shop.send(token=buttons(question)[0].token, options=options))[-1]
    assert isinstance(refused, Refused)
    assert len(shop.enhancer.made) == 1


async def test_remove_means_the_things_that_stand_by_themselves(shop: Shop) -> None:
    await preview(shop, *found(LEFT), *found(RIGHT, Area(0.3, 0.3, 0.6, 0.6), code=FindingCode.PART_KEPT, first=2))
    question = (await shop.send("remove the leaf"))[-1]
    assert isinstance(question, WhichPart)
    assert [guess.label for guess in question.guesses[: question.part_count]] == ["2", "3"]
    assert isinstance((await shop.send("remove 2"))[-1], PreviewReady)
    assert hints_of(shop) == [f"remove {RIGHT}"]


async def test_corrections_add_up_over_the_versions_and_can_be_taken_back(shop: Shop) -> None:
    await preview(shop, *found(LEFT))
    for words in ("keep the handle", "remove 50x50", "redo background=#eee"):
        assert isinstance((await shop.send(words))[-1], PreviewReady)
    assert hints_of(shop) == [f"keep {LEFT}", "remove 50x50"]
    await shop.send("redo keep=none")
    assert hints_of(shop) == ["remove 50x50"]


async def test_the_cards_buttons_ask_which_part(shop: Shop) -> None:
    card = await preview(shop, *found(LEFT))
    for action, wants in ((Action.KEEP, "keep"), (Action.REMOVE, "remove")):
        question = (await shop.press(action, card, by="edith"))[-1]
        assert isinstance(question, WhichPart)
        assert question.wants == wants


async def test_a_stale_button_is_answered_as_every_stale_press(shop: Shop) -> None:
    card = await preview(shop, *found(LEFT))
    await shop.send("keep the handle")
    replies = await shop.press(Action.KEEP, card, by="edith")
    assert [type(reply).__name__ for reply in replies] == ["PreviewReady", "Refused"]
    assert replies[-1].code == "stale_button"  # type: ignore[union-attr]


async def test_a_viewer_may_compare_and_not_correct(shop: Shop) -> None:
    card = await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send("keep"))[-1]
    before = await shop.everything()
    assert isinstance(question, WhichPart)
    tokens = [button(Action.KEEP, card), button(Action.REMOVE, card), buttons(question)[0].token]
    for words, token in [("keep the handle", ""), ("remove 1", ""), *(("", token) for token in tokens)]:
        refused = (await shop.send(words, token=token, by="vera"))[-1]
        assert isinstance(refused, Refused)
        assert refused.code == "not_allowed"
    assert await shop.everything() == before
    assert isinstance((await shop.press(Action.COMPARE, card, by="vera"))[-1], Compared)


async def test_somebody_elses_question_is_nobodys_business(shop: Shop) -> None:
    await preview(shop, *found(LEFT, RIGHT))
    question = (await shop.send("keep"))[-1]
    refused = (await shop.send(token=buttons(question)[0].token, by="olga"))[-1]
    assert isinstance(refused, Refused)
    assert len(shop.enhancer.made) == 1


async def test_a_correction_waits_for_the_preview(shop: Shop) -> None:
    await shop.take("MUG-01", photos=[PHOTO])
    said: list[Reply] = []

    async def interrupt() -> None:
        said.extend(await shop.said())
        incoming = await shop.take("keep the handle")
        await shop.run_intake(incoming)

    await shop.run_jobs(before={"improve": interrupt})
    refused = [reply for reply in await shop.said() if isinstance(reply, Refused)]
    assert "still working on MUG-01" in refused[0].sentence


async def test_a_photo_that_was_forgotten_cannot_be_corrected(shop: Shop) -> None:
    await preview(shop)
    (enhancement,) = await shop.enhancements()
    assert enhancement.photo is not None
    await shop.media.delete([enhancement.photo])
    refused = (await shop.send("keep the handle"))[-1]
    assert isinstance(refused, Refused)
    assert "no longer kept" in refused.sentence


async def test_the_versions_stand_side_by_side_with_what_made_them(shop: Shop) -> None:
    card = await preview(shop, *found(LEFT))
    await shop.send("keep the handle")
    await shop.send("redo background=#eee")
    await shop.send("redo shadow=soft")
    compared = (await shop.send("compare MUG-01"))[-1]
    assert isinstance(compared, Compared)
    assert [version.number for version in compared.versions] == [2, 3, 4], "the newest three"
    assert [version.changes for version in compared.versions] == ["", "background=#eeeeee", "shadow=soft"]
    assert [version.kept for version in compared.versions] == [1, 0, 0]
    assert shop.media.kept[compared.before] == PHOTO
    assert shop.media.kept[compared.sheet] == b"beside ['Before', 'Version 2', 'Version 3', 'Version 4']"
    pressed = (await shop.press(Action.COMPARE, card))[-1]
    assert isinstance(pressed, Compared), "a comparison is about all versions, so no card is too old for it"
    assert pressed.versions == compared.versions


async def test_a_forgotten_version_is_left_out_and_without_any_there_is_a_way_out(shop: Shop) -> None:
    await preview(shop, *found(LEFT))
    await shop.send("keep the handle")
    compared = (await shop.send("compare"))[-1]
    assert isinstance(compared, Compared)
    await shop.media.delete([compared.versions[0].picture])
    fewer = (await shop.send("compare"))[-1]
    assert isinstance(fewer, Compared)
    assert fewer.versions == compared.versions[1:]
    await shop.media.delete([compared.versions[1].picture])
    refused = (await shop.send("compare"))[-1]
    assert isinstance(refused, Refused)
    assert "redo it first" in refused.sentence


@pytest.mark.parametrize(
    ("words", "kind", "rest"),
    [
        ("keep the handle", "keep", "the handle"),
        ("Please keep the handle!", "keep", "the handle"),
        ("add the strap on the left", "keep", "the strap on the left"),
        ("Bitte den Griff behalten", "keep", "den Griff"),
        ("without the leaf", "remove", "the leaf"),
        ("ohne das Blatt", "remove", "das Blatt"),
        ("Blatt entfernen", "remove", "Blatt"),
    ],
)
def test_corrections_in_peoples_own_words(words: str, kind: HintKind, rest: str) -> None:
    assert read_answer(words) == CorrectPart(kind, rest)


def test_a_shadow_is_no_part() -> None:
    assert read_answer("remove the shadow") == DecideBySku("redo", None, "", {"shadow": "none"})
    assert read_answer("ohne Schatten") == DecideBySku("redo", None, "", {"shadow": "none"})


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        ("keep A1", CorrectPart("keep", "A1")),
        ("remove 10x20", CorrectPart("remove", "10x20")),
        ("compare", CompareVersions()),
        ("without the leaf", CorrectPart("remove", "the leaf")),
        ("behalte den Griff", CorrectPart("keep", "den Griff")),
        ("remove the shadow", DecideBySku("redo", None, "", {"shadow": "none"})),
    ],
)
def test_a_field_or_place_is_no_sku(words: str, intent: Intent) -> None:
    assert parse(words) == intent


async def test_words_under_a_card_mean_that_card(shop: Shop) -> None:
    shop.enhancer.findings = found(LEFT)
    first, _second = await preview_in_chat(shop, 1), await preview_in_chat(shop, 2, "MUG-02")
    (message_id,) = await shown_ids(shop, first)
    last = (await shop.answer(event(3, "keep the strap", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(last, PreviewReady)
    assert last.card.enhancement_id == first.card.enhancement_id
    compared = (await shop.answer(event(4, "compare", reply_to=message_id, shop=shop)))[-1]
    assert isinstance(compared, Compared)
    assert compared.sku == "MUG-01"


def test_a_token_of_every_new_action_fits() -> None:
    for action in (Action.KEEP, Action.REMOVE, Action.COMPARE, Action.CHOOSE_PART):
        assert len(str(Token(action, "e" * 22, 999_999)).encode()) <= TOKEN_MAX_BYTES
