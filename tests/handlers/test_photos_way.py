"""A photo's way: sent, offered, decided, published, undone."""

from __future__ import annotations

from dataclasses import replace

from domain.enhancement import EnhancementState, PlacementState
from domain.replies import (
    AlreadyDecided,
    Card,
    EnhanceFailed,
    PreviewReady,
    Published,
    Publishing,
    Refused,
    Rejected,
    Reply,
    Restored,
    Restoring,
    Working,
)
from domain.tokens import Action
from tests.fakes import BAD_PHOTO
from tests.handlers.shop import PHOTO, Shop

OLD = [b"shelf MUG-01 1", b"shelf MUG-01 2", b"shelf MUG-01 3"]


def kinds(replies: list[Reply]) -> list[str]:
    return [type(reply).__name__ for reply in replies]


async def preview_of(shop: Shop, words: str = "MUG-01", photo: bytes = PHOTO, *, by: str = "edith") -> Card:
    last = (await shop.send(words, photos=[photo], by=by))[-1]
    assert isinstance(last, PreviewReady)
    return last.card


async def test_a_photo_with_its_sku_becomes_a_preview_is_published_and_undone(shop: Shop) -> None:
    replies = await shop.send("MUG-01", photos=[PHOTO])
    assert kinds(replies) == ["Working", "Working", "Working", "PreviewReady"]
    stages = [reply.stage for reply in replies if isinstance(reply, Working)]
    assert stages == ["received", "waiting", "enhancing"]
    preview = replies[-1]
    assert isinstance(preview, PreviewReady)
    card = preview.card
    assert (card.sku, card.title, card.stores, card.requested_by) == ("MUG-01", "Blue mug", ("Shelf",), "edith")
    assert card.before is not None
    assert shop.media.kept[card.before] == PHOTO
    assert await shop.shown("MUG-01") == OLD

    replies = await shop.press(Action.APPROVE, card)
    assert kinds(replies) == ["Publishing", "Publishing", "Published"]
    published = replies[-1]
    assert isinstance(published, Published)
    assert (published.by, published.placed[0].store, published.placed[0].state) == ("april", "Shelf", "live")
    shown = await shop.shown("MUG-01")
    assert shown[0].startswith(b"shelf picture")
    assert shown[1:] == OLD[1:]

    replies = await shop.press(Action.UNDO, card)
    assert kinds(replies) == ["Restoring", "Restored"]
    assert await shop.shown("MUG-01") == OLD
    assert len(await shop.message_keys()) == 1, "one card, edited in place"
    assert [entry.action for entry in await shop.audit()] == [
        "requested", "offered", "approved", "begin", "confirm", "undid", "put_back",
    ]  # fmt: skip


async def test_the_same_way_by_typed_words(shop: Shop) -> None:
    assert kinds(await shop.send("enhance mug-01"))[-1] == "PreviewReady"
    assert shop.enhancer.made[0][0] == OLD[0], "without a photo the store's own picture is taken"
    assert kinds(await shop.send("approve", by="april"))[-1] == "Published"
    assert kinds(await shop.send("undo MUG-01", by="april"))[-1] == "Restored"
    assert await shop.shown("MUG-01") == OLD


async def test_reject_keeps_the_reason_and_publishes_nothing(shop: Shop) -> None:
    card = await preview_of(shop)
    replies = await shop.press(Action.REJECT, card, text="The handle is cut off")
    rejected = replies[-1]
    assert isinstance(rejected, Rejected)
    assert (rejected.by, rejected.reason) == ("april", "The handle is cut off")
    assert await shop.placements() == []
    assert await shop.shown("MUG-01") == OLD
    assert [entry.what for entry in await shop.audit() if entry.action == "rejected"] == ["The handle is cut off"]


async def test_redo_makes_a_second_revision_and_the_old_button_only_refreshes_the_card(shop: Shop) -> None:
    first = await preview_of(shop)
    replies = await shop.press(Action.REDO, first, by="edith", options={"background": "#eee", "shadow": "none"})
    again = replies[-1]
    assert isinstance(again, PreviewReady)
    assert (again.card.revision, again.card.background, again.card.shadow) == (2, "#eeeeee", "none")
    assert again.card.before == first.before

    replies = await shop.press(Action.APPROVE, first)
    assert kinds(replies) == ["PreviewReady", "Refused"]
    refused = replies[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "stale_button"
    assert (await shop.enhancements())[0].state is EnhancementState.AWAITING_DECISION
    assert await shop.placements() == []


async def test_redo_keeps_what_was_asked_for_before(shop: Shop) -> None:
    first = await preview_of(shop, "MUG-01 background=#eee")
    second = (await shop.press(Action.REDO, first, by="edith", options={"shadow": "soft"}))[-1]
    assert isinstance(second, PreviewReady)
    assert (second.card.background, second.card.shadow) == ("#eeeeee", "soft")


async def test_redo_with_an_unknown_word_changes_nothing(shop: Shop) -> None:
    card = await preview_of(shop)
    before = await shop.everything()
    for options in ({"background": "plaid"}, {"shadow": "long"}, {"engine": "rembg:../x"}, {"size": "9"}):
        replies = await shop.press(Action.REDO, card, by="edith", options=options)
        assert kinds(replies) == ["Refused"]
    assert await shop.everything() == before


async def test_the_second_approve_publishes_nothing_and_says_who_was_first(shop: Shop) -> None:
    card = await preview_of(shop)
    await shop.press(Action.APPROVE, card)
    replies = await shop.press(Action.APPROVE, card, by="abel")
    late = replies[-1]
    assert isinstance(late, AlreadyDecided)
    assert (late.verdict, late.by, late.sku) == ("approved", "april", "MUG-01")
    assert len(await shop.placements()) == 1
    assert shop.shelf.calls.count("publish_image") == 1


async def test_approve_of_a_rejected_one_is_too_late(shop: Shop) -> None:
    card = await preview_of(shop)
    await shop.press(Action.REJECT, card)
    late = (await shop.press(Action.APPROVE, card, by="abel"))[-1]
    assert isinstance(late, AlreadyDecided)
    assert (late.verdict, late.by) == ("rejected", "april")
    assert await shop.placements() == []


async def test_several_photos_of_one_message_go_to_the_positions_one_two_and_three(shop: Shop) -> None:
    replies = await shop.send("MUG-01", photos=[b"one", b"two", b"three"])
    cards = [reply.card for reply in replies if isinstance(reply, PreviewReady)]
    assert len({card.enhancement_id for card in cards}) == 3
    assert [item.targets[0].position for item in await shop.enhancements()] == [1, 2, 3]
    for card in cards:
        assert kinds(await shop.press(Action.APPROVE, card))[-1] == "Published"
    made = [photo for photo, _ in shop.enhancer.made]
    assert made == [b"one", b"two", b"three"]
    shown = await shop.shown("MUG-01")
    assert len(shown) == 3
    assert all(content.startswith(b"shelf picture") for content in shown)
    assert len(set(shown)) == 3


async def test_a_position_after_the_last_is_added_and_undo_takes_it_away(shop: Shop) -> None:
    card = await preview_of(shop, "MUG-02 position=2")
    await shop.press(Action.APPROVE, card)
    shown = await shop.shown("MUG-02")
    assert len(shown) == 2
    assert shown[0] == b"shelf MUG-02 1"
    await shop.press(Action.UNDO, card)
    assert await shop.shown("MUG-02") == [b"shelf MUG-02 1"]


async def test_a_product_without_a_picture_says_so_and_takes_a_photo(shop: Shop) -> None:
    failed = (await shop.send("enhance VASE-7"))[-1]
    assert isinstance(failed, EnhanceFailed)
    assert failed.sentence == "VASE-7 has no picture yet on Shelf: send me a photo with the SKU as its caption."
    card = await preview_of(shop, "VASE-7")
    await shop.press(Action.APPROVE, card)
    assert len(await shop.shown("VASE-7")) == 1
    await shop.press(Action.UNDO, card)
    assert await shop.shown("VASE-7") == []


async def test_undo_steps_back_one_revision_at_a_time(shop: Shop) -> None:
    first = await preview_of(shop)
    await shop.press(Action.APPROVE, first)
    one = (await shop.shown("MUG-01"))[0]
    second = replace(first, revision=2)
    assert kinds(await shop.press(Action.REDO, first, by="edith", options={"background": "#eee"}))[-1] == "PreviewReady"
    assert kinds(await shop.press(Action.APPROVE, second))[-1] == "Published"
    two = (await shop.shown("MUG-01"))[0]
    assert two != one

    await shop.press(Action.UNDO, second)
    assert (await shop.shown("MUG-01"))[0] == one
    await shop.press(Action.UNDO, second)
    assert await shop.shown("MUG-01") == OLD
    refused = (await shop.press(Action.UNDO, second))[-1]
    assert isinstance(refused, Refused)
    assert refused.code == "not_possible"
    assert await shop.shown("MUG-01") == OLD


async def test_undo_while_a_redo_waits_takes_back_what_is_live(shop: Shop) -> None:
    first = await preview_of(shop)
    await shop.press(Action.APPROVE, first)
    await shop.press(Action.REDO, first, by="edith")
    last = (await shop.send("undo MUG-01", by="april"))[-1]
    assert isinstance(last, PreviewReady), "the card is about the preview that still waits"
    assert await shop.shown("MUG-01") == OLD


async def test_undo_of_what_was_never_published_changes_nothing(shop: Shop) -> None:
    card = await preview_of(shop)
    before = await shop.everything()
    assert kinds(await shop.press(Action.UNDO, card)) == ["Refused"]
    assert await shop.everything() == before


async def test_a_word_about_nothing_says_what_to_send(shop: Shop) -> None:
    for words in ("approve", "undo", "redo", "reject", "approve MUG-01"):
        refused = (await shop.send(words, by="april"))[-1]
        assert isinstance(refused, Refused)
        assert "send `enhance SKU`" in refused.sentence


async def test_a_bad_photo_is_refused_with_its_own_sentence_and_starts_nothing(shop: Shop) -> None:
    before = await shop.everything()
    refused = (await shop.send("MUG-01", photos=[BAD_PHOTO]))[-1]
    assert isinstance(refused, Refused)
    assert (refused.code, refused.sentence) == (
        "bad_photo",
        "I cannot read that file as a picture: send a JPEG, PNG or HEIC photo.",
    )
    assert await shop.everything() == before


async def test_one_bad_photo_of_several_starts_none_of_them(shop: Shop) -> None:
    assert kinds(await shop.send("MUG-01", photos=[b"one", BAD_PHOTO]))[-1] == "Refused"
    assert await shop.enhancements() == []


async def test_a_bad_option_or_position_starts_nothing(shop: Shop) -> None:
    for words in ("MUG-01 position=0", "MUG-01 position=21", "MUG-01 position=x", "MUG-01 background=plaid"):
        assert kinds(await shop.send(words, photos=[PHOTO]))[-1] == "Refused"
    assert await shop.enhancements() == []


async def test_approve_while_it_is_still_being_made_is_refused(shop: Shop) -> None:
    card = await preview_of(shop)
    mark = await shop.mark()
    redo = await shop.take(by="edith", token=f"v1:redo:{card.enhancement_id}:1")
    approve = await shop.take(by="april", token=f"v1:approve:{card.enhancement_id}:2")
    await shop.run_intake(redo)
    await shop.run_intake(approve)
    assert kinds(await shop.said(mark)) == ["Working", "Working", "Refused"]
    await shop.run_jobs()
    assert (await shop.enhancements())[0].state is EnhancementState.AWAITING_DECISION


async def test_the_card_is_up_to_date_after_each_move(shop: Shop) -> None:
    card = await preview_of(shop)
    states = [
        [placed.state for placed in reply.placed]
        for reply in await shop.press(Action.APPROVE, card) + await shop.press(Action.UNDO, card)
        if isinstance(reply, Publishing | Published | Restoring | Restored)
    ]
    assert states == [["approved"], ["publishing"], ["live"], ["restoring"], ["restored"]]
    assert [item.state for item in await shop.placements()] == [PlacementState.RESTORED]
