"""The console over HTTP: who may, what is taken, what a reader gets."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette

from domain.people import Role
from domain.replies import Card, Invited, PreviewReady, Refused, Working
from handlers.console import lines as lines_module
from handlers.console.chat import ROOM
from handlers.console.guard import COOKIE
from handlers.console.lines import Reader
from handlers.console.listeners import console_routes
from handlers.console.uploads import MAX_PHOTOS
from tests.console.fakes import ANNA, HOST, IN_A_WEEK, KEY, NOW, OWNER, TEAM, Office

ORIGIN = f"http://{HOST}"
JPEG = b"\xff\xd8\xff\xe0 a photo"
LOCAL = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def browser(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A client as a browser would be: no redirects followed, cookies kept."""
    async with _client(office) as client:
        yield client


def _client(office: Office, *, max_upload_bytes: int = 1_000_000) -> httpx.AsyncClient:
    app = Starlette(routes=console_routes(office.desk(max_upload_bytes=max_upload_bytes)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN)


async def _log_in(browser: httpx.AsyncClient, office: Office, member_id: str = OWNER.member_id) -> dict[str, str]:
    """Enter by a link and return the headers that the page sends with a POST."""
    code = await office.logins.offer(member_id, now=NOW)
    entered = await browser.get("/console", params={"code": code})
    assert entered.status_code == 303
    page = await browser.get("/console")
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', page.text)
    assert token is not None
    return {"X-CSRF": token[1], "Origin": ORIGIN}


# ---------------------------------------------------------------- getting in


async def test_a_stranger_is_told_how_to_get_in(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/console")
    assert page.status_code == 401
    assert "packshot run" in page.text
    assert "packshot invite" in page.text


async def test_a_link_works_once(browser: httpx.AsyncClient, office: Office) -> None:
    code = await office.logins.offer(OWNER.member_id, now=NOW)
    first = await browser.get("/console", params={"code": code})
    assert (first.status_code, first.headers["location"]) == (303, "/console")
    browser.cookies.clear()
    second = await browser.get("/console", params={"code": code})
    assert second.status_code == 401
    assert "set-cookie" not in second.headers


async def test_the_cookie_is_for_this_site_and_no_script(browser: httpx.AsyncClient, office: Office) -> None:
    code = await office.logins.offer(OWNER.member_id, now=NOW)
    cookie = (await browser.get("/console", params={"code": code})).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/;" in cookie  # a link to connect a store tells by it whose browser this is
    assert "secure" not in cookie
    code = await office.logins.offer(OWNER.member_id, now=NOW)
    over_tls = await browser.get(f"https://{HOST}/console", params={"code": code})
    assert "secure" in over_tls.headers["set-cookie"].lower()


@pytest.mark.parametrize("is_https", [True, False])
async def test_the_cookie_is_secure_where_tls_ends_before_us(office: Office, is_https: bool) -> None:
    app = Starlette(routes=console_routes(office.desk(is_https=is_https)))
    code = await office.logins.offer(OWNER.member_id, now=NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as browser:
        entered = await browser.get("/console", params={"code": code})
    assert ("; secure" in entered.headers["set-cookie"].lower()) is is_https


async def test_an_invitation_makes_a_member_and_lets_them_in(browser: httpx.AsyncClient, office: Office) -> None:
    invitation = await office.people.invite(TEAM, Role.EDITOR, by="owner", expires_at=IN_A_WEEK)
    form = {"code": f"join {invitation.code}", "name": "  Mira  K "}
    joined = await browser.post("/console/join", data=form, headers={"Origin": ORIGIN})
    assert joined.status_code == 303
    page = await browser.get("/console")
    assert "Mira K" in page.text
    again = await browser.post("/console/join", data={**form, "name": "Ben"}, headers={"Origin": ORIGIN})
    assert again.status_code == 401
    assert "used or too old" in again.text


async def test_nobody_joins_under_a_name_that_is_taken(browser: httpx.AsyncClient, office: Office) -> None:
    invitation = await office.people.invite(TEAM, Role.EDITOR, by="owner", expires_at=IN_A_WEEK)
    form = {"code": invitation.code, "name": "OWNER"}
    refused = await browser.post("/console/join", data=form, headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert "is called OWNER already" in refused.text
    assert set(office.members) == {OWNER.member_id, ANNA.member_id}


async def test_a_form_on_another_site_cannot_join(browser: httpx.AsyncClient, office: Office) -> None:
    invitation = await office.people.invite(TEAM, Role.EDITOR, by="owner", expires_at=IN_A_WEEK)
    form = {"code": invitation.code, "name": "Mira"}
    refused = await browser.post("/console/join", data=form, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403


async def test_a_link_from_another_site_asks_once_more_by_itself(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/console", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'content="0;url=/console"' in page.text


async def test_signing_out_ends_the_login(browser: httpx.AsyncClient, office: Office) -> None:
    headers = await _log_in(browser, office)
    cookie = browser.cookies[COOKIE]
    assert (await browser.post("/console/leave", headers=headers)).status_code == 204
    assert await office.logins.find(cookie, now=NOW) is None


# ---------------------------------------------------------------- refusals before anything is read


@pytest.mark.parametrize("path", ["/console/say", "/console/press"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"X-CSRF": "0" * 64}, 403),
        ({"X-CSRF": ""}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_a_forged_post_is_no_event(
    browser: httpx.AsyncClient, office: Office, path: str, change: dict[str, str], status: int
) -> None:
    headers = await _log_in(browser, office) | change
    answer = await browser.post(path, data={"text": "help", "token": "v1:undo:abc:1"}, headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert not office.events.taken


@pytest.mark.parametrize("path", ["/console/lines", "/console/stream", "/console/photos/" + "a" * 64])
async def test_reading_needs_a_login(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path)).status_code == 401


async def test_every_answer_carries_the_policy(browser: httpx.AsyncClient) -> None:
    for path in ("/console", "/console/lines", "/console/static/console.css"):
        headers = (await browser.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in {"no-store", "no-cache"}
        assert headers["referrer-policy"] == "same-origin"


async def test_the_local_key_speaks_as_the_owner_or_as_a_member(browser: httpx.AsyncClient, office: Office) -> None:
    await browser.post("/console/say", data={"text": "help"}, headers=LOCAL)
    await browser.post("/console/say", data={"text": "help"}, headers=LOCAL | {"X-Packshot-As": "Anna"})
    assert [incoming.actor.name for incoming in office.events.taken.values()] == ["owner", "Anna"]


async def test_a_name_beyond_ascii_comes_quoted_in_its_header(browser: httpx.AsyncClient, office: Office) -> None:
    office.members["m-juergen"] = replace(ANNA, member_id="m-juergen", name="Jürgen Weiß")
    headers = LOCAL | {"X-Packshot-As": quote("Jürgen Weiß", safe="")}
    assert (await browser.post("/console/say", data={"text": "help"}, headers=headers)).status_code == 202
    assert [incoming.actor.name for incoming in office.events.taken.values()] == ["Jürgen Weiß"]


async def test_an_unknown_name_is_refused_with_the_way_out(browser: httpx.AsyncClient, office: Office) -> None:
    answer = await browser.post("/console/say", data={"text": "help"}, headers=LOCAL | {"X-Packshot-As": "Zoe"})
    assert answer.status_code == 403
    assert "packshot invite ROLE --as Zoe" in answer.json()["error"]
    assert not office.events.taken


async def test_a_wrong_local_key_is_refused_even_with_a_cookie(browser: httpx.AsyncClient, office: Office) -> None:
    headers = await _log_in(browser, office) | {"Authorization": "Bearer wrong"}
    assert (await browser.post("/console/say", data={"text": "help"}, headers=headers)).status_code == 401


# ---------------------------------------------------------------- what is taken


async def test_several_photos_are_one_event(browser: httpx.AsyncClient, office: Office) -> None:
    headers = await _log_in(browser, office)
    files = [("photo", ("a.jpg", JPEG, "image/jpeg")), ("photo", ("b.txt", b"no photo at all", "text/plain"))]
    answer = await browser.post("/console/say", data={"text": "MUG-01"}, files=files, headers=headers)
    assert answer.status_code == 202
    (incoming,) = office.events.taken.values()
    assert answer.json() == {"event": incoming.event_key}
    assert incoming.text == "MUG-01"
    assert incoming.place == ROOM
    assert [office.media.kept[photo] for photo in incoming.photos] == [JPEG, b"no photo at all"]


async def test_the_same_event_id_is_one_event(browser: httpx.AsyncClient, office: Office) -> None:
    headers = await _log_in(browser, office) | {"X-Event-Id": "0123456789abcdef"}
    answers = [await browser.post("/console/say", data={"text": "help"}, headers=headers) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["event"] for answer in answers}) == 1
    assert len(office.events.taken) == 1


async def test_two_members_with_the_same_event_id_are_two_events(browser: httpx.AsyncClient, office: Office) -> None:
    for name in ("owner", "Anna"):
        headers = LOCAL | {"X-Packshot-As": name, "X-Event-Id": "0123456789abcdef"}
        await browser.post("/console/say", data={"text": "help"}, headers=headers)
    assert len(office.events.taken) == 2


async def test_a_press_carries_token_reason_and_options(browser: httpx.AsyncClient, office: Office) -> None:
    form = {"token": "v1:redo:abc:1", "text": "too dark", "set": ["background=#eee", "shadow=none"]}
    assert (await browser.post("/console/press", data=form, headers=LOCAL)).status_code == 202
    (incoming,) = office.events.taken.values()
    assert (incoming.token, incoming.text) == ("v1:redo:abc:1", "too dark")
    assert incoming.options == {"background": "#eee", "shadow": "none"}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/console/say", {"text": "   "}),
        ("/console/press", {"text": "no token"}),
        ("/console/press", {"token": "v1:redo:abc:1", "set": "background"}),
    ],
)
async def test_an_empty_or_broken_form_is_refused(
    browser: httpx.AsyncClient, office: Office, path: str, form: dict[str, str]
) -> None:
    assert (await browser.post(path, data=form, headers=LOCAL)).status_code == 400
    assert not office.events.taken


async def test_a_declared_length_over_the_limit_is_refused_unread(office: Office) -> None:
    async with _client(office, max_upload_bytes=1000) as client:
        answer = await client.post("/console/say", files={"photo": ("a.jpg", JPEG * 200)}, headers=LOCAL)
    assert answer.status_code == 413
    assert "fewer or smaller" in answer.json()["error"]
    assert not office.media.kept


async def test_an_undeclared_length_is_counted_while_reading(office: Office) -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
        for number in range(1000):
            read.append(number)
            yield b"x" * 100

    headers = LOCAL | {"Content-Type": "multipart/form-data; boundary=b"}
    async with _client(office, max_upload_bytes=1000) as client:
        answer = await client.post("/console/say", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert len(read) < 20
    assert not office.media.kept


async def test_a_form_of_too_many_fields_is_refused(browser: httpx.AsyncClient) -> None:
    form = {f"field{number}": "x" for number in range(60)}
    answer = await browser.post("/console/join", data=form, headers={"Origin": ORIGIN})
    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_full_temporary_folder_is_one_sentence_and_no_event(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_words: Any, **_names: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)  # what a spooled file rolls over to
    large = b"\xff\xd8\xff" + bytes(1_500_000)
    async with _client(office, max_upload_bytes=4_000_000) as client:
        answer = await client.post("/console/say", files={"photo": ("a.jpg", large)}, headers=LOCAL)
    assert answer.status_code == 507
    assert "temporary folder" in answer.json()["error"]
    assert not office.events.taken


async def test_too_many_photos_are_refused_together(browser: httpx.AsyncClient, office: Office) -> None:
    files = [("photo", (f"{number}.jpg", JPEG)) for number in range(MAX_PHOTOS + 1)]
    answer = await browser.post("/console/say", files=files, headers=LOCAL)
    assert answer.status_code == 413
    assert not office.media.kept


async def test_a_full_disk_is_one_sentence_and_no_event(browser: httpx.AsyncClient, office: Office) -> None:
    office.media.is_full = True
    answer = await browser.post("/console/say", files={"photo": ("a.jpg", JPEG)}, headers=LOCAL)
    assert answer.status_code == 503
    assert "media_full" in answer.json()["error"]
    assert not office.events.taken


# ---------------------------------------------------------------- what a reader gets


async def test_lines_come_by_cursor_with_html_for_replies(browser: httpx.AsyncClient, office: Office) -> None:
    office.working = Working("MUG-01", "received")
    await browser.post("/console/say", data={"text": "hi"}, files={"photo": ("a.jpg", JPEG)}, headers=LOCAL)
    page = (await browser.get("/console/lines", headers=LOCAL)).json()
    said, working = page["lines"]
    assert (said["text"], said["is_mine"], len(said["photos"])) == ("hi", True, 1)
    assert "Working" in working["html"]
    assert working["waits"] is True
    later = (await browser.get("/console/lines", params={"after": page["cursor"]}, headers=LOCAL)).json()
    assert later == {"lines": [], "cursor": page["cursor"], "more": False}


async def test_an_edited_message_is_listed_once(browser: httpx.AsyncClient, office: Office) -> None:
    for stage in ("received", "waiting", "enhancing"):
        await office.events.say("m", Working("MUG-01", stage), cause="console:m-owner:e1")
    page = (await browser.get("/console/lines", headers=LOCAL)).json()
    assert [line["cursor"] for line in page["lines"]] == [3]


async def test_the_page_starts_at_the_newest_lines(browser: httpx.AsyncClient, office: Office) -> None:
    await _log_in(browser, office)
    assert '<meta name="cursor" content="0">' in (await browser.get("/console")).text
    for number in range(205):
        await office.events.say(f"m{number}", Refused("x", "no"), cause="console:m-owner:e1")
    assert '<meta name="cursor" content="5">' in (await browser.get("/console")).text


async def test_what_is_private_reaches_only_the_one_who_asked(browser: httpx.AsyncClient, office: Office) -> None:
    await office.events.say("m", Working("MUG-01", "received"), cause="console:m-owner:e1")
    await office.events.say("m", Refused("bad_photo", "secret sentence"), cause="console:m-owner:e1")
    await office.events.say("i", Invited("secret-code", Role.ADMIN, IN_A_WEEK), cause="console:m-owner:e2")
    mine = (await browser.get("/console/lines", headers=LOCAL)).text
    theirs = (await browser.get("/console/lines", headers=LOCAL | {"X-Packshot-As": "Anna"})).text
    assert "secret sentence" in mine
    assert "secret-code" in mine
    assert "secret" not in theirs
    assert [line["gone"] for line in json.loads(theirs)["lines"]] == [True, True]


async def test_an_event_shows_its_latest_replies_and_buttons(browser: httpx.AsyncClient, office: Office) -> None:
    event = (await browser.post("/console/say", data={"text": "enhance MUG-01"}, headers=LOCAL)).json()["event"]
    await office.events.say("m", Working("MUG-01", "received"), cause=event)
    card = Card("e1", 1, "MUG-01", "Blue mug", ("Shelf",), "owner")
    await office.events.say("m", PreviewReady(card), cause=event)
    office.events.concluded.add(event)
    answer = (await browser.get(f"/console/events/{event}", headers=LOCAL)).json()
    assert answer["handled"] is True
    (line,) = answer["lines"]
    assert line["reply"]["type"] == "PreviewReady"
    assert line["buttons"][0] == {
        "label": "Approve", "token": "v1:approve:e1:1", "style": "primary", "asks": "confirm"
    }  # fmt: skip
    foreign = await browser.get(f"/console/events/{event}", headers=LOCAL | {"X-Packshot-As": "Anna"})
    assert foreign.status_code == 404


async def test_a_stream_resumes_where_the_browser_was(office: Office) -> None:
    for number in range(3):
        await office.events.say(f"m{number}", Refused("x", f"line {number}"), cause="console:m-owner:e1")

    async def still_here() -> bool:
        return True

    stream = Reader(office.lines, OWNER, frozenset()).stream(1, still_here=still_here)
    seen = [await anext(stream) for _ in range(3)]
    assert seen[0].startswith(":")
    assert [event.split("\n")[0] for event in seen[1:]] == ["id: 2", "id: 3"]
    upcoming = asyncio.ensure_future(anext(stream))
    await office.events.say("m9", Refused("x", "line 9"), cause="console:m-owner:e1")
    assert (await upcoming).startswith("id: 4\nevent: line\ndata: {")
    await stream.aclose()


async def test_a_quiet_stream_beats_and_ends_with_the_login(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "HEARTBEAT_S", 0.01)
    answers = iter([True, False])

    async def still_here() -> bool:
        return next(answers)

    stream = Reader(office.lines, OWNER, frozenset()).stream(0, still_here=still_here)
    assert [event async for event in stream] == [
        ": hello\n\n", ": still here\n\n", "event: signed-out\ndata: {}\n\n"
    ]  # fmt: skip


async def test_a_busy_stream_ends_with_the_login_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(step=10)
    monkeypatch.setattr(lines_module, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    for number in range(3):
        await office.events.say(f"m{number}", Refused("x", f"line {number}"), cause="console:m-owner:e1")

    async def still_here() -> bool:
        return False

    stream = Reader(office.lines, OWNER, frozenset()).stream(0, still_here=still_here)
    async with asyncio.timeout(5):
        async for event in stream:
            if event.startswith("id: "):  # a new line is always there before the room falls silent
                await office.events.say("more", Refused("x", "more"), cause="console:m-owner:e1")
            seen = event
    assert seen == "event: signed-out\ndata: {}\n\n"


async def test_a_broken_cursor_is_refused(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/console/lines", params={"after": "x"}, headers=LOCAL)).status_code == 400


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypheic....", "image/heic"),
        (b"<script>alert(1)</script>", "application/octet-stream"),
        (b"<svg onload='x'/>", "application/octet-stream"),
    ],
)
async def test_a_photo_is_served_as_what_its_bytes_are(
    browser: httpx.AsyncClient, office: Office, content: bytes, content_type: str
) -> None:
    name = await office.media.put(content)
    answer = await browser.get(f"/console/photos/{name}", headers=LOCAL)
    assert answer.headers["content-type"] == content_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "private" in answer.headers["cache-control"]
    assert ("content-disposition" in answer.headers) == (content_type == "application/octet-stream")


async def test_static_files_are_revalidated_and_nothing_else_is_served(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/console/static/console.js")
    again = await browser.get("/console/static/console.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert (await browser.get("/console/static/listeners.py")).status_code == 404
