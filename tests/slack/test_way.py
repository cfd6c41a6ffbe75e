"""A photo's whole way in Slack, on both transports: preview, press, published, undone."""

from __future__ import annotations

import pytest

from domain.people import Role
from domain.recipe import Recipe
from tests.fakes.slack import BOT_USER
from tests.fakes.slack_people import labels
from tests.slack.rig import Rig, taken

PHOTO = b"\xff\xd8\xff a phone photo of a mug"


async def test_photo_preview_press_published_undone_in_one_message(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    assert (await rig.people.say(anna, "D", "MUG-01", files=[file])).is_taken
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert labels(card["blocks"]) == ["Approve", "Reject"]
    assert [block["type"] for block in card["blocks"]].count("image") == 1
    assert "Your decision" in card["text"]
    await rig.people.press(anna, "DANNA", card["ts"], "Approve")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Live" in card["text"]
    assert labels(card["blocks"]) == ["Undo"]
    assert "Approved by Anna" in str(card["blocks"])
    await rig.people.press(anna, "DANNA", card["ts"], "Undo")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Undone" in card["text"]
    print(rig.slack.transcript())


async def test_a_mention_is_answered_in_the_thread_of_its_message(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    asked = next(message for message in rig.slack.messages.values() if message["user"] == anna)
    assert card["thread_ts"] == asked["ts"]
    # The answer in that thread needs no mention and no SKU.
    await rig.people.say(anna, shop, "approve", thread=asked["ts"])
    await rig.work()
    (card,) = rig.slack.posted(shop)
    assert "Live" in card["text"]


async def test_a_mention_with_a_photo_counts_once_though_slack_says_it_twice(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> MUG-01", files=[file])
    await rig.work()
    assert len(await rig.shop.enhancements()) == 1
    assert len(rig.slack.posted(shop)) == 1


async def test_a_mention_with_a_photo_counts_where_only_the_message_comes(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna, kind="groups")
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> MUG-01", files=[file], twin=False)
    await rig.work()
    assert len(await rig.shop.enhancements()) == 1


@pytest.mark.parametrize("text", ["MUG-01", "look at MUG-01", ""])
async def test_a_photo_in_a_channel_is_peoples_own_unless_we_are_named(rig: Rig, text: str) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    assert (await rig.people.say(anna, shop, text, files=[file])).is_taken
    thread = next(iter(rig.slack.messages.values()))["ts"]
    assert (await rig.people.say(anna, shop, "approve", thread=thread)).is_taken
    await rig.work()
    assert rig.slack.posted(shop) == []


async def test_the_slash_command_and_what_it_says(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    assert (await rig.people.command(anna, shop, "product MUG-01")).is_taken
    await rig.work()
    (shown,) = rig.slack.posted(shop)
    assert "thread_ts" not in shown
    await rig.people.press(anna, shop, shown["ts"], "Enhance")
    await rig.work()
    assert len(await rig.shop.enhancements()) == 1


async def test_a_slash_command_where_we_are_not_is_explained_directly(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna, with_bot=False)
    await rig.people.command(anna, shop, "status")
    await rig.work()
    (told,) = rig.slack.posted("DANNA")
    assert "/invite" in told["text"]


async def test_a_rejection_asks_for_a_reason(rig: Rig) -> None:
    anna, card = await _card(rig)
    await rig.people.press(anna, "DANNA", card["ts"], "Reject")
    delivered = await rig.people.submit(anna, rig.people.newest_view, reason="too *dark* & <b>")
    assert delivered.is_taken
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Rejected by Anna" in str(card["blocks"])
    assert "&amp; &lt;b&gt;" in card["text"]


async def test_a_redo_takes_a_background_and_a_shadow(rig: Rig) -> None:
    anna, card = await _card(rig)
    await rig.people.press(anna, "DANNA", card["ts"], "Redo")
    refused = await rig.people.submit(anna, rig.people.newest_view, background="own", colour="nocolour")
    assert "nocolour" in refused.answer["errors"]["colour"]
    await rig.people.submit(anna, rig.people.newest_view, background="own", colour="#dfe7ee", shadow="soft")
    await rig.work()
    (enhancement,) = await rig.shop.enhancements()
    assert enhancement.revision.number == 2
    assert str(enhancement.revision.recipe.background) == "#dfe7ee"
    assert enhancement.revision.recipe.shadow == "soft"


async def test_a_redo_takes_everything_a_recipe_has(rig: Rig) -> None:
    anna, card = await _card(rig)
    await rig.people.press(anna, "DANNA", card["ts"], "Redo")
    view = rig.people.newest_view
    for wrong, said in (("margin", "plenty"), ("white", "everywhere"), ("scale", "huge"), ("thing", "0")):
        refused = await rig.people.submit(anna, view, **{wrong: said})
        assert said in refused.answer["errors"][wrong]
    chosen = {
        "background": "gradient",
        "shadow": "reflection",
        "brightness": "+0.5",
        "margin": "8",
        "white": "80x15",
        "aspect": "4:3",
        "scale": "sku",
        "thing": "2",
    }
    await rig.people.submit(anna, view, **chosen)
    await rig.work()
    (enhancement,) = await rig.shop.enhancements()
    assert enhancement.revision.recipe == Recipe().changed(chosen)
    # A form left alone changes nothing of that.
    await rig.people.press(anna, "DANNA", card["ts"], "Redo")
    await rig.people.submit(anna, rig.people.newest_view)
    await rig.work()
    (again,) = await rig.shop.enhancements()
    assert (again.revision.number, again.revision.recipe) == (3, enhancement.revision.recipe)


async def test_a_modal_submitted_twice_counts_once(rig: Rig) -> None:
    anna, card = await _card(rig)
    await rig.people.press(anna, "DANNA", card["ts"], "Redo")
    for _ in range(2):
        await rig.people.submit(anna, rig.people.newest_view, background="transparent")
    await rig.work()
    (enhancement,) = await rig.shop.enhancements()
    assert enhancement.revision.number == 2


async def test_a_stale_press_opens_no_modal_and_is_explained_privately(rig: Rig) -> None:
    anna, card = await _card(rig)
    stale = dict(card)
    await rig.people.press(anna, "DANNA", card["ts"], "Approve")
    await rig.work()
    reject = {"action_id": "press:1", "value": stale["blocks"][-1]["elements"][1]["value"], "type": "button"}
    assert (await rig.people.act(anna, "DANNA", stale, reject)).is_taken
    await rig.work()
    assert rig.slack.views == {}
    assert "Anna was first: MUG-01 is already approved" in rig.slack.posted("DANNA")[-1]["text"]


async def test_in_a_channel_only_the_one_who_pressed_hears_why_not(rig: Rig) -> None:
    anna, vera = rig.people.person("Anna"), rig.people.person("Vera")
    await rig.role(vera, Role.VIEWER)
    shop = rig.people.channel("C1", anna, vera)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    await rig.people.press(vera, shop, card["ts"], "Approve")
    await rig.work()
    (told,) = rig.slack.ephemerals
    assert told["user"] == vera
    assert "ask an admin" in told["text"]
    assert len(rig.slack.posted(shop)) == 1


async def test_the_message_shortcut_asks_which_product(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    file = rig.people.file(anna, "mug.jpg", PHOTO)
    await rig.people.say(anna, shop, "lunch?", files=[file])
    message = next(iter(rig.slack.messages.values()))
    await rig.people.shortcut(anna, "enhance_photo", message, shop)
    await rig.people.submit(anna, rig.people.newest_view, sku="MUG-01")
    await rig.work()
    (card,) = rig.slack.posted(shop)
    assert card["thread_ts"] == message["ts"]
    assert labels(card["blocks"]) == ["Approve", "Reject"]


async def test_the_message_shortcut_on_words_alone_says_what_it_wants(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    await rig.people.say(anna, shop, "lunch?")
    await rig.people.shortcut(anna, "enhance_photo", next(iter(rig.slack.messages.values())), shop)
    assert "no photo" in str(rig.slack.views[rig.people.newest_view])


async def test_the_global_shortcut_answers_in_the_direct_messages(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.shortcut(anna, "enhance_sku")
    refused = await rig.people.submit(anna, rig.people.newest_view, sku=" ")
    assert refused.answer["response_action"] == "errors"
    assert refused.answer["errors"].keys() == {"sku"}
    await rig.people.submit(anna, rig.people.newest_view, sku="MUG-01", background="#eeeeee")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    assert "Your decision" in card["text"]


async def test_a_photo_over_slack_connect_has_only_its_id(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    file = rig.people.file(anna, "mug.jpg", PHOTO, mode="check_file_info")
    await rig.people.say(anna, "D", "MUG-01", files=[file])
    await rig.work()
    assert "Your decision" in rig.slack.posted("DANNA")[0]["text"]


async def test_a_question_is_answered_in_its_thread_by_a_bare_word(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    shop = rig.people.channel("C1", anna)
    file = rig.people.file(anna, "photo.jpg", PHOTO)
    await rig.people.say(anna, shop, f"<@{BOT_USER}> what a nice blue one", files=[file])
    await rig.work()
    (question,) = rig.slack.posted(shop)
    asked = question["thread_ts"]
    await rig.people.say(anna, shop, "MUG-01", thread=asked)
    await rig.work()
    card = rig.slack.posted(shop)[-1]
    assert labels(card["blocks"]) == ["Approve", "Reject"]
    assert card["thread_ts"] == asked
    await rig.people.say(anna, shop, "no, too dark", thread=asked)
    await rig.work()
    assert "too dark" in rig.slack.posted(shop)[-1]["text"]


async def test_words_arrive_as_they_were_typed(rig: Rig) -> None:
    anna = rig.people.person("Anna")
    await rig.people.say(
        anna, "D", "products a&amp;b &lt;c&gt; <mailto:x@y.example|x@y.example> <https://mug.example|mug.example>"
    )
    await rig.work()
    (key,) = await taken(rig.shop)
    incoming = await rig.shop.events.load(key)
    assert incoming.text == "products a&b <c> x@y.example mug.example"


async def _card(rig: Rig) -> tuple[str, dict[str, object]]:
    anna = rig.people.person("Anna")
    await rig.people.say(anna, "D", "enhance MUG-01")
    await rig.work()
    (card,) = rig.slack.posted("DANNA")
    return anna, dict(card)
