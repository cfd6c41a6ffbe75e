"""Amazon's slow ways for whole catalogues: a report to read one, a feed to write many listings at once.

Both are asked for, waited for and fetched from an address that Amazon signs. They cost a handful of calls however
many listings there are, and take Amazon minutes.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from domain.errors import RejectedByStore, StoreDown
from platforms.amazon.api import FILE_MOST_BYTES, AmazonApi, Json

LISTINGS: Final = "GET_MERCHANT_LISTINGS_ALL_DATA"
FEED: Final = "JSON_LISTINGS_FEED"
POLL_S: Final = (5.0, 10.0, 15.0, *(30.0,) * 30)
"""A report takes Amazon one to fifteen minutes; after sixteen the next try asks for another."""
MESSAGES_MOST: Final = 10_000
"""Messages of one feed."""
_ENCODINGS: Final = ("utf-8-sig", "cp1252")


async def read_report(api: AmazonApi, report_type: str) -> list[Mapping[str, str]]:
    """Return a report's lines by column. Raises StoreDown where Amazon does not finish it, RejectedByStore."""
    asked = {"reportType": report_type, "marketplaceIds": [api.marketplace.marketplace_id]}
    report_id = (await api.report_call("createReport", "POST", "/reports/2021-06-30/reports", asked))["reportId"]
    document_id = await _waited_for(api, "getReport", f"/reports/2021-06-30/reports/{report_id}", "reportDocumentId")
    path = f"/reports/2021-06-30/documents/{document_id}"
    content = await _document(api, await api.report_call("getReportDocument", "GET", path))
    return list(csv.DictReader(io.StringIO(_text(content)), delimiter="\t", quoting=csv.QUOTE_NONE))


async def send_feed(api: AmazonApi, messages: Sequence[Json]) -> dict[int, str]:
    """Patch many listings at once; return what was refused, by the message's `messageId`, empty when all went well.

    A message is `{messageId, sku, operationType: PATCH, productType, patches}`, absolute values only: a feed sent
    twice leaves what one leaves. Raises StoreDown, RejectedByStore for a feed Amazon does not take at all.
    """
    content_type = "application/json; charset=UTF-8"
    made = await api.report_call(
        "createFeedDocument", "POST", "/feeds/2021-06-30/documents", {"contentType": content_type}
    )
    header = {"sellerId": api.seller_id, "version": "2.0", "issueLocale": "en_US"}
    body = json.dumps({"header": header, "messages": list(messages)}).encode()
    await api.put_document(made["url"], body, content_type)
    asked = {
        "feedType": FEED,
        "marketplaceIds": [api.marketplace.marketplace_id],
        "inputFeedDocumentId": made["feedDocumentId"],
    }
    feed_id = (await api.report_call("createFeed", "POST", "/feeds/2021-06-30/feeds", asked))["feedId"]
    document_id = await _waited_for(api, "getFeed", f"/feeds/2021-06-30/feeds/{feed_id}", "resultFeedDocumentId")
    path = f"/feeds/2021-06-30/documents/{document_id}"
    said = json.loads(await _document(api, await api.report_call("getFeedDocument", "GET", path)))
    return {
        int(issue["messageId"]): str(issue.get("message") or issue.get("code"))
        for issue in said.get("issues") or ()
        if issue.get("severity") == "ERROR" and issue.get("messageId") is not None
    }


async def _waited_for(api: AmazonApi, operation: str, path: str, result: str) -> str:
    for wait_s in POLL_S:
        await api.transports.sleep(wait_s)
        state = await api.report_call(operation, "GET", path)
        match state.get("processingStatus"):
            case "DONE":
                return str(state[result])
            case "CANCELLED" | "FATAL":
                raise RejectedByStore(f"it gave the report up ({state['processingStatus']})", store=api.name, field="")
    raise StoreDown(f"{api.name} did not finish a report in time.", store=api.name)


async def _document(api: AmazonApi, document: Json) -> bytes:
    content = await api.fetch(str(document["url"]), max_bytes=FILE_MOST_BYTES)
    if document.get("compressionAlgorithm") != "GZIP":
        return content
    try:
        with gzip.open(io.BytesIO(content)) as file:
            plain = file.read(FILE_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise StoreDown(f"{api.name} gave a report that breaks off.", store=api.name) from error
    if len(plain) > FILE_MOST_BYTES:
        raise StoreDown(f"{api.name} gave a report of more than {FILE_MOST_BYTES / 1e6:.0f} MB.", store=api.name)
    return plain


def _text(content: bytes) -> str:
    """Return a report's text: UTF-8 in some marketplaces, Windows' western in others, and nobody says which."""
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")
