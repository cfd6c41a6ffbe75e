"""From photo to live and back, as people see it in Telegram; the fake's own log is the witness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from domain.people import Role
from domain.picture import Enhanced, Finding, FindingCode, FindingLevel
from domain.recipe import PictureRules, Recipe
from tests.fakes import FakeEnhancer
from tests.fakes.telegram import TelegramServer
from tests.handlers.shop import PHOTO, Shop
from tests.telegram.bot import TelegramBot


async def test_photo_preview_press_published_undo(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.taken()
    await bot.deliver()
    (card,) = telegram.shown(anna)
    assert "Enhancing" in card.text
    assert card.photo is None
    await telegram.until(lambda: telegram.calls_of("sendChatAction"))

    await bot.settle()
    assert telegram.shown(anna) == [card], "one message, edited in place"
    assert "Your decision" in card.text
    assert card.photo is not None
    assert card.labels == ["✅ Approve", "✖️ Reject", "🔁 Redo"]

    press = telegram.press(anna, card, "Approve")
    await bot.settle()
    await telegram.until(lambda: press.answer is not None)
    assert telegram.shown(anna) == [card]
    assert "Live" in card.text
    assert "Approved by Anna" in card.text
    assert "Approve" not in " ".join(card.labels)
    assert (await bot.shop.shown("MUG-01"))[0].startswith(b"shelf picture of")

    telegram.press(anna, card, "Undo")
    await bot.settle()
    assert "Undone" in card.text
    assert await bot.shop.shown("MUG-01") == [b"shelf MUG-01 1", b"shelf MUG-01 2", b"shelf MUG-01 3"]
    print(telegram.transcript())


async def test_a_file_is_taken_as_it_is(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_document(anna, b"bytes of a HEIC photo", "MUG-01", mime="")
    await bot.settle()
    assert telegram.shown(anna)[0].photo is not None
    (event,) = await bot.events()
    assert event.attachments[0].is_recompressed is False
    assert bot.shop.enhancer.made[0][0] == b"bytes of a HEIC photo"
    assert "as a file" not in telegram.shown(anna)[0].text


class SoftEnhancer(FakeEnhancer):
    """Finds that the product had to be enlarged."""

    async def enhance(self, photo: bytes, recipe: Recipe, rules: Sequence[PictureRules]) -> Enhanced:
        enhanced = await super().enhance(photo, recipe, rules)
        soft = Finding(FindingCode.ENLARGED, FindingLevel.WARNING, measured=2.4)
        pictures = tuple(replace(picture, findings=(soft,)) for picture in enhanced.pictures)
        return replace(enhanced, pictures=pictures)


async def test_a_photo_that_came_small_is_asked_for_as_a_file(bot: TelegramBot, telegram: TelegramServer) -> None:
    bot.shop.enhancer = SoftEnhancer()
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    telegram.send_document(anna, b"the file itself", "MUG-02")
    await bot.settle()
    small, whole = telegram.shown(anna)
    assert "enlarged 2.4 times" in small.text
    assert "send it as a file for full quality" in small.text
    assert "enlarged 2.4 times" in whole.text
    assert "send it as a file" not in whole.text


async def test_an_album_is_one_request_in_the_order_it_was_taken(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_album(anna, [b"first", b"second", b"third"], "MUG-01", order=[1, 0, 2])
    await bot.settle()
    assert [photo for photo, _ in bot.shop.enhancer.made][:1] == [b"first"]
    enhancements = await bot.shop.enhancements()
    assert {enhancement.sku.value for enhancement in enhancements} == {"MUG-01"}


async def test_an_answer_in_words_means_the_card_it_stands_under(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    telegram.send_photo(anna, b"another", "MUG-02")
    await bot.settle()
    first, second = telegram.shown(anna)
    telegram.say(anna, "no, too dark", reply_to=first)
    await bot.settle()
    assert "Rejected" in first.text
    assert "too dark" in first.text
    assert "Your decision" in second.text


async def test_a_reason_is_chosen_in_the_menu(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    (card,) = telegram.shown(anna)
    before = card.labels
    telegram.press(anna, card, "Reject")
    await telegram.until(lambda: "Too dark" in card.labels)
    telegram.press(anna, card, "Back")
    await telegram.until(lambda: card.labels == before)
    telegram.press(anna, card, "Reject")
    await telegram.until(lambda: "Too dark" in card.labels)
    assert len(await bot.events()) == 1, "a menu is no event"
    telegram.press(anna, card, "Cut-out is wrong")
    await bot.settle()
    assert "“Cut-out is wrong”" in card.text
    assert card.labels == ["🔁 Redo"]


async def test_redo_on_grey_by_the_menu(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna = await bot.member("Anna")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    (card,) = telegram.shown(anna)
    telegram.press(anna, card, "Redo")
    await telegram.until(lambda: "Light grey" in card.labels)
    telegram.press(anna, card, "Light grey")
    await bot.settle()
    assert str(bot.shop.enhancer.made[-1][1].background) == "#eeeeee"
    assert "Your decision" in card.text
    assert len(telegram.shown(anna)) == 1


async def test_a_stale_press_explains_privately_and_refreshes(bot: TelegramBot, telegram: TelegramServer) -> None:
    group = telegram.group("Shop")
    anna, ben = await bot.member("Anna"), await bot.member("Ben")
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    await bot.settle()
    (card,) = telegram.shown(group)
    old = [list(row) for row in card.keyboard]
    telegram.press(anna, card, "Approve")
    await bot.settle()
    card.keyboard = old  # what Ben's phone still shows
    press = telegram.press(ben, card, "Approve")
    await bot.settle()
    await telegram.until(lambda: press.answer is not None)
    assert press.is_alert
    assert "approved by Anna" in (press.answer or "")
    assert telegram.shown(ben) == []
    assert [message.text for message in telegram.shown(group)] == [card.text]
    assert "↩️ Undo" in card.labels, "and the card is as it should be again"


async def test_two_presses_publish_once(bot: TelegramBot, telegram: TelegramServer) -> None:
    group = telegram.group("Shop")
    anna, ben = await bot.member("Anna"), await bot.member("Ben")
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    await bot.settle()
    (card,) = telegram.shown(group)
    telegram.press(anna, card, "Approve")
    telegram.press(ben, card, "Approve")
    await bot.settle()
    assert len(await bot.shop.placements()) == 1
    assert "Approved by Anna" in card.text
    assert "already approved by Anna" in telegram.shown(ben)[0].text, "the loser of the race, and only they"
    assert telegram.shown(anna) == []
    assert telegram.shown(group) == [card]


async def test_a_button_needs_the_role(bot: TelegramBot, telegram: TelegramServer) -> None:
    group = telegram.group("Shop")
    anna, vera = await bot.member("Anna"), await bot.member("Vera", Role.VIEWER)
    stranger = telegram.person("Sam")
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    await bot.settle()
    (card,) = telegram.shown(group)
    presses = [telegram.press(who, card, words) for who in (vera, stranger) for words in ("Approve", "Reject")]
    forged = telegram.press(anna, card, data="v1:approve:../../etc:1|x")
    await bot.settle()
    await telegram.until(lambda: all(press.answer is not None for press in [*presses, forged]))
    assert all(press.is_alert for press in [*presses, forged])
    assert "needs the role" in (presses[0].answer or "")
    assert "I do not know you" in (presses[2].answer or "")
    assert "Your decision" in card.text
    assert card.labels == ["✅ Approve", "✖️ Reject", "🔁 Redo"], "no menu for who may not use it"
    assert await bot.shop.placements() == []
    assert telegram.shown(vera) == telegram.shown(stranger) == []


async def test_a_stranger_joins_by_the_link(bot: TelegramBot, telegram: TelegramServer) -> None:
    ada = await bot.member("Ada", Role.ADMIN)
    telegram.say(ada, "/invite approver")
    await bot.settle()
    (invited,) = telegram.shown(ada)
    link = invited.key("link")["copy_text"]["text"]
    assert link.startswith("https://t.me/packshot_bot?start=")
    sam = telegram.person("Sam", has_started=False)
    telegram.say(sam, "hello")
    await bot.settle()
    assert "I do not know you yet" in telegram.shown(sam)[0].text
    telegram.say(sam, f"/start {link.partition('start=')[2]}")
    await bot.settle()
    assert "Welcome, Sam" in telegram.shown(sam)[1].text


async def test_an_invitation_asked_for_in_a_group_is_told_to_one(bot: TelegramBot, telegram: TelegramServer) -> None:
    group = telegram.group("Shop")
    ada = await bot.member("Ada", Role.ADMIN)
    telegram.say(ada, "/invite editor", to=group)
    await bot.settle()
    assert telegram.shown(group) == []
    assert "An invitation" in telegram.shown(ada)[0].text


async def test_the_group_hears_only_that_the_person_cannot_be_written_to(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    group = telegram.group("Shop")
    ada = await bot.member("Ada", Role.ADMIN)
    telegram._started.discard(ada.user_id)
    telegram.say(ada, "/invite editor", to=group)
    await bot.settle()
    (said,) = telegram.shown(group)
    assert "I cannot write to you privately" in said.text
    assert said.keyboard == []


@pytest.mark.parametrize("name", ["too large", "gone", "no picture"])
async def test_a_bad_file_is_one_sentence(bot: TelegramBot, telegram: TelegramServer, shop: Shop, name: str) -> None:
    anna = await bot.member("Anna")
    before = await shop.listing("MUG-01")
    if name == "too large":
        telegram.send_document(anna, b"x", "MUG-01", size=30_000_000)
    elif name == "gone":
        sent = telegram.send_document(anna, b"x", "MUG-01")
        assert sent.file is not None
        sent.file.is_gone = True
    else:
        telegram.send_document(anna, b"no picture", "MUG-01", name="notes.pdf", mime="application/pdf")
    await bot.settle()
    (said,) = telegram.shown(anna)
    words = {"too large": "30 MB", "gone": "no longer on Telegram", "no picture": "cannot read that file"}[name]
    assert words in said.text
    assert await shop.listing("MUG-01") == before


async def test_german_people_are_answered_in_german_menus(bot: TelegramBot, telegram: TelegramServer) -> None:
    assert set(telegram.commands) == {
        ("all_private_chats", ""),
        ("all_private_chats", "de"),
        ("all_group_chats", ""),
        ("all_group_chats", "de"),
    }
    private = {row["command"] for row in telegram.commands["all_private_chats", ""]}
    groups = {row["command"] for row in telegram.commands["all_group_chats", ""]}
    assert {"help", "settings", "invite", "join"} <= private
    assert groups < private
    assert "join" not in groups


async def test_settings_hold_where_they_were_made(bot: TelegramBot, telegram: TelegramServer) -> None:
    anna, group = await bot.member("Anna"), telegram.group("Shop")
    telegram.say(anna, "/settings language=de timezone=Europe/Berlin", to=group)
    telegram.send_photo(anna, PHOTO, "/enhance MUG-01", to=group)
    telegram.say(anna, "/status")
    await bot.settle()
    card, settings = telegram.shown(group)  # “I have your photo” was said at once
    assert "Einstellungen" in settings.text
    assert "Europe/Berlin" in settings.text
    assert "Ihre Entscheidung" in card.text
    assert card.labels[0] == "✅ Freigeben"
    telegram.press(anna, card, "Ablehnen")
    await telegram.until(lambda: "Zu dunkel" in card.labels)
    assert "How things are" in telegram.shown(anna)[0].text


async def test_a_card_in_two_chats_is_decided_in_one_and_closed_in_both(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna, ben, group = await bot.member("Anna"), await bot.member("Ben"), telegram.group("Shop")
    telegram.send_photo(anna, PHOTO, "MUG-01")
    await bot.settle()
    telegram.say(ben, "/card MUG-01", to=group)
    await bot.settle()
    (first,), (second,) = telegram.shown(anna), telegram.shown(group)
    assert second.labels == first.labels == ["✅ Approve", "✖️ Reject", "🔁 Redo"]
    telegram.press(ben, second, "Approve")
    await bot.settle()
    assert "Approved by Ben" in first.text
    assert first.text == second.text
    assert first.labels == second.labels


async def test_help_and_a_typo(bot: TelegramBot, telegram: TelegramServer) -> None:
    ada = await bot.member("Ada", Role.ADMIN)
    telegram.say(ada, "/start")
    telegram.say(ada, "enhnce MUG-01")
    await bot.settle()
    helped, suggested = telegram.shown(ada)
    assert "/enhance SKU" in helped.text
    assert "/settings" in helped.text
    assert "Did you mean enhance MUG-01?" in suggested.text


async def test_a_sticker_is_answered_with_help_and_a_group_is_left_alone(
    bot: TelegramBot, telegram: TelegramServer
) -> None:
    anna = await bot.member("Anna")
    sticker = {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}  # fmt: skip
    private = {"id": anna.user_id, "type": "private", "first_name": "Anna"}
    group = {"id": -1008, "type": "supergroup", "title": "Shop"}
    for chat in (private, group):
        telegram.send_update(message={"message_id": 900, "date": 1, "chat": chat, "from": anna.json, "sticker": sticker})  # fmt: skip
    await bot.settle()
    assert ["What you can say" in message.text for message in telegram.shown(anna)] == [True]
    assert len(await bot.events()) == 1
