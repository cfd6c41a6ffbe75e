"""What goes out: one message edited, pictures, private answers, and every way in which Slack refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from domain.catalog import Sha256
from domain.errors import BadPhoto, Fault, RateLimited, StoreDown, Undeliverable
from domain.intents import Attachment, Incoming
from domain.people import Actor, ChatName, Place
from domain.replies import Outgoing, PreviewReady, Published, Refused, Reply, StatusShown, Working
from handlers.slack import files
from handlers.slack.chat import SlackChat
from tests.console.samples import every_reply
from tests.fakes import FakeMedia
from tests.fakes.slack import BOT_TOKEN, FakeSlack
from tests.fakes.slack_people import SlackPeople

PICTURE = b"\xff\xd8\xff before and after"
CHANNEL, DIRECT = Place(ChatName.SLACK, "C1"), Place(ChatName.SLACK, "DANNA")
ANNA = Actor(ChatName.SLACK, "UANNA", "Anna")
STATUS = StatusShown("builtin", (), 0, 0, 0, None)


class Office:
    """A chat before a Slack with one person and two places."""

    def __init__(self, slack: FakeSlack, media: FakeMedia, chat: SlackChat, digest: Sha256) -> None:
        self.slack, self.media, self.chat, self.digest = slack, media, chat, digest
        self.people = SlackPeople(slack, transport="http")

    def outgoing(self, reply: Reply, *, native_id: str = "", place: Place = CHANNEL, asked: str = "") -> Outgoing:
        incoming = Incoming("slack:1", "t", ANNA, place, message_id=asked)
        return Outgoing("key-1", "t", place, native_id, reply, "slack:1", asked=incoming, timezone="Europe/Berlin")

    def preview(self) -> PreviewReady:
        card = next(reply for reply in every_reply() if isinstance(reply, PreviewReady)).card
        return PreviewReady(replace(card, preview=self.digest))

    def blocks(self, ts: str, channel: str = "C1") -> list[dict[str, object]]:
        return list(self.slack.messages[channel, ts]["blocks"])


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with FakeSlack() as slack:
        media = FakeMedia()
        digest = await media.put(PICTURE)
        chat = SlackChat(bot_token=BOT_TOKEN, api_url=slack.api_url, media=media, pause_s=0.001)
        office = Office(slack, media, chat, digest)
        office.people.channel("C1", office.people.person("Anna"))
        slack.direct("UANNA")
        yield office
        await chat.close()


# ---------------------------------------------------------------- pictures


async def test_a_picture_is_uploaded_once_and_waited_for(office: Office) -> None:
    office.slack.polls_until_ready = 3
    ts = await office.chat.deliver(office.outgoing(office.preview()))
    published = next(reply for reply in every_reply() if isinstance(reply, Published))
    published = replace(published, card=office.preview().card)
    assert await office.chat.deliver(office.outgoing(published, native_id=ts)) == ts
    (file,) = office.slack.files.values()
    assert file.content == PICTURE
    assert file.alt == "Stoneware mug, ocean blue on white, before and after"
    assert len(office.slack.called("files.getUploadURLExternal")) == 1
    assert [block["type"] for block in office.blocks(ts)].count("image") == 1


@pytest.mark.parametrize("trouble", ["never ready", "refused"])
async def test_a_picture_slack_will_not_show_is_shared_in_the_thread(office: Office, trouble: str) -> None:
    if trouble == "never ready":
        office.slack.polls_until_ready = files.READY_POLLS + 5
    else:
        office.slack.uploads_are_unshowable = True
    ts = await office.chat.deliver(office.outgoing(office.preview()))
    shared = [message for message in office.slack.posted("C1") if message.get("subtype") == "file_share"]
    assert [message["thread_ts"] for message in shared] == [ts]
    assert "it is in the thread" in str(office.blocks(ts))
    # The next edit neither tries for ever nor shares it again.
    posts = len(office.slack.called("files.getUploadURLExternal"))
    await office.chat.deliver(office.outgoing(office.preview(), native_id=ts))
    assert len(office.slack.called("files.getUploadURLExternal")) == posts
    assert "it is in the thread" in str(office.blocks(ts))


async def test_a_card_whose_picture_is_gone_keeps_its_words(office: Office) -> None:
    office.media.kept.clear()
    ts = await office.chat.deliver(office.outgoing(office.preview()))
    assert "Your decision" in office.slack.messages["C1", ts]["text"]
    assert not any(block["type"] == "image" for block in office.blocks(ts))


async def test_an_upload_without_its_scope_names_it(office: Office) -> None:
    office.slack.scopes.discard("files:write")
    with pytest.raises(Undeliverable, match="files:write") as caught:
        await office.chat.deliver(office.outgoing(office.preview()))
    assert caught.value.scope == "chat"


@pytest.mark.parametrize(("how", "error"), [("429", RateLimited), ("503", StoreDown)])
async def test_a_refused_upload_is_tried_again_later(office: Office, how: str, error: type[Exception]) -> None:
    office.slack.fail("upload", how)
    with pytest.raises(error):
        await office.chat.deliver(office.outgoing(office.preview()))
    assert await office.chat.deliver(office.outgoing(office.preview()))


# ---------------------------------------------------------------- one message


async def test_progress_is_one_message_edited_with_text_and_blocks_always(office: Office) -> None:
    ts = await office.chat.deliver(office.outgoing(Working("MUG-01", "received")))
    seen = [block["block_id"] for block in office.blocks(ts)]
    for stage in ("waiting", "fetching", "enhancing"):
        assert await office.chat.deliver(office.outgoing(Working("MUG-01", stage), native_id=ts)) == ts
        ids = [block["block_id"] for block in office.blocks(ts)]
        assert not set(seen) & set(ids)
        seen += ids
    assert len(office.slack.posted("C1")) == 1
    for call in [*office.slack.called("chat.postMessage"), *office.slack.called("chat.update")]:
        assert call.arguments["text"]
        assert call.arguments["blocks"]


async def test_a_channel_is_answered_in_the_thread_and_a_direct_message_is_not(office: Office) -> None:
    asked = office.slack.keep("C1", {"user": "UANNA", "text": "status"})["ts"]
    ts = await office.chat.deliver(office.outgoing(STATUS, asked=asked))
    assert office.slack.messages["C1", ts]["thread_ts"] == asked
    asked = office.slack.keep("DANNA", {"user": "UANNA", "text": "status"})["ts"]
    ts = await office.chat.deliver(office.outgoing(STATUS, place=DIRECT, asked=asked))
    assert "thread_ts" not in office.slack.messages["DANNA", ts]
    ts = await office.chat.deliver(office.outgoing(STATUS, place=Place(ChatName.SLACK, "DANNA", asked)))
    assert office.slack.messages["DANNA", ts]["thread_ts"] == asked


async def test_another_place_that_shows_the_card_has_no_thread_of_the_first(office: Office) -> None:
    asked = office.slack.keep("DANNA", {"user": "UANNA", "text": "status"})["ts"]
    outgoing = replace(office.outgoing(STATUS, place=DIRECT, asked=asked), place=CHANNEL)
    assert "thread_ts" not in office.slack.messages["C1", await office.chat.deliver(outgoing)]


async def test_a_private_answer_is_seen_by_one_and_takes_back_what_all_saw(office: Office) -> None:
    ts = await office.chat.deliver(office.outgoing(Working("MUG-01", "received")))
    assert await office.chat.deliver(office.outgoing(Refused("x", "No & never."), native_id=ts)) == ""
    (told,) = office.slack.ephemerals
    assert (told["user"], told["text"]) == ("UANNA", "No &amp; never.")
    assert office.slack.posted("C1") == []


async def test_in_direct_messages_a_private_answer_is_an_ordinary_one(office: Office) -> None:
    ts = await office.chat.deliver(office.outgoing(Working("MUG-01", "received"), place=DIRECT))
    assert await office.chat.deliver(office.outgoing(Refused("x", "No."), native_id=ts, place=DIRECT)) == ts
    assert office.slack.messages["DANNA", ts]["text"] == "No."
    assert office.slack.ephemerals == []


async def test_a_private_answer_where_we_are_not_is_given_directly(office: Office) -> None:
    office.people.channel("C2", "UANNA", with_bot=False)
    assert await office.chat.deliver(office.outgoing(Refused("x", "No."), place=Place(ChatName.SLACK, "C2"))) == ""
    assert [message["text"] for message in office.slack.posted("DANNA")] == ["No."]


async def test_who_asked_elsewhere_is_not_told_that_a_place_is_closed(office: Office) -> None:
    office.slack.conversations["C1"].is_archived = True
    elsewhere = Incoming("telegram:1", "t", Actor(ChatName.TELEGRAM, "7", "Tom"), Place(ChatName.TELEGRAM, "7"))
    with pytest.raises(Undeliverable):
        await office.chat.deliver(replace(office.outgoing(STATUS), asked=elsewhere))
    assert office.slack.called("conversations.open") == []
    with pytest.raises(Undeliverable):
        await office.chat.deliver(office.outgoing(STATUS))
    assert [message["text"] for message in office.slack.posted("DANNA")] == [
        "That Slack channel is archived: unarchive it, or ask in another one."
    ]


# ---------------------------------------------------------------- a post that may have arrived


@pytest.mark.parametrize("place", [CHANNEL, DIRECT])
async def test_a_post_that_was_cut_off_is_found_and_not_sent_twice(office: Office, place: Place) -> None:
    asked = office.slack.keep(place.place_id, {"user": "UANNA", "text": "status"})["ts"]
    outgoing = office.outgoing(STATUS, place=place, asked=asked)
    office.slack.fail("chat.postMessage", "cut_after")
    with pytest.raises(StoreDown):
        await office.chat.deliver(outgoing)
    assert len(office.slack.posted(place.place_id)) == 1
    assert await office.chat.find_posted(outgoing) == office.slack.posted(place.place_id)[0]["ts"]
    (looked,) = [*office.slack.called("conversations.history"), *office.slack.called("conversations.replies")]
    assert int(looked.arguments["limit"]) <= 50


async def test_a_post_that_never_arrived_is_not_found(office: Office) -> None:
    office.slack.fail("chat.postMessage", "cut")
    with pytest.raises(StoreDown):
        await office.chat.deliver(office.outgoing(STATUS))
    assert await office.chat.find_posted(office.outgoing(STATUS)) is None


async def test_where_we_may_not_look_nothing_is_found(office: Office) -> None:
    office.slack.scopes.discard("channels:history")
    assert await office.chat.find_posted(office.outgoing(STATUS)) is None


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_429_says_how_long(office: Office, method: str) -> None:
    ts = await office.chat.deliver(office.outgoing(STATUS))
    office.slack.fail(method, "429", retry_after=31)
    with pytest.raises(RateLimited) as caught:
        await office.chat.deliver(office.outgoing(STATUS, native_id=ts if method == "chat.update" else ""))
    assert caught.value.retry_after_s == 31
    assert caught.value.store == "Slack"


@pytest.mark.parametrize("how", ["500", "cut", "internal_error", "service_unavailable"])
async def test_trouble_at_slack_is_waited_out(office: Office, how: str) -> None:
    office.slack.fail("chat.postMessage", how)
    with pytest.raises(StoreDown):
        await office.chat.deliver(office.outgoing(STATUS))
    assert await office.chat.deliver(office.outgoing(STATUS))


async def test_a_call_that_hangs_is_given_up(office: Office) -> None:
    office.chat._client.timeout = 0.2  # type: ignore[assignment]
    office.slack.fail("chat.postMessage", "hang")
    with pytest.raises(StoreDown):
        await office.chat.deliver(office.outgoing(STATUS))


async def test_slack_that_is_not_there_at_all(office: Office) -> None:
    chat = SlackChat(bot_token=BOT_TOKEN, api_url="http://127.0.0.1:9/api/", media=office.media)
    with pytest.raises(StoreDown):
        await chat.deliver(office.outgoing(STATUS))


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("channel_not_found", "place"),
        ("is_archived", "place"),
        ("not_in_channel", "place"),
        ("user_disabled", "place"),
        ("restricted_action", "place"),
        ("message_not_found", "message"),
        ("cant_update_message", "message"),
        ("thread_not_found", "message"),
        ("token_revoked", "chat"),
        ("invalid_auth", "chat"),
        ("account_inactive", "chat"),
        ("missing_scope", "chat"),
    ],
)
async def test_what_will_never_work_says_how_far_it_reaches(office: Office, code: str, scope: str) -> None:
    office.slack.fail("chat.postMessage", code)
    with pytest.raises(Undeliverable) as caught:
        await office.chat.deliver(office.outgoing(STATUS))
    assert caught.value.scope == scope
    assert caught.value.sentence.endswith(".")


async def test_an_archived_channel_a_deleted_message_a_revoked_token(office: Office) -> None:
    ts = await office.chat.deliver(office.outgoing(STATUS))
    office.slack.conversations["C1"].is_archived = True
    with pytest.raises(Undeliverable, match="archived"):
        await office.chat.deliver(office.outgoing(STATUS, native_id=ts))
    office.slack.conversations["C1"].is_archived = False
    del office.slack.messages["C1", ts]
    with pytest.raises(Undeliverable, match="deleted"):
        await office.chat.deliver(office.outgoing(STATUS, native_id=ts))
    office.slack.is_token_revoked = True
    with pytest.raises(Undeliverable, match="SLACK_BOT_TOKEN"):
        await office.chat.deliver(office.outgoing(STATUS))


async def test_what_nobody_foresaw_is_our_fault_and_keeps_slacks_word(office: Office) -> None:
    office.slack.fail("chat.postMessage", "something_new")
    with pytest.raises(Fault, match="something_new") as caught:
        await office.chat.deliver(office.outgoing(STATUS))
    assert caught.value.code == "slack_refused"


async def test_the_limits_are_slacks(office: Office) -> None:
    (post,) = office.chat.limits(office.outgoing(STATUS))
    (update,) = office.chat.limits(office.outgoing(STATUS, native_id="1.1"))
    (private,) = office.chat.limits(office.outgoing(Refused("x", "No."), native_id="1.1"))
    assert (post.count, post.per_s, "C1" in post.key) == (1, 1.0, True)
    assert (update.count, update.per_s, "C1" in update.key) == (50, 60.0, False)
    assert private == post


# ---------------------------------------------------------------- photos people sent


async def test_a_photo_is_fetched_with_our_token(office: Office) -> None:
    file = office.people.file("UANNA", "mug.jpg", PICTURE)
    assert await office.chat.fetch(Attachment(file.id)) == PICTURE


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"is_deleted": True}, "gone"),
        ({"is_lost": True}, "gone"),
        ({"mode": "tombstone"}, "gone"),
        ({"mode": "external"}, "foreign"),
        ({"url": "https://evil.example/mug.jpg"}, "foreign"),
        ({"url": "https://files.slack.com.evil.example/mug.jpg"}, "foreign"),
        ({"url": "http://files.slack.com/mug.jpg"}, "foreign"),
        ({"url": "https://user@evil.example/files.slack.com"}, "foreign"),
        ({"redirect": "https://evil.example/mug.jpg"}, "foreign"),
        ({"redirect": "http://127.0.0.1:9/mug.jpg"}, "foreign"),
    ],
    ids=str,
)
async def test_a_file_that_is_no_photo_of_slacks(office: Office, facts: dict[str, object], reason: str) -> None:
    file = office.people.file("UANNA", "mug.jpg", PICTURE, **facts)
    with pytest.raises(BadPhoto) as caught:
        await office.chat.fetch(Attachment(file.id))
    assert caught.value.reason == reason


async def test_a_file_nobody_knows(office: Office) -> None:
    with pytest.raises(BadPhoto, match="I cannot find that file"):
        await office.chat.fetch(Attachment("F404"))


@pytest.mark.parametrize("method", ["files.info", "download"])
async def test_a_missing_scope_is_a_login_page_and_named(office: Office, method: str) -> None:
    file = office.people.file("UANNA", "mug.jpg", PICTURE)
    if method == "files.info":
        office.slack.scopes.discard("files:read")
    else:
        file.content = b"\n <!DOCTYPE html><html>sign in</html>"
    with pytest.raises(BadPhoto, match="files:read") as caught:
        await office.chat.fetch(Attachment(file.id))
    assert caught.value.reason == "no_scope"


async def test_a_file_too_large_is_not_fetched(office: Office) -> None:
    with pytest.raises(BadPhoto, match="120 MB"):
        await office.chat.fetch(Attachment("F1", size_bytes=120 * 1024 * 1024))
    file = office.people.file("UANNA", "mug.jpg", PICTURE)
    file.length = files.MAX_BYTES + 1
    with pytest.raises(BadPhoto) as caught:
        await office.chat.fetch(Attachment(file.id))
    assert caught.value.reason == "too_large"
    assert len(office.slack.called("files.info")) == 1


@pytest.mark.parametrize(
    ("how", "error"), [("429", RateLimited), ("500", StoreDown), ("404", BadPhoto), ("403", BadPhoto)]
)
async def test_a_download_that_fails(office: Office, how: str, error: type[Exception]) -> None:
    file = office.people.file("UANNA", "mug.jpg", PICTURE)
    office.slack.fail("download", how)
    with pytest.raises(error):
        await office.chat.fetch(Attachment(file.id))


def test_only_slacks_hosts_are_told_the_token() -> None:
    from handlers.slack.api import is_slacks

    assert is_slacks("https://files.slack.com/x", api_url="https://slack.com/api/")
    assert is_slacks("https://shop.slack.com/x", api_url="https://slack.com/api/")
    assert not is_slacks("https://notslack.com/x", api_url="https://slack.com/api/")
    assert not is_slacks("http://127.0.0.1:80/x", api_url="https://slack.com/api/")
    assert is_slacks("http://127.0.0.1:80/x", api_url="http://127.0.0.1:80/api/")
    assert not is_slacks("http://127.0.0.1:81/x", api_url="http://127.0.0.1:80/api/")
    assert not is_slacks("http://attacker.example/x", api_url="http://attacker.example/api/")


async def test_doctor_hears_who_we_are_and_which_scope_is_missing(office: Office) -> None:
    assert await office.chat.whoami() == "@packshot in Shop"
    office.slack.scopes.discard("files:write")
    with pytest.raises(Undeliverable, match="lacks files:write"):
        await office.chat.whoami()
    office.slack.is_token_revoked = True
    with pytest.raises(Undeliverable) as gone:
        await office.chat.whoami()
    assert gone.value.scope == "chat"
