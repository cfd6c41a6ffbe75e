"""Every state × event: the table says where it leads, and whatever it does not list raises and changes nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from domain.catalog import ListingId, StoreId
from domain.enhancement import (
    ENHANCEMENT_MOVES,
    MOVING_ENHANCEMENTS,
    MOVING_PLACEMENTS,
    PLACEMENT_MOVES,
    PUBLISHED_PLACEMENTS,
    Decision,
    EnhancementEvent,
    EnhancementState,
    IllegalMove,
    PlacementEvent,
    PlacementState,
)
from domain.recipe import Background, Recipe
from tests.domain.rows import NOON, a_placement, an_enhancement

# Written out a second time on purpose: a slip in the table must not be able to hide in a copy of itself.
ENHANCEMENT_LEADS = {
    "received": {"start": "enhancing", "fail": "enhance_failed"},
    "enhancing": {"start": "enhancing", "offer": "awaiting_decision", "fail": "enhance_failed"},
    "awaiting_decision": {"approve": "approved", "reject": "rejected", "expire": "expired", "redo": "received"},
    "approved": {"redo": "received"},
    "rejected": {"redo": "received"},
    "expired": {"redo": "received"},
    "enhance_failed": {"redo": "received"},
}
PLACEMENT_LEADS = {
    "approved": {"begin": "publishing", "fail": "publish_failed"},
    "publishing": {
        "begin": "publishing",
        "accept": "accepted",
        "confirm": "live",
        "fail": "publish_failed",
        "lose_sight": "unclear",
    },
    "accepted": {"confirm": "live", "fail": "publish_failed", "lose_sight": "unclear", "undo": "restoring"},
    "live": {"undo": "restoring"},
    "restoring": {"put_back": "restored", "keep": "live", "fail": "restore_failed"},
    "restored": {},
    "publish_failed": {"retry": "approved"},
    "restore_failed": {"retry": "restoring", "undo": "restoring"},
    "unclear": {"it_is_there": "live", "it_is_not_there": "publish_failed", "look_again": "publishing"},
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(EnhancementState, EnhancementEvent)))
def test_enhancement_moves_only_as_the_table_says(state: EnhancementState, event: EnhancementEvent) -> None:
    before = replace(an_enhancement(), state=state)
    copy = replace(before)
    leads_to = ENHANCEMENT_LEADS[state.value].get(event.value)
    if leads_to is None:
        with pytest.raises(IllegalMove) as refusal:
            before.after(event)
        assert (refusal.value.state, refusal.value.event) == (state, event)
    else:
        assert before.after(event) == replace(before, state=EnhancementState(leads_to))
    assert before == copy


@pytest.mark.parametrize(("state", "event"), list(itertools.product(PlacementState, PlacementEvent)))
def test_placement_moves_only_as_the_table_says(state: PlacementState, event: PlacementEvent) -> None:
    before = replace(a_placement(), state=state)
    copy = replace(before)
    leads_to = PLACEMENT_LEADS[state.value].get(event.value)
    if leads_to is None:
        with pytest.raises(IllegalMove) as refusal:
            before.after(event)
        assert (refusal.value.state, refusal.value.event) == (state, event)
    else:
        assert before.after(event) == replace(before, state=PlacementState(leads_to))
    assert before == copy


def test_every_state_can_be_reached_and_none_that_moves_is_a_dead_end() -> None:
    assert set(ENHANCEMENT_MOVES.values()) == set(EnhancementState)
    assert set(PLACEMENT_MOVES.values()) | {PlacementState.APPROVED} == set(PlacementState)
    for moving in MOVING_ENHANCEMENTS:
        assert (moving, EnhancementEvent.FAIL) in ENHANCEMENT_MOVES
    for placing in MOVING_PLACEMENTS:
        assert (placing, PlacementEvent.FAIL) in PLACEMENT_MOVES
    for published in PUBLISHED_PLACEMENTS:
        assert (published, PlacementEvent.UNDO) in PLACEMENT_MOVES


@pytest.mark.parametrize("state", [state for state in EnhancementState if state not in MOVING_ENHANCEMENTS])
def test_redo_of_a_settled_one_is_a_new_revision_without_the_old_decision(state: EnhancementState) -> None:
    decision = Decision(EnhancementEvent.REJECT, 1, "Anna", "m1", NOON, "too dark")
    before = replace(an_enhancement(), state=state, decision=decision, failure="It did not work.")
    recipe = Recipe(background=Background.parse("#eee"))
    again = before.redone(recipe)
    assert (again.state, again.revision.number, again.revision.recipe) == (EnhancementState.RECEIVED, 2, recipe)
    assert (again.decision, again.failure, again.revision.pictures) == (None, "", ())
    assert again.attempt == before.attempt + 1


@pytest.mark.parametrize("state", sorted(MOVING_ENHANCEMENTS))
def test_redo_of_one_in_work_is_refused(state: EnhancementState) -> None:
    with pytest.raises(IllegalMove):
        replace(an_enhancement(), state=state).redone(Recipe())


def test_publish_key_names_the_picture_and_its_place_and_never_the_attempt() -> None:
    placement = a_placement()
    assert replace(placement, attempt=9).publish_key == placement.publish_key
    others = [
        replace(placement, revision=2),
        replace(placement, enhancement_id="another"),
        replace(placement, target=replace(placement.target, store_id=StoreId("another"))),
        replace(placement, target=replace(placement.target, listing_id=ListingId("another"))),
    ]
    assert len({placement.publish_key, *(other.publish_key for other in others)}) == 5
