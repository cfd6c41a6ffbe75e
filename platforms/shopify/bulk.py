"""Shopify's bulk operations: one query over everything, run on Shopify's side, its answer a file of lines.

What would be hundreds of pages is a start, a few looks and a download, and costs next to no points.
"""

from __future__ import annotations

import json
from typing import Any, Final

from domain.errors import NotFound, RateLimited, StoreDown
from platforms.shopify.api import BULK_FILE, BULK_FILE_MOST_BYTES, ShopifyApi, document

POLLS_S: Final = (1.0, 2.0, 3.0, 5.0, 5.0, 10.0, 10.0, *(15.0,) * 36)
"""Ten minutes in all; 10,000 SKUs take one or two."""


async def read(api: ShopifyApi, name: str, *, scope: str) -> list[dict[str, Any]]:
    """Run the document `name` over the whole shop and return its lines; a child names its parent in `__parentId`.

    Raises StoreDown when it fails, RateLimited when others are running, or when it takes longer than we wait.
    """
    started = await api.ask("bulk_operation_run_query", {"query": document(name).text}, scope=scope, cost=20)
    operation = started["bulkOperationRunQuery"]["bulkOperation"]
    if operation is None:
        raise StoreDown(f"{api.store_name} did not begin to write its data down.", store=api.store_name)
    url = await _file(api, operation["id"])
    if not url:
        return []  # a shop without any has no file
    content = await api.download(BULK_FILE, url, max_bytes=BULK_FILE_MOST_BYTES)
    try:
        return [json.loads(line) for line in content.splitlines()]
    except ValueError as error:
        raise StoreDown(f"{api.store_name}'s file breaks off.", store=api.store_name) from error


async def _file(api: ShopifyApi, operation_id: str) -> str:
    for pause_s in (0.0, *POLLS_S):
        if pause_s:
            await api.pause(pause_s)
        operation = (await api.ask("bulk_operation_poll", {"id": operation_id}))["bulkOperation"]
        if operation is None:
            raise NotFound("The bulk operation is gone.", store=api.store_name)
        match operation["status"]:
            case "COMPLETED":
                return operation["url"] or ""
            case "FAILED" | "CANCELED" | "EXPIRED":
                reason = operation["errorCode"] or operation["status"].lower()
                raise StoreDown(f"{api.store_name} could not write its data down ({reason}).", store=api.store_name)
    raise RateLimited(store=api.store_name, retry_after_s=POLLS_S[-1])
