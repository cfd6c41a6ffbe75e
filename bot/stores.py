"""The port `Stores`: which stores a team has connected, opened through the registry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.clock import utc_now
from bot.keys import open_vault
from bot.media_links import MediaLinks, link_keys
from bot.settings import Settings, secret_key
from domain.catalog import Store, StoreId
from domain.connection import Contact
from domain.errors import Disconnected
from domain.ports import StorePlatform
from domain.recipe import PictureRules
from platforms.descriptor import NoLinks, Supplies
from platforms.outside import Near, anywhere_near, near_of
from platforms.registry import PLATFORMS, RULES
from platforms.transport import Transports
from storage.catalog import StoreRows
from storage.connecting import SqlScopeUses
from storage.connections import SqlConnections
from storage.database import Database
from storage.media import ObstoreMedia
from storage.shelf import SqlShelfRows
from storage.store_notes import SqlStoreNotes
from storage.vault import Vault


@dataclass(frozen=True, slots=True)
class ConnectedStores:
    """Opens what the rows name. `deployment` holds the settings that stand in for a store's own, by their name."""

    rows: StoreRows
    vault: Vault
    supplies: Supplies
    deployment: Mapping[str, str] = field(repr=False)

    async def of_team(self, team_id: str) -> Sequence[StorePlatform]:
        """Return them, the first connected first."""
        found = await self.rows.with_credentials(team_id)
        return [self._opened(store, self.settings(store, sealed)) for store, sealed in found]

    async def open(self, store_id: StoreId) -> StorePlatform:
        """Return one. Raises Disconnected when somebody took it away."""
        found = await self.rows.sealed(store_id)
        if found is None:
            name = await self.rows.name_of(store_id) or "That store"
            raise Disconnected(f"{name} is no longer connected.", store=name)
        store, sealed = found
        return self._opened(store, self.settings(store, sealed))

    def rules(self, store: Store) -> PictureRules:
        """Return what its platform wants of a main picture."""
        return RULES[store.platform]

    async def contact(self, store: Store) -> Contact:
        """Return how talking to it went."""
        return await self.supplies.transports.contacts.of(store.store_id)

    async def settings_of(self, store: Store) -> Mapping[str, str]:
        """Return everything the store is opened with, its secrets among it."""
        return self.settings(store, await self.rows.credentials(store.store_id))

    async def own_settings(self, store: Store) -> Mapping[str, str]:
        """Return what the store itself was given, nothing of the deployment's among it."""
        sealed = await self.rows.credentials(store.store_id)
        return dict(json.loads(self.vault.decrypt(sealed))) if sealed else {}

    def settings(self, store: Store, sealed: bytes | None) -> Mapping[str, str]:
        """Return the same from its credentials, where they are at hand."""
        given: Mapping[str, str] = json.loads(self.vault.decrypt(sealed)) if sealed else {}
        return PLATFORMS[store.platform].complete(given, self.deployment)

    def _opened(self, store: Store, settings: Mapping[str, str]) -> StorePlatform:
        return PLATFORMS[store.platform].open(store, replace(self.supplies, settings=settings))


def picture_links(settings: Settings, media: ObstoreMedia) -> MediaLinks | None:
    """Return the signed addresses of pictures; None where neither PUBLIC_URL nor a public bucket is set."""
    if not settings.public_url and not media.is_public:
        return None
    return MediaLinks(media, link_keys(secret_key(settings).split(",")), settings.public_url, utc_now)


def reachable_here(settings: Settings) -> Near:
    """Return what of this machine a store may be: where the deployment's own settings point, and nothing else."""
    if settings.woocommerce_allow_http:
        return anywhere_near
    return near_of(value for name, value in settings.deployment.items() if name.endswith("_URL"))


@asynccontextmanager
async def open_stores(
    settings: Settings, database: Database, media: ObstoreMedia, *, public_url: str
) -> AsyncIterator[ConnectedStores]:
    """Open the way to every store. Raises NotPossible where SECRET_KEY is missing."""
    vault = open_vault(settings)
    connections = SqlConnections(database, vault, utc_now)
    uses = SqlScopeUses(database, utc_now)
    async with Transports(connections, connections, utc_now, uses=uses, near=reachable_here(settings)) as transports:
        supplies = Supplies(
            media,
            SqlShelfRows(database),
            lambda path: public_url + path,
            transports,
            SqlStoreNotes(database),
            links=picture_links(settings, media) or NoLinks(),
        )
        yield ConnectedStores(StoreRows(database), vault, supplies, settings.deployment)
