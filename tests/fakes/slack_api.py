"""How the fake Slack is spoken to: what each method requires, which scope it wants, how arguments are spelt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web

SPEC = Path(__file__).parents[3] / "shared" / "specs" / "slack" / "slack_web_openapi_v2.json"
EXTRACT = Path(__file__).parents[1] / "data" / "slack_api.json"
Answer = dict[str, Any]

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
    "conversations.history": "history",
    "conversations.replies": "history",
    "users.info": "users:read",
    "files.info": "files:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
"""Method → scope. `history` stands for the one that the kind of conversation wants."""
NEWER = {
    "apps.connections.open": [],
    "files.getUploadURLExternal": ["filename", "length"],
    "files.completeUploadExternal": ["files"],
}
"""Methods the definition of 2021 lacks, with what they require."""


def required_arguments() -> dict[str, list[str]]:
    """Return the required arguments by method, from Slack's definition where it is, else from the extract."""
    if SPEC.exists():
        paths = json.loads(SPEC.read_text(encoding="utf-8"))["paths"]
        named = {path.strip("/"): next(iter(verbs.values()))["parameters"] for path, verbs in paths.items()}
        known = {
            method: [each["name"] for each in parameters if each.get("required") and each["name"] != "token"]
            for method, parameters in named.items()
        }
    else:
        methods = json.loads(EXTRACT.read_text(encoding="utf-8"))["methods"]
        known = {method: each["required"] for method, each in methods.items()}
    return known | NEWER


class Refusal(Exception):
    """`{"ok": false, "error": …}`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.answer = {"ok": False, "error": error, **more}


def cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def read_arguments(request: web.Request) -> dict[str, Any]:
    """Return what was asked, however the client spelt it: query, form or JSON."""
    arguments: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        arguments |= await request.json()
    elif request.method == "POST":
        arguments |= dict(await request.post())
    for name in ("blocks", "view", "files", "metadata"):
        if isinstance(arguments.get(name), str):
            arguments[name] = json.loads(arguments[name])
    return arguments
