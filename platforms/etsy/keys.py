"""Etsy's keys and limits: `keystring:shared_secret` on every call, tokens that rotate, and what its refusals mean."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Final

from domain.catalog import Store
from domain.connection import Tokens
from domain.errors import MissingScope, NeedsReconnect, RateLimited, RejectedByStore, StoreError
from domain.ports import Clock
from platforms.buckets import WHOLE_ACCOUNT, Buckets, Rate
from platforms.tokens import Renew, tokens_in
from platforms.transport import Transport
from platforms.wire import SAID_MOST_CHARS, Answer, Call, Manners

RENEW: Final = "refreshToken"
RENEW_AT: Final = "/v3/public/oauth/token"
REFRESH_GOOD_FOR: Final = timedelta(days=90)
LOOK_AGAIN_S: Final = 3600.0
"""How long the account rests once the day's calls are used up and Etsy names no pause. Its 24 hours slide in slices
whose length it does not tell (developers.etsy.com, rate limits); an hour frees at least one."""
_REMAINING_TODAY: Final = "x-remaining-today"


def rate_for(per_second: float) -> Rate:
    """Return a bucket that keeps a limit of so many calls in any one second: burst and flow together make it up."""
    burst = max(1.0, per_second / 10)
    return Rate(max(per_second - burst, 0.5), burst)


def renewing(transport: Transport, keystring: str, first_refresh: str, clock: Clock) -> Renew:
    """Return what asks Etsy for new tokens; `first_refresh` is what the seller gave when the store was connected."""

    async def renew(old: Tokens | None) -> Tokens:
        refresh = (old.refresh if old else "") or first_refresh
        store = transport.account.store.name
        if not refresh:
            raise NeedsReconnect(f"{store} was never connected.", store=store)
        form = {"grant_type": "refresh_token", "client_id": keystring, "refresh_token": refresh}
        # Etsy takes a refresh token once: a repeat after a lost answer would be refused, and prove nothing.
        answer = await transport.send(Call(RENEW, "POST", RENEW_AT, is_repeatable=False, form=form, is_signed=False))
        tokens = tokens_in(answer.json(), clock=clock, store=store, refresh=refresh)
        return replace(tokens, refresh_expires_at=clock() + REFRESH_GOOD_FOR)

    return renew


def manners(store: Store) -> Manners:
    """Return how Etsy talks; every opener of an account hands in the same."""
    return Manners(rates={WHOLE_ACCOUNT: rate_for(10)}, refused=lambda answer: _refused(answer, store), learn=_learn)


def _learn(answer: Answer, buckets: Buckets) -> None:
    """Take Etsy's word for its limits, and close the account when the day's calls are used up."""
    per_second = _number(answer, "x-limit-per-second")
    if per_second:
        rate = rate_for(per_second)
        buckets.learn(WHOLE_ACCOUNT, per_s=rate.per_s, burst=rate.burst)
    if _number(answer, _REMAINING_TODAY) == 0 and answer.status != 429:
        buckets.pause(WHOLE_ACCOUNT, LOOK_AGAIN_S)


def _refused(answer: Answer, store: Store) -> StoreError | None:
    """Return what a refusal means where Etsy's words say more than the status."""
    if answer.status < 400:
        return None
    said, name = reason(answer), store.name
    lowered = said.lower()
    if answer.call.operation == RENEW and answer.status in {400, 401, 403}:
        return NeedsReconnect(f"{name} takes our key no more: {said}", store=name)
    if answer.status == 403 and ("api key" in lowered or "shared secret" in lowered or "x-api-key" in lowered):
        return NeedsReconnect(f"{name} does not accept the app's own key: {said}", store=name)
    if answer.status == 403:
        return MissingScope(store=name, scope=answer.call.scope)
    if answer.status == 429 and "retry-after" not in answer.headers and _number(answer, _REMAINING_TODAY) == 0:
        return RateLimited(store=name, retry_after_s=LOOK_AGAIN_S)
    if answer.status in {400, 409, 413, 415, 422}:
        return RejectedByStore(said or f"status {answer.status}", store=name, field=_field(lowered))
    return None


def reason(answer: Answer) -> str:
    """Return Etsy's own words: `error`, and `error_description` where it has one."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return answer.said()
    if not isinstance(body, dict):
        return answer.said()
    parts = [str(body[name]) for name in ("error", "error_description") if body.get(name)]
    return ": ".join(parts)[:SAID_MOST_CHARS] or answer.said()


def _field(lowered: str) -> str:
    """Return which of our fields a refusal is about, empty where it cannot be told."""
    if "only allowed" in lowered and "image" in lowered:
        return "images"
    words = {"carrier": "carrier", "price": "price", "quantity": "quantity", "title": "title", "image": "content"}
    return next((field for word, field in words.items() if word in lowered), "")


def _number(answer: Answer, header: str) -> float | None:
    try:
        return float(answer.headers.get(header, ""))
    except ValueError:
        return None
