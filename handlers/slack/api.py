"""Slack's Web API as we call it: the client, and its refusals translated once.

The library's own retries are off. A post whose connection broke may have arrived, so trying again is
for the outbox, which looks first; and a 429 is waited out there, where it holds up one place and not a call.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import Fault, PackshotError, RateLimited, StoreDown, Undeliverable

NAME = "Slack"
TIMEOUT_S = 15
DEFAULT_RETRY_S = 5.0
"""When a 429 comes without Retry-After, which Slack promises to send."""

_PLACE_CLOSED = {
    "channel_not_found": "Slack no longer shows me that conversation: invite me again.",
    "is_archived": "That Slack channel is archived: unarchive it, or ask in another one.",
    "not_in_channel": "I am not in that Slack channel: invite me with `/invite`.",
    "user_not_in_channel": "That person has left the Slack channel.",
    "user_not_found": "Slack no longer knows that person.",
    "user_disabled": "That person's Slack account is closed.",
    "cannot_dm_bot": "That is a bot, and bots take no messages from me.",
    "messages_tab_disabled": "Direct messages to me are switched off: turn on the Messages tab in the app's settings.",
    "restricted_action": "The workspace does not let me write in that Slack channel.",
    "restricted_action_read_only_channel": "That Slack channel is read-only.",
    "restricted_action_thread_only_channel": "That Slack channel takes answers in threads only.",
}
_MESSAGE_GONE = {
    "message_not_found": "That Slack message was deleted.",
    "cant_update_message": "Slack no longer lets me change that message.",
    "edit_window_closed": "Slack no longer lets me change that message.",
    "thread_not_found": "The Slack message that I was answering was deleted.",
    "cant_delete_message": "Slack no longer lets me delete that message.",
}
_TOKEN = re.compile(r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{6,}")
_KEY_GONE = {"token_revoked", "token_expired", "invalid_auth", "not_authed", "account_inactive", "no_permission"}
_THEIR_TROUBLE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}


def open_client(*, token: str, api_url: str) -> AsyncWebClient:
    """Return a client for one token; it keeps no connection, so there is nothing to close."""
    return AsyncWebClient(token=token, base_url=api_url, timeout=TIMEOUT_S, retry_handlers=[])


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Turn what the library raises into our own errors.

    Raises RateLimited, StoreDown, Undeliverable; Fault("slack_refused") for all that is our mistake.
    """
    try:
        yield
    except SlackApiError as error:
        raise _of_refusal(error) from error
    except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
        raise StoreDown(f"Slack does not answer ({type(error).__name__}).", store=NAME) from error


def code_of(error: BaseException) -> str:
    """Return the word Slack refused with, empty for none: a Fault keeps the refusal as its cause."""
    cause = error if isinstance(error, SlackApiError) else error.__cause__
    return str(_answer(cause).get("error", "")) if isinstance(cause, SlackApiError) else ""


def is_slacks(url: str, *, api_url: str) -> bool:
    """Whether an address may be told our token: Slack's own over https, or the loopback host that stands in."""
    parts, ours = urlsplit(url), urlsplit(api_url)
    host = (parts.hostname or "").lower()
    if parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com")):
        return True
    is_loopback = ours.hostname in {"127.0.0.1", "localhost", "::1"}
    return is_loopback and (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc)


def _of_refusal(error: SlackApiError) -> PackshotError:
    answer, code = _answer(error), code_of(error)
    # An answer that is no JSON comes as aiohttp's own response, which spells it differently.
    status = int(getattr(error.response, "status_code", getattr(error.response, "status", 200)))
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return RateLimited(store=NAME, retry_after_s=retry_after_s(getattr(error.response, "headers", {})))
    if status >= 500 or code in _THEIR_TROUBLE:
        return StoreDown(f"Slack has trouble ({code or status}).", store=NAME)
    if code == "missing_scope":
        scope = str(answer.get("needed", "")) or "one that is in manifest.yaml"
        return Undeliverable(
            f"Slack says the app lacks the scope {scope}: add it to the app and install it again.", scope="chat"
        )
    if code in _KEY_GONE:
        return Undeliverable(
            f"Slack no longer accepts my bot token ({code}): install the app again and set SLACK_BOT_TOKEN.",
            scope="chat",
        )
    if code in _PLACE_CLOSED:
        return Undeliverable(_PLACE_CLOSED[code], scope="place")
    if code in _MESSAGE_GONE:
        return Undeliverable(_MESSAGE_GONE[code], scope="message")
    details = "; ".join(str(each) for each in answer.get("errors", ()))
    # What refuses may give back what it was sent, and this text is kept with the message.
    return Fault("slack_refused", _TOKEN.sub("•••", f"{code or status} {details}".strip()))


def retry_after_s(headers: Any) -> float:
    """Return how long a 429 asks to wait, never less than a second."""
    for name, value in dict(headers or {}).items():
        if str(name).lower() == "retry-after":
            try:
                return max(1.0, float(value))
            except ValueError:
                break
    return DEFAULT_RETRY_S


def _answer(error: SlackApiError) -> dict[str, Any]:
    data = getattr(error.response, "data", error.response)
    return data if isinstance(data, dict) else {}
