"""Stock at WooCommerce: read by the hundred, written absolutely.

`inventory_delta` is never used: WooCommerce reads, adds and writes, so two at once lose one. A variation whose
`manage_stock` is `"parent"` shows its product's quantity: its handle is the product's, and so is a write to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.catalog import ListingId, Sku
from domain.errors import NotFound, RejectedByStore, StockChanged, StoreError
from domain.trade import StockId, StockLevel, StockWrite
from platforms.woocommerce.api import PER_PAGE_MOST, SKU_CHARS_MOST, STOCK_FIELDS, WooApi
from platforms.woocommerce.payloads import Stocked


async def read(api: WooApi, skus: Sequence[Sku]) -> list[StockLevel]:
    """Return the levels of these SKUs; an unknown one has none."""
    wanted = {sku.key for sku in skus}
    levels: list[StockLevel] = []
    for some in _by_the_hundred(list({sku.key: sku for sku in skus}.values())):
        found = [one async for one in api.by_skus(some, fields=STOCK_FIELDS)]
        levels += [level for one in found if (level := _level(api, one)) and level.sku.key in wanted]
    return levels


async def read_all(api: WooApi) -> list[StockLevel]:
    """Return the levels of all products and variations that have a SKU."""
    rows: list[Stocked] = []
    variable: list[int] = []
    page, pages = 1, 1
    while page <= pages:
        found = await api.products(page, per_page=PER_PAGE_MOST, fields=f"{STOCK_FIELDS},type")
        rows += found.rows
        variable += [one.id for one in found.rows if one.type == "variable"]
        page, pages = page + 1, found.pages
    if variable:
        rows += await _variations(api, variable)
    return [level for one in rows if (level := _level(api, one))]


async def write(api: WooApi, wanted: StockWrite) -> StockLevel:
    """Look, set, and return what the store answers, which it reads anew.

    Raises StockChanged, having written nothing; RejectedByStore where the shop does not count this SKU.
    """
    path = _path(wanted.stock_id)
    answer = _looked(api, await api.item(path), wanted)
    if isinstance(answer, StoreError):
        raise answer
    return answer or _written(api, await api.update(path, {"stock_quantity": wanted.quantity}), wanted)


def _looked(api: WooApi, found: Stocked, wanted: StockWrite) -> StockLevel | StoreError | None:
    """Return the level where it is set already, why it must not be set, or None where it is to be set now."""
    if found.quantity is None:
        return RejectedByStore(
            f"{api.store.name} does not count {wanted.sku}: switch on “Track stock quantity” for it, then try again.",
            store=api.store.name,
            field="manage_stock",
        )
    if found.quantity == wanted.quantity:
        return _written(api, found, wanted)
    if wanted.was is not None and found.quantity != wanted.was:
        return StockChanged(store=api.store.name, sku=wanted.sku.value, found=found.quantity)
    return None


async def write_many(api: WooApi, writes: Sequence[StockWrite]) -> list[StockLevel | StoreError]:
    """Look at all, then set those that are as expected: a call for a hundred products, two a product with variations."""
    told: dict[int, StockLevel | StoreError] = {}
    for parent, group in _groups(writes):
        found = {one.id: one for one in await _looked_at(api, parent, [_row(one) for _, one in group])}
        due: list[tuple[int, StockWrite]] = []
        for number, wanted in group:
            row = found.get(_row(wanted))
            answer = _looked(api, row, wanted) if row else _gone(api, wanted)
            if answer is None:
                due.append((number, wanted))
            else:
                told[number] = answer
        if due:
            changes = [{"id": _row(one), "stock_quantity": one.quantity} for _, one in due]
            for (number, wanted), row in zip(due, await api.update_batch(parent, changes), strict=True):
                told[number] = _gone(api, wanted) if row is None else _after(api, row, wanted)
    return [told[number] for number in range(len(writes))]


def _after(api: WooApi, after: Stocked, wanted: StockWrite) -> StockLevel | StoreError:
    try:
        return _written(api, after, wanted)
    except StoreError as error:
        return error


def _gone(api: WooApi, wanted: StockWrite) -> NotFound:
    return NotFound(f"{wanted.sku} is no longer at {api.store.name}.", store=api.store.name)


def _row(wanted: StockWrite) -> int:
    return int(wanted.stock_id.rpartition("/")[2])


def _groups(writes: Sequence[StockWrite]) -> Iterator[tuple[int, list[tuple[int, StockWrite]]]]:
    """Yield up to a hundred numbered writes that go in one batch: of products (0), or of one product's variations."""
    by_parent: dict[int, list[tuple[int, StockWrite]]] = {}
    for number, one in enumerate(writes):
        product, middle, _ = one.stock_id.partition("/")
        by_parent.setdefault(int(product) if middle else 0, []).append((number, one))
    for parent, group in by_parent.items():
        for start in range(0, len(group), PER_PAGE_MOST):
            yield parent, group[start : start + PER_PAGE_MOST]


async def _looked_at(api: WooApi, parent: int, ids: Sequence[int]) -> Sequence[Stocked]:
    if parent == 0:
        return await api.products_by_id(ids, fields=STOCK_FIELDS)
    try:
        return await api.variations(parent)
    except NotFound:
        return ()


def _written(api: WooApi, after: Stocked, wanted: StockWrite) -> StockLevel:
    """Return the level that was written. Raises StockChanged where somebody sold one at that very moment."""
    if after.quantity != wanted.quantity:
        raise StockChanged(store=api.store.name, sku=wanted.sku.value, found=after.quantity)
    listing_id = ListingId(wanted.stock_id.partition("/")[0])
    return StockLevel(api.store.store_id, wanted.stock_id, wanted.sku, listing_id, after.quantity)


async def _variations(api: WooApi, variable: Sequence[int]) -> list[Stocked]:
    rows: list[Stocked] = []
    page, pages = 1, 1
    try:
        while page <= pages:
            found = await api.all_variations(page)
            rows += found.rows
            page, pages = page + 1, found.pages
    except NotFound:
        # Before WooCommerce 10.3 variations are listed for one product at a time only.
        return [
            one.model_copy(update={"parent_id": product_id})
            for product_id in variable
            for one in await api.variations(product_id)
        ]
    return rows


def _level(api: WooApi, one: Stocked) -> StockLevel | None:
    sku = one.sku_read
    if sku is None:
        return None
    of_parent = one.manage_stock == "parent"
    product_id = one.parent_id or one.id
    handle = str(one.id) if not one.parent_id else (str(product_id) if of_parent else f"{product_id}/{one.id}")
    return StockLevel(
        api.store.store_id,
        StockId(handle),
        sku,
        ListingId(str(product_id)),
        one.quantity,
        is_writable=one.quantity is not None,
    )


def _path(stock_id: StockId) -> str:
    product, _, variation = stock_id.partition("/")
    return f"{product}/variations/{variation}" if variation else product


def _by_the_hundred(skus: Sequence[Sku]) -> Iterator[list[Sku]]:
    """Yield groups that fit into one address. A SKU with a comma goes alone, since the store splits at it."""
    group: list[Sku] = []
    for sku in skus:
        size = sum(len(one.value.encode()) + 1 for one in group) + len(sku.value.encode())
        if "," in sku.value:
            yield [sku]
            continue
        if len(group) == PER_PAGE_MOST or size > SKU_CHARS_MOST:
            yield group
            group = []
        group.append(sku)
    if group:
        yield group
