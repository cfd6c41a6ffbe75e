"""Every listing of a seller, though Amazon pages through the first thousand of a search only.

Sorted by when they were made, a search that ends at its thousandth begins again with those made since. What was made
in the same moment as that one comes twice and is left out the second time, so the place where we are names it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from domain.errors import BadInput
from platforms.amazon.api import AmazonApi

SEARCH_MOST: Final = 1000
"""listingsItems 2021-08-01, numberOfResults: “the maximum number of items that can be returned and paged through is 1000”."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _At:
    """Where a walk is: the search's first moment, its page, how many it gave, and the SKUs of its last moment."""

    after: str = ""
    token: str = ""
    given: int = 0
    last: str = ""
    skus: tuple[str, ...] = ()

    @classmethod
    def read(cls, cursor: str | None) -> _At:
        try:
            words = json.loads(cursor) if cursor else {}
            return cls(**{**words, "skus": tuple(words.get("skus", ()))})
        except (ValueError, TypeError, AttributeError):
            raise BadInput("I do not know that page: begin again with `products`.") from None

    def past(self, items: Sequence[Json]) -> _At:
        """Return it after a page."""
        if not items:
            return self
        last = _made_at(items[-1])
        same = tuple(str(item["sku"]) for item in items if _made_at(item) == last)
        kept = self.skus if last == self.last else ()
        return replace(self, given=self.given + len(items), last=last, skus=tuple(dict.fromkeys((*kept, *same))))


async def page_of_listings(
    api: AmazonApi, cursor: str | None, *, limit: int, included: str
) -> tuple[Sequence[Json], str | None]:
    """Return a page of listings, the oldest first, and the cursor of the next one."""
    at = _At.read(cursor)
    params: dict[str, str | int] = {
        "includedData": included,
        "pageSize": limit,
        "sortBy": "createdDate",
        "sortOrder": "ASC",
    }
    if at.after:
        params["createdAfter"] = at.after
    if at.token:
        params["pageToken"] = at.token
    page = await api.search(params)
    items = list(page.get("items") or ())
    fresh = [item for item in items if not (_made_at(item) == at.after and item["sku"] in at.skus)]
    now = at.past(items)
    token = str((page.get("pagination") or {}).get("nextToken") or "")
    if token:
        return fresh, json.dumps(asdict(replace(now, token=token)))
    if now.given >= SEARCH_MOST and now.last != at.after:
        return fresh, json.dumps(asdict(_At(after=now.last, last=now.last, skus=now.skus)))
    return fresh, None


def _made_at(item: Json) -> str:
    summary: Json = next(iter(item.get("summaries") or ()), {})
    return str(summary.get("createdDate") or "")
