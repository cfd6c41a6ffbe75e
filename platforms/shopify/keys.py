"""Shopify's three ways to a key: client credentials for one's own shop, a code from the consent page, a refresh.

An app of the merchant's own organisation asks for a token of 24 hours whenever it needs one. A shop that was
connected through the consent page has a token of an hour and a refresh token that dies on use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.connection import Tokens
from domain.errors import NeedsReconnect, NotFound, StoreError
from platforms.tokens import tokens_in
from platforms.transport import Transport
from platforms.wire import Answer, Call

ACCESS_TOKEN: Final = "accessToken"  # noqa: S105 - the operation's name
TOKEN_PATH: Final = "/admin/oauth/access_token"  # noqa: S105 - an address
_SAID: Final = {
    "shop_not_permitted": "the app and the shop belong to different organisations: connect it on the consent page",
    "app_not_installed": "the app is not installed at the shop: install it, then connect again",
    "application_cannot_be_found": "there is no app with this client id: check it",
    "invalid_client": "the client secret is not the app's: check it",
}


@dataclass(frozen=True, slots=True)
class ShopifyKeys:
    """Asks one shop for tokens; `transport` signs nothing."""

    transport: Transport
    client_id: str
    client_secret: str = field(repr=False)

    async def renew(self, old: Tokens | None) -> Tokens:
        """Return new tokens: by the refresh token where there is one, else by the app's own credentials."""
        if old is not None and old.refresh:
            return await self._granted({"grant_type": "refresh_token", "refresh_token": old.refresh}, old.refresh)
        if not (self.client_id and self.client_secret):
            raise NeedsReconnect("There is no client id and secret to ask with.", store=self._store)
        return await self._granted({"grant_type": "client_credentials"})

    async def redeem(self, code: str) -> Tokens:
        """Return the tokens that a consent page's code stands for: expiring ones, with a refresh token."""
        return await self._granted({"code": code, "expiring": "1"})

    async def _granted(self, grant: Mapping[str, str], refresh: str = "") -> Tokens:
        """Raises NeedsReconnect saying what the app or the shop lacks, NotFound for a shop that is not there.

        A code and a refresh token are used up by asking; the app's own credentials are not.
        """
        is_free = grant.get("grant_type") == "client_credentials"
        form = {"client_id": self.client_id, "client_secret": self.client_secret, **grant}
        try:
            answer = await self.transport.send(
                Call(ACCESS_TOKEN, "POST", TOKEN_PATH, is_repeatable=is_free, form=form, is_signed=False)
            )
        except NotFound as error:
            raise NotFound("There is no such shop.", store=self._store) from error
        return tokens_in(answer.json(), clock=self.transport.shared.clock, store=self._store, refresh=refresh)

    @property
    def _store(self) -> str:
        return self.transport.account.store.name


def refused_grant(answer: Answer) -> StoreError | None:
    """What a refused grant means; None for an answer that is none."""
    if answer.call.operation != ACCESS_TOKEN or answer.status not in {400, 401, 403}:
        return None
    return NeedsReconnect(_SAID.get(_error_in(answer), "the key is no longer accepted"), store=answer.store)


def _error_in(answer: Answer) -> str:
    try:
        body: Any = answer.json()
    except StoreError:
        # A shop that refuses the app answers with a page; the reason stands in it as one of the words.
        text = answer.content.decode("utf-8", "replace")
        return next((word for word in _SAID if word in text), "")
    return str(body.get("error") or "") if isinstance(body, dict) else ""
