"""`say` and `press`: the console chat from the command line.

Where a `run` is alive on this DATA_DIR they go through its HTTP door with the local key, and import
nothing heavy for it; else `bot/embedded.py` opens the app itself and works until the request has settled.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from bot.run_file import RunningAt, living_run
from bot.settings import Settings, local_key
from domain.errors import BadInput, NotPossible

POLL_S = 0.05
HTTP_TIMEOUT_S = 30.0

State = dict[str, Any]
"""`{"handled": bool, "lines": [{"waits": bool, "reply": {...}, "buttons": [...]}]}`, as the console's HTTP gives it."""


async def say(
    settings: Settings,
    text: str,
    photos: Sequence[Path],
    *,
    name: str,
    as_json: bool,
    timeout_s: float,
    team: str = "",
) -> int:
    """Send text and photos; print the final replies. Returns the exit status."""
    if not text.strip() and not photos:
        raise BadInput('There is nothing to say: `packshot say "enhance MUG-01"`, or add --photo FILE.')
    contents = [(photo.name, photo.read_bytes()) for photo in photos]
    if run := living_run(settings):
        async with LocalClient(run, settings, name, team) as client:
            return _report(await client.say(text, contents, timeout_s=timeout_s), as_json=as_json)
    from bot.embedded import take_embedded  # the whole app: only where nobody else has it open

    lines = await take_embedded(
        settings, name, text=text, contents=[content for _, content in contents], timeout_s=timeout_s, team=team
    )
    return _report(lines, as_json=as_json)


async def press(
    settings: Settings,
    token: str,
    text: str,
    options: Mapping[str, str],
    *,
    name: str,
    as_json: bool,
    timeout_s: float,
    team: str = "",
) -> int:
    """Press a button; print the final replies. Returns the exit status."""
    if run := living_run(settings):
        async with LocalClient(run, settings, name, team) as client:
            return _report(await client.press(token, text, options, timeout_s=timeout_s), as_json=as_json)
    from bot.embedded import take_embedded

    lines = await take_embedded(settings, name, text=text, token=token, options=options, timeout_s=timeout_s, team=team)
    return _report(lines, as_json=as_json)


class LocalClient:
    """The console's HTTP door, opened with the key that only this machine's user can read."""

    def __init__(self, run: RunningAt, settings: Settings, name: str, team: str = "") -> None:
        # A header is ASCII and a name need not be.
        headers = {"Authorization": f"Bearer {local_key(settings)}", "X-Packshot-As": quote(name, safe="")}
        if team:
            headers["X-Packshot-Team"] = quote(team, safe="")
        self._http = httpx.AsyncClient(base_url=run.base_url, headers=headers, timeout=HTTP_TIMEOUT_S, trust_env=False)

    async def __aenter__(self) -> LocalClient:
        return self

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close it. Raises NotPossible where the `run` went away or answered nonsense."""
        await self._http.aclose()
        if isinstance(error, httpx.HTTPError):
            raise NotPossible(
                f"The running Packshot stopped answering ({error}): look at its log, and start it again with `packshot run`."
            ) from error

    async def say(self, text: str, contents: Sequence[tuple[str, bytes]], *, timeout_s: float) -> list[State]:
        """Say it and return the settled lines."""
        files = [("photo", (filename, content, "application/octet-stream")) for filename, content in contents]
        # A multipart body even without photos: the door reads one kind of form.
        form = [*files, ("text", (None, text.encode(), "text/plain; charset=utf-8"))]
        return await self._settle(await self._http.post("/console/say", files=form), timeout_s)

    async def press(self, token: str, text: str, options: Mapping[str, str], *, timeout_s: float) -> list[State]:
        """Press it and return the settled lines."""
        form = {"token": token, "text": text, "set": [f"{key}={value}" for key, value in options.items()]}
        return await self._settle(await self._http.post("/console/press", data=form), timeout_s)

    async def photo(self, sha256: str) -> bytes:
        """Return photo bytes that a card names."""
        response = await self._http.get(f"/console/photos/{sha256}")
        response.raise_for_status()
        return response.content

    async def _settle(self, taken: httpx.Response, timeout_s: float) -> list[State]:
        if taken.status_code != httpx.codes.ACCEPTED:
            raise NotPossible(_sentence_in(taken))
        key: str = taken.json()["event"]

        async def look() -> State:
            response = await self._http.get(f"/console/events/{key}")
            response.raise_for_status()
            state: State = response.json()
            return state

        return await until_settled(look, timeout_s)


def _sentence_in(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        body = {}
    return str(
        body.get("sentence")
        or body.get("error")
        or f"The running Packshot answered {response.status_code}: look at its log."
    )


async def until_settled(look: Callable[[], Awaitable[State]], timeout_s: float) -> list[State]:
    """Look until the event is handled and nothing it said still waits. Raises NotPossible after the timeout."""
    deadline = time.monotonic() + timeout_s
    while True:
        state = await look()
        lines: list[State] = state["lines"]
        if state["handled"] and not any(line["waits"] for line in lines):
            return lines
        if time.monotonic() >= deadline:
            raise NotPossible(f"It has not settled within {timeout_s:.0f} s: look later with `packshot say status`.")
        await asyncio.sleep(POLL_S)


def _report(lines: list[State], *, as_json: bool) -> int:
    """Print the final replies; 1 when something was refused or failed."""
    for line in lines:
        reply = {
            **line["reply"],
            "buttons": [{"label": item["label"], "token": item["token"]} for item in line["buttons"]],
        }
        print(json.dumps(reply, ensure_ascii=False) if as_json else as_text(reply))
    failed = {"Refused", "EnhanceFailed", "PublishFailed", "RestoreFailed"}
    return 1 if any(line["reply"]["type"] in failed for line in lines) else 0


def as_text(reply: State) -> str:
    """Return one reply as plain lines for a terminal."""
    kind = reply["type"]
    card = reply.get("card") or {}
    head = f"{kind}: {card['title'] or card['sku']} ({card['sku']})" if card else kind
    lines = [head]
    said = ("sentence", "reason", "note", "verdict", "name", "role", "team", "by", "own", "approvals", "code")
    spoken = (*said, "url", "telegram_url", "console_url")
    lines += [f"  {name}: {reply[name]}" for name in spoken if reply.get(name) not in (None, "")]
    lines += [f"  {item['level']:8}{item['code']}" for item in card.get("findings", ()) if item["level"] != "ok"]
    for name in ("lines", "members", "others", "stores", "placed", "guesses"):
        lines += [f"  {_row(item)}" for item in reply.get(name) or ()]
    lines += [f"  [{button['label']}] packshot press {button['token']}" for button in reply["buttons"]]
    return "\n".join(lines)


def _row(item: object) -> str:
    return (
        " · ".join(str(value) for value in item.values() if value not in ("", None))
        if isinstance(item, dict)
        else str(item)
    )
