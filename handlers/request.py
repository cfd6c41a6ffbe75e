"""What a person asked to have enhanced: which product, which store, then it starts.

Whatever is missing is asked for; whatever cannot be read is refused before anything has started.
"""

from __future__ import annotations

import asyncio

from domain.enhancement import Target
from domain.errors import BadInput, UnknownSku
from domain.intents import EnhancePhotos, EnhanceSkus
from domain.recipe import Recipe
from handlers import ask
from handlers.desk import Asked, Desk
from handlers.enhance import check_reach, choose_targets, read_options, start
from handlers.products import Found, find_everywhere, nearest_skus


async def request(asked: Asked, intent: EnhancePhotos | EnhanceSkus, desk: Desk) -> None:
    """Start one enhancement a photo or SKU, or ask which product or store is meant.

    Raises BadInput, BadPhoto, UnknownSku, NotPossible; then nothing was started.
    """
    recipe, position = read_options(intent.options)
    if isinstance(intent, EnhanceSkus):
        await _request_skus(asked, intent, desk, recipe, position)
        return
    for photo in intent.photos:
        await desk.enhancer.check(await desk.media.get(photo))
    if intent.sku is None:
        await ask.which_product(asked, intent, desk)
        return
    found = await find_everywhere(desk, asked.member.team_id, intent.sku)
    if not found.targets:
        await ask.which_product(asked, intent, desk, found=found)
        return
    targets = choose_targets(found, intent.stores)
    if targets is None:
        await ask.which_store(asked, intent, found, desk)
        return
    await check_reach(desk, targets)
    async with desk.work(asked.incoming) as work:
        await start(
            work, asked, desk, found, targets=targets, photos=intent.photos, recipe=recipe, first_position=position
        )


async def _request_skus(asked: Asked, intent: EnhanceSkus, desk: Desk, recipe: Recipe, position: int) -> None:
    everything = await asyncio.gather(*(find_everywhere(desk, asked.member.team_id, sku) for sku in intent.skus))
    chosen: list[tuple[Found, tuple[Target, ...]]] = []
    for sku, found in zip(intent.skus, everything, strict=True):
        if not found.targets:
            found.raise_if_a_store_was_silent()
            raise UnknownSku(sku.value, guesses=await nearest_skus(desk, asked.member.team_id, sku.value, limit=3))
        targets = choose_targets(found, intent.stores)
        if targets is None and len(intent.skus) > 1:
            raise BadInput(
                "{sku} is sold in several stores: say which, for example `enhance … on {store}`.",
                sku=sku.value,
                store=found.store_names[0],
            )
        if targets is None:
            await ask.which_store(asked, intent, found, desk)
            return
        await check_reach(desk, targets)
        chosen.append((found, targets))
    async with desk.work(asked.incoming) as work:
        for found, targets in chosen:
            await start(
                work, asked, desk, found, targets=targets, photos=(None,), recipe=recipe, first_position=position
            )
