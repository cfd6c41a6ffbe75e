"""One enhancement and one placement to start from."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.catalog import ListingId, PlatformName, Sha256, Sku, StoreId
from domain.enhancement import (
    Enhancement,
    EnhancementState,
    Placement,
    PlacementState,
    Revision,
    StoredPicture,
    Target,
)
from domain.people import ChatName, Place
from domain.recipe import Recipe

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TARGET = Target(StoreId("shelf"), "Shelf", PlatformName.SHELF, ListingId("listing"))
PICTURE = StoredPicture("shelf", Sha256("cd" * 32), "image/jpeg", 2048, 2048, ())


def an_enhancement() -> Enhancement:
    return Enhancement(
        enhancement_id="enhancement-number-001",
        team_id="team",
        sku=Sku("MUG-01"),
        title="Blue mug",
        photo=Sha256("ab" * 32),
        state=EnhancementState.RECEIVED,
        revision=Revision(1, Recipe(), pictures=(PICTURE,)),
        targets=(TARGET,),
        place=Place(ChatName.CONSOLE, "room"),
        requested_by="m1",
        requested_by_name="Anna",
        created_at=NOON,
    )


def a_placement() -> Placement:
    return Placement(
        placement_id="placement-1",
        enhancement_id="enhancement-number-001",
        team_id="team",
        sku=Sku("MUG-01"),
        revision=1,
        target=TARGET,
        picture=PICTURE,
        state=PlacementState.APPROVED,
    )
