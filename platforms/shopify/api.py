"""Shopify's wire: GraphQL Admin over one address, plus the two places where bytes go in and come out.

An answer of 200 may be a refusal three times over: `errors` (THROTTLED among them), a null where a thing should
be, and `userErrors` beside a mutation's data. `ask` reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from domain.errors import MissingScope, NotFound, RateLimited, RejectedByStore, StoreDown, StoreError
from platforms.buckets import WHOLE_ACCOUNT, Buckets, Rate
from platforms.shopify.keys import ACCESS_TOKEN, refused_grant
from platforms.transport import Transport
from platforms.wire import Answer, Call, Manners, unsure

API_VERSION: Final = "2026-10"
"""Every document is valid from 2026-04 on; a version lives a year."""
GRAPHQL_PATH: Final = f"/admin/api/{API_VERSION}/graphql.json"
KEY_HEADER: Final = "X-Shopify-Access-Token"
HOSTS: Final = ("cdn.shopify.com", "shopify-staged-uploads.storage.googleapis.com", "storage.googleapis.com")
"""Where pictures are served from, where uploads go, and where a bulk operation leaves its file."""

UPLOAD: Final = "stagedUpload"
CDN: Final = "cdn"
BULK_FILE: Final = "bulkFile"
BULK_FILE_MOST_BYTES: Final = 400_000_000

# The smallest plan's figures; `throttleStatus` in every answer says the shop's own.
POINTS: Final = Rate(per_s=100.0, burst=1000.0, at_once=4)
"""A query is charged with what it could cost at most, and the rest given back with the answer."""
DEAREST_COST: Final = 1000.0
"""No single query may ask for more points. Source: STORES.md, rate limits."""

BUSY: Final = frozenset(
    {
        "FILE_LOCKED",
        "NON_READY_STATE",
        "NON_READY_MEDIA",
        "IDEMPOTENCY_CONCURRENT_REQUEST",
        "OPERATION_IN_PROGRESS",
        "LIMIT_REACHED",
    }
)
"""Refusals that pass by themselves."""
BUSY_S: Final = 5.0
GONE: Final = frozenset(
    {
        "FILE_DOES_NOT_EXIST",
        "MEDIA_DOES_NOT_EXIST",
        "MEDIA_DOES_NOT_EXIST_ON_PRODUCT",
        "PRODUCT_DOES_NOT_EXIST",
        "REFERENCE_TARGET_DOES_NOT_EXIST",
    }
)
_USER_ERRORS = ("userErrors", "mediaUserErrors")


class Refused(RejectedByStore):
    """A userError, with Shopify's own word for it; `code` is empty where the mutation has none."""

    def __init__(self, message: str, *, store: str, field: str, code: str) -> None:
        super().__init__(message, store=store, field=field)
        self.code = code


@dataclass(frozen=True, slots=True)
class Document:
    """One GraphQL text, as it goes over the wire. `name` is its operation."""

    name: str
    text: str
    is_query: bool


@dataclass(frozen=True, slots=True)
class StagedTarget:
    """Where to lay bytes down, and what to call them by afterwards."""

    url: str
    source: str
    parameters: Mapping[str, str]


@cache
def document(name: str) -> Document:
    """Return a file of `documents/`: comments, then `query Name` or `mutation Name`."""
    text = (files("platforms.shopify") / "documents" / f"{name}.graphql").read_text(encoding="utf-8")
    begin = next(line for line in text.splitlines() if line and not line.startswith("#"))
    kind, operation = begin.replace("(", " ").split()[:2]
    return Document(operation, text, kind == "query")


@dataclass(frozen=True, slots=True)
class ShopifyApi:
    """The wire to one shop."""

    transport: Transport
    store_name: str

    async def ask(
        self,
        name: str,
        variables: Mapping[str, Any] | None = None,
        *,
        is_repeatable: bool = False,
        scope: str = "",
        cost: float = 10.0,
    ) -> dict[str, Any]:
        """Send the document `name` and return its `data`. A query is always repeatable.

        `cost` is what it asks for in points, at most. Raises Refused, NotFound or RateLimited for userErrors, and
        what Transport.send raises.
        """
        sent = document(name)
        call = Call(
            operation=sent.name,
            method="POST",
            url=GRAPHQL_PATH,
            is_repeatable=is_repeatable or sent.is_query,
            json={"query": sent.text, "variables": dict(variables or {}), "operationName": sent.name},
            scope=scope,
            cost=min(cost, DEAREST_COST),
        )
        answer = await self.transport.send(call)
        body = answer.json()
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise unsure(call, self.store_name, f"{self.store_name} answered without data.")
        for error in _user_errors(data):
            raise _meaning(error, self.store_name)
        return data

    async def staged_target(self, *, filename: str, content_type: str) -> StagedTarget:
        """Return a place for one picture. Asking twice leaves an unused place, which is nothing."""
        wanted = {"resource": "IMAGE", "httpMethod": "POST", "filename": filename, "mimeType": content_type}
        asked = {"input": [wanted]}
        data = await self.ask("staged_uploads_create", asked, is_repeatable=True, scope="write_products", cost=20)
        try:
            [target] = data["stagedUploadsCreate"]["stagedTargets"]
            named = {one["name"]: one["value"] for one in target["parameters"]}
            return StagedTarget(target["url"], target["resourceUrl"], named)
        except (TypeError, KeyError, ValueError) as error:
            raise StoreDown(f"{self.store_name} named no place for the picture.", store=self.store_name) from error

    async def upload(self, target: StagedTarget, content: bytes, *, filename: str, content_type: str) -> None:
        """Lay the bytes down: a form with every parameter first and the file last. The same twice is once."""
        await self.transport.send(
            Call(
                UPLOAD,
                "POST",
                target.url,
                is_repeatable=True,
                form=target.parameters,
                files={"file": (filename, content, content_type)},
                is_signed=False,
            )
        )

    async def download(self, operation: str, url: str, *, max_bytes: int) -> bytes:
        """Return a picture's bytes, or a bulk operation's file. Raises NotFound for another host's address."""
        if not url:
            raise NotFound("It has no address yet.", store=self.store_name)
        # Without it the CDN may answer in a format the browser would like better than the original.
        headers = {"accept": "image/jpeg, image/png, image/gif"} if operation == CDN else {}
        call = Call(
            operation, "GET", url, is_repeatable=True, headers=headers, is_signed=False, max_bytes=max_bytes,
            total_s=300.0 if operation == BULK_FILE else None,
        )  # fmt: skip
        return (await self.transport.send(call)).content

    async def pause(self, seconds: float) -> None:
        """Wait before asking again."""
        await self.transport.shared.sleep(seconds)


def _user_errors(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every refusal in the answer, whichever mutation of the document it belongs to."""
    for payload in data.values():
        if isinstance(payload, dict):
            for name in _USER_ERRORS:
                yield from payload.get(name) or ()


def _meaning(error: Mapping[str, Any], store: str) -> StoreError:
    code, message = str(error.get("code") or ""), str(error.get("message") or "no reason given")
    path = [str(part) for part in error.get("field") or ()]
    if code in BUSY:
        return RateLimited(store=store, retry_after_s=BUSY_S)
    # productUpdate's errors have no code.
    if code in GONE or (not code and "does not exist" in message):
        return NotFound(message, store=store)
    return Refused(message, store=store, field=path[-1] if path else "", code=code)


def _refused(answer: Answer) -> StoreError | None:
    """What Shopify means by an answer, where its status does not say it."""
    if answer.call.operation == UPLOAD:
        return _upload_refused(answer)
    if answer.call.operation == ACCESS_TOKEN:
        return refused_grant(answer)
    if answer.call.url != GRAPHQL_PATH:
        return None
    match answer.status:
        case 402 | 423:
            return RejectedByStore(
                "the shop is closed by Shopify: its owner finds the reason in the admin", store=answer.store, field=""
            )
        case 404:
            return NotFound("There is no such shop, or it does not know this version.", store=answer.store)
        case status if 200 <= status < 300:
            return _graphql_error(answer)
        case _:
            return None


def _upload_refused(answer: Answer) -> StoreError | None:
    """The storage says 201 and an XML; its refusals are XML too, which is nothing for people."""
    if 400 <= answer.status < 500 and answer.status not in {408, 429}:
        said = answer.said() or f"the upload was refused (status {answer.status})"
        return RejectedByStore(said, store=answer.store, field="content")
    if "text/html" in answer.headers.get("content-type", ""):
        # A page of somebody in between: nothing was laid down.
        return unsure(answer.call, answer.store, f"{answer.store} took the picture nowhere.")
    return None


def _graphql_error(answer: Answer) -> StoreError | None:
    body = _body(answer)
    errors = body.get("errors")
    if not errors:
        return None
    error: dict[str, Any] = (
        errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {"message": errors}
    )
    extensions = error.get("extensions") or {}
    message = str(error.get("message") or "")
    match extensions.get("code"):
        case "THROTTLED":
            return RateLimited(store=answer.store, retry_after_s=_seconds_to_wait(body))
        case "ACCESS_DENIED":
            return MissingScope(store=answer.store, scope=_scope_in(extensions) or answer.call.scope)
        case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
            return unsure(answer.call, answer.store, f"{answer.store} has trouble of its own ({message}).")
        case _:
            return StoreError(f"{answer.call.operation}: {message}", store=answer.store)


def _scope_in(extensions: Mapping[str, Any]) -> str:
    """The first right in a sentence like "`write_files` access scope or `write_themes` access scope."."""
    parts = str(extensions.get("requiredAccess") or "").split("`")
    return parts[1] if len(parts) > 2 else ""


def _seconds_to_wait(body: Mapping[str, Any]) -> float:
    cost = _cost(body)
    status = cost.get("throttleStatus") or {}
    missing = float(cost.get("requestedQueryCost") or 0) - float(status.get("currentlyAvailable") or 0)
    return max(0.1, missing / float(status.get("restoreRate") or POINTS.per_s))


def _learn(answer: Answer, buckets: Buckets) -> None:
    if answer.call.url != GRAPHQL_PATH:
        return
    status = _cost(_body(answer)).get("throttleStatus") or {}
    if status:
        buckets.learn(
            WHOLE_ACCOUNT,
            per_s=status.get("restoreRate"),
            burst=status.get("maximumAvailable"),
            available=status.get("currentlyAvailable"),
        )


def _cost(body: Mapping[str, Any]) -> Mapping[str, Any]:
    extensions = body.get("extensions")
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    return cost if isinstance(cost, dict) else {}


def _body(answer: Answer) -> dict[str, Any]:
    """The answer's object; empty for what is none, which `ask` reports."""
    if not answer.content.lstrip().startswith(b"{"):
        return {}
    try:
        body = answer.json()
    except StoreError:
        return {}
    return body if isinstance(body, dict) else {}


MANNERS: Final = Manners(
    rates={
        WHOLE_ACCOUNT: POINTS,
        UPLOAD: Rate(20.0, 20.0),
        CDN: Rate(50.0, 50.0),
        BULK_FILE: Rate(1.0, 2.0),
        ACCESS_TOKEN: Rate(1.0, 5.0),
    },
    refused=_refused,
    learn=_learn,
)
