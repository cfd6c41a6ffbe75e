"""The port `Stores`: which stores a team has connected, opened through the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.catalog import Store, StoreId
from domain.errors import NotFound
from domain.ports import StorePlatform
from domain.recipe import PictureRules
from platforms.registry import OPENERS, RULES, Supplies
from storage.catalog import StoreRows


@dataclass(frozen=True, slots=True)
class ConnectedStores:
    """Opens what the rows name."""

    rows: StoreRows
    supplies: Supplies

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        """Return them, the first connected first."""
        return [OPENERS[store.platform](store, self.supplies) for store in await self.rows.list(team_id)]

    async def open(self, store_id: StoreId) -> StorePlatform:
        """Return one. Raises NotFound when it was disconnected."""
        store = await self.rows.get(store_id)
        if store is None:
            raise NotFound("it is no longer connected", store="That store")
        return OPENERS[store.platform](store, self.supplies)

    def rules(self, store: Store) -> PictureRules:
        """Return what its platform wants of a main picture."""
        return RULES[store.platform]
