"""When stores, disks and pictures fail: one clear sentence, a true card, and the way on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain import errors
from domain.connection import Contact
from domain.enhancement import EnhancementState, IllegalMove, PlacementEvent, PlacementState
from domain.errors import (
    Ambiguous,
    BadPhoto,
    Fault,
    NeedsReconnect,
    NotFound,
    RateLimited,
    RejectedByStore,
    RowChanged,
    StoreDown,
)
from domain.replies import (
    Card,
    EnhanceFailed,
    PreviewReady,
    Published,
    PublishFailed,
    Refused,
    Restored,
    RestoreFailed,
    StoreList,
    Unclear,
)
from domain.tokens import Action
from handlers.failures import sentence_for
from tests.handlers.shop import PHOTO, Shop, button

OLD = b"shelf MUG-01 1"
DOWN = StoreDown("503", store="Shelf")


async def waiting_card(shop: Shop) -> Card:
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    return preview.card


async def main_photo(shop: Shop) -> bytes:
    return (await shop.shown("MUG-01"))[0]


# ---------------------------------------------------------------- asking a store


@pytest.mark.parametrize("words", ["enhance NOPE-1", "product NOPE-1", "NOPE-1"])
async def test_a_silent_store_is_named_instead_of_saying_not_found(shop: Shop, words: str) -> None:
    shop.outlet.before["find_listings"] = [StoreDown("503", store="Outlet")]
    refused = (await shop.send(words))[-1]
    assert isinstance(refused, Refused)
    assert refused.sentence == "Outlet does not answer at the moment: try again in a few minutes."


async def test_a_photo_with_an_unknown_sku_while_a_store_is_silent_starts_no_guessing(shop: Shop) -> None:
    shop.shelf.before["find_listings"] = [DOWN]
    refused = (await shop.send("NOPE-1", photos=[PHOTO]))[-1]
    assert isinstance(refused, Refused)
    assert "does not answer" in refused.sentence


async def test_a_silent_store_does_not_hide_what_the_others_have(shop: Shop) -> None:
    shop.outlet.before["find_listings"] = [StoreDown("503", store="Outlet")]
    preview = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)


async def test_a_silent_store_is_still_listed_with_what_is_wrong(shop: Shop) -> None:
    shop.outlet.before["check"] = [NeedsReconnect("401", store="Outlet")]
    shop.stores.contacts[shop.outlet.store.store_id] = Contact(datetime(2026, 2, 27, 9, 30, tzinfo=UTC))
    listed = (await shop.send("stores"))[-1]
    assert isinstance(listed, StoreList)
    assert [(line.name, line.listing_count) for line in listed.stores] == [("Shelf", 5), ("Outlet", 0)]
    assert "`reconnect Outlet`" in listed.stores[1].notes[0]
    assert listed.stores[1].notes[1] == "Its last answer came 27 Feb, 09:30."


# ---------------------------------------------------------------- making the picture


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (BadPhoto("The file is cut off: send it again.", reason="truncated"), "The file is cut off: send it again."),
        (errors.NotPossible("rembg:x is not here: use auto."), "rembg:x is not here: use auto."),
        (ValueError("secret /home/path"), "Something went wrong on my side"),
        (MemoryError(), "Something went wrong on my side"),
    ],
)
async def test_a_picture_that_cannot_be_made_says_why_and_offers_redo(
    shop: Shop, trouble: Exception, says: str
) -> None:
    shop.enhancer.trouble = [trouble]
    failed = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(failed, EnhanceFailed)
    assert failed.sentence.startswith(says)
    assert "secret" not in failed.sentence
    assert (await shop.enhancements())[0].state is EnhancementState.ENHANCE_FAILED
    preview = (await shop.press(Action.REDO, failed.card, by="edith"))[-1]
    assert isinstance(preview, PreviewReady)


async def test_retry_of_a_failed_picture_makes_it_again(shop: Shop) -> None:
    shop.enhancer.trouble = [ValueError("once")]
    failed = (await shop.send("MUG-01", photos=[PHOTO]))[-1]
    assert isinstance(failed, EnhanceFailed)
    assert isinstance((await shop.press(Action.RETRY, failed.card, by="edith"))[-1], PreviewReady)


async def test_a_full_disk_is_one_clear_sentence_and_the_bot_lives_on(shop: Shop) -> None:
    incoming = await shop.take("MUG-01", photos=[PHOTO])
    shop.media.is_full = True
    await shop.run_jobs()
    failed = (await shop.said())[-1]
    assert isinstance(failed, EnhanceFailed)
    assert "no room left for photos" in failed.sentence
    assert (await shop.enhancements())[0].state is EnhancementState.ENHANCE_FAILED
    assert incoming.photos[0] in shop.media.kept

    failed = (await shop.send("enhance MUG-01"))[-1]
    assert isinstance(failed, EnhanceFailed)
    shop.media.is_full = False
    assert isinstance((await shop.press(Action.REDO, failed.card, by="edith"))[-1], PreviewReady)


async def test_a_photo_that_is_no_longer_kept_is_asked_for_again(shop: Shop) -> None:
    card = await waiting_card(shop)
    assert card.before is not None
    await shop.media.delete([card.before])
    failed = (await shop.press(Action.REDO, card, by="edith"))[-1]
    assert isinstance(failed, EnhanceFailed)
    assert failed.sentence == "That photo is no longer kept: send it again."


# ---------------------------------------------------------------- publishing


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (DOWN, "Shelf does not answer at the moment"),
        (RateLimited(store="Shelf", retry_after_s=90), "asked me to wait 90 s"),
        (RejectedByStore("too small", store="Shelf", field="image"), "Shelf refused the picture (too small)"),
        (NeedsReconnect("401", store="Shelf"), "no longer accepts my key"),
        (NotFound("gone", store="Shelf"), "The listing is gone at Shelf"),
        (RuntimeError("bug"), "Something went wrong on my side"),
    ],
)
async def test_a_failed_publish_says_why_leaves_the_shop_alone_and_retry_works(
    shop: Shop, trouble: Exception, says: str
) -> None:
    card = await waiting_card(shop)
    shop.shelf.before["publish_image"] = [trouble]
    failed = (await shop.press(Action.APPROVE, card))[-1]
    assert isinstance(failed, PublishFailed)
    assert says in failed.placed[0].failure
    assert await main_photo(shop) == OLD

    published = (await shop.press(Action.RETRY, card, by="edith"))[-1]
    assert isinstance(published, Published)
    assert (published.placed[0].failure, published.placed[0].attempt) == ("", 2)
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD


async def test_one_store_failing_of_two_publishes_to_the_other_and_retries_only_the_failed(shop: Shop) -> None:
    preview = (await shop.send("PLATE-3 on all", photos=[PHOTO]))[-1]
    assert isinstance(preview, PreviewReady)
    shop.outlet.before["publish_image"] = [StoreDown("503", store="Outlet")]
    failed = (await shop.press(Action.APPROVE, preview.card))[-1]
    assert isinstance(failed, PublishFailed)
    assert [(placed.store, placed.state) for placed in failed.placed] == [
        ("Shelf", "live"),
        ("Outlet", "publish_failed"),
    ]
    await shop.press(Action.RETRY, preview.card)
    assert (shop.shelf.calls.count("publish_image"), shop.outlet.calls.count("publish_image")) == (1, 2)
    assert isinstance((await shop.press(Action.UNDO, preview.card))[-1], Restored)
    assert await shop.shown("PLATE-3", at=shop.outlet) == [b"outlet PLATE-3 1"]


async def test_an_answer_lost_after_the_store_took_it_is_published_once_and_undone_to_the_original(shop: Shop) -> None:
    card = await waiting_card(shop)
    shop.shelf.after["publish_image"] = [DOWN]
    assert isinstance((await shop.press(Action.APPROVE, card))[-1], PublishFailed)
    assert (await main_photo(shop)).startswith(b"shelf picture"), "it is there, and nobody knows"

    published = (await shop.press(Action.RETRY, card))[-1]
    assert isinstance(published, Published)
    shown = await shop.shown("MUG-01")
    assert (len(shown), [content.startswith(b"shelf picture") for content in shown]) == (3, [True, False, False])
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD, "ours was never kept as the original"


async def test_a_shop_changed_between_failure_and_retry_gives_back_what_stood_there_last(shop: Shop) -> None:
    card = await waiting_card(shop)
    shop.shelf.before["publish_image"] = [DOWN]
    await shop.press(Action.APPROVE, card)
    await shop.change_by_hand("MUG-01", b"a newer picture by hand")
    assert isinstance((await shop.press(Action.RETRY, card))[-1], Published)
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == b"a newer picture by hand"


async def test_a_picture_that_does_not_show_after_a_yes_is_a_failure(shop: Shop) -> None:
    card = await waiting_card(shop)

    async def shows_another() -> None:
        await shop.change_by_hand("MUG-01", b"somebody was quicker")

    await shop.take(by="april", token=button(Action.APPROVE, card))
    await shop.run_jobs(before={"confirm": shows_another})
    failed = (await shop.said())[-1]
    assert isinstance(failed, PublishFailed)
    assert "shows another picture" in failed.placed[0].failure


# ---------------------------------------------------------------- nobody can tell


async def unclear_card(shop: Shop, *, was_written: bool) -> Card:
    card = await waiting_card(shop)
    trouble = shop.shelf.after if was_written else shop.shelf.before
    trouble["publish_image"] = [Ambiguous("timed out", store="Shelf")]
    unclear = (await shop.press(Action.APPROVE, card))[-1]
    assert isinstance(unclear, Unclear)
    assert "cannot tell" in unclear.placed[0].failure
    return card


async def test_unclear_and_it_is_there_can_be_undone(shop: Shop) -> None:
    card = await unclear_card(shop, was_written=True)
    published = (await shop.press(Action.IT_IS_THERE, card))[-1]
    assert isinstance(published, Published)
    assert published.placed[0].failure == ""
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD


async def test_unclear_and_it_is_not_there_can_be_retried(shop: Shop) -> None:
    card = await unclear_card(shop, was_written=False)
    failed = (await shop.press(Action.IT_IS_NOT_THERE, card))[-1]
    assert isinstance(failed, PublishFailed)
    assert failed.placed[0].failure == "april looked: it is not on Shelf. Retry publishes it."
    assert isinstance((await shop.press(Action.RETRY, card))[-1], Published)
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD


@pytest.mark.parametrize("was_written", [True, False])
async def test_unclear_and_look_again_finds_the_truth_and_publishes_once(shop: Shop, was_written: bool) -> None:
    card = await unclear_card(shop, was_written=was_written)
    assert isinstance((await shop.press(Action.LOOK_AGAIN, card))[-1], Published)
    assert len(await shop.shown("MUG-01")) == 3
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD


async def test_it_is_there_by_mistake_never_undoes_somebody_elses_picture(shop: Shop) -> None:
    card = await unclear_card(shop, was_written=False)
    await shop.press(Action.IT_IS_THERE, card)
    await shop.press(Action.UNDO, card)
    assert await main_photo(shop) == OLD


async def test_the_three_buttons_do_nothing_on_a_clear_card(shop: Shop) -> None:
    card = await waiting_card(shop)
    await shop.press(Action.APPROVE, card)
    before = await shop.everything()
    for action in (Action.IT_IS_THERE, Action.IT_IS_NOT_THERE, Action.LOOK_AGAIN, Action.RETRY):
        refused = (await shop.press(action, card))[-1]
        assert isinstance(refused, Refused)
        assert refused.code == "not_possible"
    assert await shop.everything() == before


# ---------------------------------------------------------------- undo


async def test_a_failed_undo_leaves_ours_live_and_can_be_retried(shop: Shop) -> None:
    card = await waiting_card(shop)
    await shop.press(Action.APPROVE, card)
    shop.shelf.before["restore_image"] = [DOWN]
    failed = (await shop.press(Action.UNDO, card))[-1]
    assert isinstance(failed, RestoreFailed)
    assert "does not answer" in failed.placed[0].failure
    assert (await main_photo(shop)).startswith(b"shelf picture")
    assert isinstance((await shop.press(Action.RETRY, card))[-1], Restored)
    assert await main_photo(shop) == OLD


async def test_an_undo_whose_answer_was_lost_is_done_once(shop: Shop) -> None:
    card = await waiting_card(shop)
    await shop.press(Action.APPROVE, card)
    shop.shelf.after["restore_image"] = [DOWN]
    assert isinstance((await shop.press(Action.UNDO, card))[-1], RestoreFailed)
    assert isinstance((await shop.press(Action.UNDO, card))[-1], Restored)
    assert await main_photo(shop) == OLD
    assert len(await shop.shown("MUG-01")) == 3


async def test_undo_of_a_listing_changed_meanwhile_touches_nothing_and_says_so(shop: Shop) -> None:
    card = await waiting_card(shop)
    await shop.press(Action.APPROVE, card)
    await shop.change_by_hand("MUG-01", b"a newer picture by hand")
    published = (await shop.press(Action.UNDO, card))[-1]
    assert isinstance(published, Published)
    assert "Somebody changed the picture of MUG-01 on Shelf" in published.note
    assert await main_photo(shop) == b"a newer picture by hand"
    assert [item.state for item in await shop.placements()] == [PlacementState.LIVE]


# ---------------------------------------------------------------- sentences

EVERY_ERROR: tuple[BaseException, ...] = (
    errors.BadInput("That is no SKU: type it again."),
    BadPhoto("That is no picture: send a JPEG.", reason="x"),
    errors.UnknownSku("NOPE", guesses=("MUG-01",)),
    errors.UnknownSku("NOPE"),
    errors.NotAMember(),
    errors.NotAllowed(needs="admin", has="viewer", what="Inviting"),
    errors.StaleButton("That card moved on: press again there."),
    errors.ChangedMeanwhile(store="Shelf", sku="MUG-01"),
    errors.NotPossible("Not now: try later."),
    errors.StoreError("418", store="Shelf"),
    RateLimited(store="Shelf", retry_after_s=3),
    RateLimited(store="Shelf", retry_after_s=3601),
    StoreDown("503", store="Shelf"),
    NeedsReconnect("401", store="Shelf"),
    errors.MissingScope(store="Shelf", scope="write_files"),
    errors.StockChanged(store="Shelf", sku="MUG-01", found=3),
    NotFound("404", store="Shelf"),
    errors.Disconnected("gone", store="Shelf"),
    RejectedByStore("too small", store="Shelf", field="image"),
    Ambiguous("timed out", store="Shelf"),
    RowChanged("enhancement 1", was="approved"),
    errors.EventConcluded("console:1"),
    errors.UserError("No: do this."),
    errors.Undeliverable("The bot is blocked there: unblock it.", scope="place"),
    errors.PackshotError("root"),
    *(Fault(code, "Traceback: /secret") for code in ("media_full", "media_missing", "database_full", "new_code")),
    IllegalMove(PlacementState.LIVE, PlacementEvent.BEGIN),
    ZeroDivisionError("Traceback: /secret"),
    TimeoutError(),
)


def test_a_long_pause_is_told_in_minutes() -> None:
    assert "opens again in 61 minutes" in sentence_for(RateLimited(store="Shelf", retry_after_s=3601))


@pytest.mark.parametrize("error", EVERY_ERROR, ids=[type(error).__name__ for error in EVERY_ERROR])
def test_every_error_is_one_sentence_with_a_way_out(error: BaseException) -> None:
    sentence = sentence_for(error)
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    assert not any(word in sentence for word in ("Traceback", "secret", "Error", "None"))
    assert sentence_for(error) == sentence, "the same failure has the same code"


def test_no_class_of_the_tree_is_missing_above() -> None:
    defined = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == errors.__name__
    }
    assert defined <= {type(error) for error in EVERY_ERROR}


async def test_a_bug_in_a_handler_is_a_sentence_with_a_code_and_no_trace(shop: Shop) -> None:
    shop.shelf.before["find_listings"] = [KeyError("secret")]
    refused = (await shop.send("product MUG-01"))[-1]
    assert isinstance(refused, Refused)
    assert (refused.code, "secret" in refused.sentence) == ("fault", False)
    assert type((await shop.send("product MUG-01"))[-1]).__name__ == "ProductShown"
