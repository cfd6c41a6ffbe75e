"""What the shop sells, across its stores: finding, listing, guessing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency
from rapidfuzz import fuzz, process, utils

from domain.catalog import Listing, Sku, Store, Variant
from domain.enhancement import Target
from domain.errors import StoreError, UnknownSku
from domain.intents import ListProducts, ShowProduct
from domain.ports import StorePlatform
from domain.replies import Guess, ListingLine, ProductList, ProductShown
from handlers.desk import Asked, Desk

PAGE_LINES = 10
GUESS_SCORE = 40
"""rapidfuzz WRatio under which a guess is noise; three good ones beat three random ones."""
CATALOGUE_LIMIT = 2000
"""How many listings a guess looks through; beyond it typing the SKU is quicker anyway."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where one SKU is sold. `silent` are the stores that did not answer."""

    sku: Sku
    title: str
    targets: tuple[Target, ...]
    listings: tuple[Listing, ...]
    silent: tuple[StoreError, ...]

    @property
    def store_names(self) -> tuple[str, ...]:
        """The stores that have it, each once."""
        return tuple(dict.fromkeys(target.store_name for target in self.targets))

    def labels(self) -> tuple[str, ...]:
        """One label a target; the title joins where one store has several listings of the SKU."""
        names = [target.store_name for target in self.targets]
        return tuple(
            name if names.count(name) == 1 else f"{name}: {listing.title}"
            for name, listing in zip(names, self.listings, strict=True)
        )

    def title_at(self, targets: Sequence[Target]) -> str:
        """Return what the first of these listings is called: two stores may name one SKU differently."""
        wanted = {(target.store_id, target.listing_id) for target in targets}
        pairs = zip(self.targets, self.listings, strict=True)
        titles = (listing.title for target, listing in pairs if (target.store_id, target.listing_id) in wanted)
        return next(titles, self.title)

    def raise_if_a_store_was_silent(self) -> None:
        """Raise the first store's error: “not found” would be a guess while a store did not answer."""
        if self.silent:
            raise self.silent[0]


async def find_everywhere(desk: Desk, team_id: str, sku: Sku) -> Found:
    """Ask every store of the team at once. A store that fails is remembered, not fatal."""
    stores = await desk.stores.of_team(team_id)
    answers = await asyncio.gather(*(_find_in(store, sku) for store in stores))
    pairs: list[tuple[Store, Listing]] = []
    silent: list[StoreError] = []
    for store, answer in zip(stores, answers, strict=True):
        if isinstance(answer, StoreError):
            silent.append(answer)
        else:
            pairs += [(store.store, listing) for listing in answer]
    spelled = next((item.sku for _, listing in pairs for item in listing.variants if item.sku.key == sku.key), sku)
    targets = tuple(
        Target(store.store_id, store.name, store.platform, listing.listing_id, listing_url=listing.url)
        for store, listing in pairs
    )
    listings = tuple(listing for _, listing in pairs)
    return Found(spelled, listings[0].title if listings else "", targets, listings, tuple(silent))


async def _find_in(store: StorePlatform, sku: Sku) -> Sequence[Listing] | StoreError:
    try:
        return await store.find_listings(sku)
    except StoreError as error:
        return error


async def show_product(asked: Asked, intent: ShowProduct, desk: Desk) -> None:
    """Answer with the product on every store. Raises UnknownSku with the nearest ones."""
    found = await find_everywhere(desk, asked.member.team_id, intent.sku)
    if not found.listings:
        found.raise_if_a_store_was_silent()
        guesses = await nearest_skus(desk, asked.member.team_id, intent.sku.value, limit=3)
        raise UnknownSku(intent.sku.value, guesses=guesses)
    lines = tuple(
        _line(target.store_name, listing, sku=intent.sku)
        for target, listing in zip(found.targets, found.listings, strict=True)
    )
    async with desk.work(asked.incoming) as work:
        await work.answer(ProductShown(found.sku.value, lines))


async def list_products(asked: Asked, intent: ListProducts, desk: Desk) -> None:
    """Answer with one page of the catalogue, narrowed by words where there are some."""
    lines = [_line(name, listing) for name, listing in await _catalogue(desk, asked.member.team_id)]
    if words := intent.query.casefold().split():
        lines = [line for line in lines if all(word in f"{line.sku} {line.title}".casefold() for word in words)]
    pages = max(1, -(-len(lines) // PAGE_LINES))
    page = min(intent.page, pages)
    shown = tuple(lines[(page - 1) * PAGE_LINES : page * PAGE_LINES])
    async with desk.work(asked.incoming) as work:
        await work.answer(ProductList(shown, intent.query, page, pages, len(lines)))


async def guess_products(desk: Desk, team_id: str, hint: str, *, limit: int) -> tuple[Guess, ...]:
    """Return the products a hint may mean, best first; without a usable hint the first ones."""
    labels: dict[str, str] = {}
    for _, listing in await _catalogue(desk, team_id):
        for variant in listing.variants:
            labels.setdefault(variant.sku.value, f"{listing.title} · {variant.sku}")
    ranked = process.extract(
        hint, labels, scorer=fuzz.WRatio, processor=utils.default_process, limit=limit, score_cutoff=GUESS_SCORE
    )
    skus = [sku for _, _, sku in ranked]
    skus += [sku for sku in labels if sku not in skus][: limit - len(skus)]
    return tuple(Guess(labels[sku], sku) for sku in skus)


async def nearest_skus(desk: Desk, team_id: str, typed: str, *, limit: int) -> tuple[str, ...]:
    """Return the SKUs that look like a mistyped one, best first; maybe none."""
    skus = [variant.sku.value for _, listing in await _catalogue(desk, team_id) for variant in listing.variants]
    ranked = process.extract(
        typed, skus, scorer=fuzz.ratio, processor=utils.default_process, limit=limit, score_cutoff=60
    )
    return tuple(sku for sku, _, _ in ranked)


async def _catalogue(desk: Desk, team_id: str) -> list[tuple[str, Listing]]:
    everything: list[tuple[str, Listing]] = []
    for store in await desk.stores.of_team(team_id):
        cursor: str | None = None
        while len(everything) < CATALOGUE_LIMIT:
            page = await store.list_products(cursor=cursor, limit=100)
            everything += [(store.store.name, listing) for listing in page.listings]
            cursor = page.next_cursor
            if cursor is None:
                break
    return everything


def _line(store_name: str, listing: Listing, *, sku: Sku | None = None) -> ListingLine:
    variant = _variant(listing, sku)
    main = listing.image_at(1)
    return ListingLine(
        store=store_name,
        title=listing.title,
        url=listing.url,
        photo_url=main.url if main else "",
        image_count=len(listing.images),
        price=price_text(variant.price, variant.currency) if variant else "",
        quantity=variant.quantity if variant else None,
        sku=variant.sku.value if variant else "",
    )


def _variant(listing: Listing, sku: Sku | None) -> Variant | None:
    matches = (variant for variant in listing.variants if sku is None or variant.sku.key == sku.key)
    return next(matches, None)


def price_text(price: Decimal, currency: str, *, locale: str = "en") -> str:
    """Return a price as people of the locale write it."""
    return format_currency(price, currency, locale=locale)
