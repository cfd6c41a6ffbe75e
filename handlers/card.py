"""What a card shows, derived from its enhancement and placements and from nothing else.

Every change of state ends in `show(...)`, so that all places, in all chats, say the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.catalog import PlatformName
from domain.enhancement import Enhancement, EnhancementState, Placement, PlacementState
from domain.ports import UnitOfWork
from domain.replies import (
    Card,
    CardReply,
    DecidedElsewhere,
    EnhanceFailed,
    Expired,
    Placed,
    PreviewReady,
    Published,
    PublishFailed,
    Publishing,
    Rejected,
    Restored,
    RestoreFailed,
    Restoring,
    Unclear,
    Working,
)
from handlers.desk import Asked, Desk

_STAGES = {EnhancementState.RECEIVED: "waiting", EnhancementState.ENHANCING: "enhancing"}


def card_of(enhancement: Enhancement) -> Card:
    """Return what every card of this enhancement shows, at its current revision."""
    revision = enhancement.revision
    recipe = revision.recipe
    per_picture = tuple(finding for picture in revision.pictures[:1] for finding in picture.findings)
    return Card(
        enhancement_id=enhancement.enhancement_id,
        revision=revision.number,
        sku=enhancement.sku.value,
        title=enhancement.title,
        stores=tuple(dict.fromkeys(target.store_name for target in enhancement.targets)),
        requested_by=enhancement.requested_by_name,
        background=str(recipe.background) if recipe.background else "white",
        shadow=recipe.shadow.value if recipe.shadow else "",
        engine=revision.engine,
        before=revision.before,
        after=revision.after,
        preview=revision.preview,
        findings=(*revision.findings, *per_picture),
        is_live=any(target.platform is not PlatformName.SHELF for target in enhancement.targets),
        approvals_needed=enhancement.rules.approvals,
        approved_by=tuple(item.by_name for item in enhancement.approvals),
        is_for_others=not enhancement.rules.own,
    )


def card_reply(enhancement: Enhancement, placements: Sequence[Placement], *, note: str = "") -> CardReply:
    """Return the one reply that is true now. `note` is a sentence for a published card."""
    card = card_of(enhancement)
    match enhancement.state:
        case EnhancementState.RECEIVED | EnhancementState.ENHANCING:
            return Working(enhancement.sku.value, _STAGES[enhancement.state], card)
        case EnhancementState.AWAITING_DECISION:
            return PreviewReady(card)
        case EnhancementState.EXPIRED:
            return Expired(card)
        case EnhancementState.ENHANCE_FAILED:
            return EnhanceFailed(card, enhancement.failure)
        case EnhancementState.REJECTED:
            decision = enhancement.decision
            assert decision is not None, "a rejected row carries its decision"
            return Rejected(card, decision.by_name, decision.decided_at, decision.reason)
        case EnhancementState.APPROVED:
            current = [item for item in placements if item.revision == enhancement.revision.number]
            return _approved(enhancement, card, current, note)


def _approved(enhancement: Enhancement, card: Card, placements: Sequence[Placement], note: str) -> CardReply:
    decision = enhancement.decision
    assert decision is not None, "an approved row carries its decision"
    by, at = decision.by_name, decision.decided_at
    states = {placement.state for placement in placements}
    placed = tuple(_placed(item) for item in placements)
    if PlacementState.UNCLEAR in states:
        return Unclear(card, placed)
    if states & {PlacementState.APPROVED, PlacementState.PUBLISHING, PlacementState.ACCEPTED}:
        return Publishing(card, by, at, placed)
    if PlacementState.RESTORING in states:
        return Restoring(card, placed)
    if PlacementState.PUBLISH_FAILED in states:
        return PublishFailed(card, by, at, placed)
    if PlacementState.RESTORE_FAILED in states:
        return RestoreFailed(card, placed)
    if PlacementState.LIVE in states:
        return Published(card, by, at, placed, note)
    return Restored(card, placed)


def _placed(placement: Placement) -> Placed:
    return Placed(
        placement_id=placement.placement_id,
        store=placement.target.store_name,
        state=placement.state.value,
        url=placement.target.listing_url or placement.url,
        failure=placement.failure,
        attempt=placement.attempt,
        photo=placement.picture.photo,
    )


async def tell_requester(
    work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement, verdict: str, *, reason: str = ""
) -> None:
    """Tell who asked for a picture what somebody else decided, where they asked for it, under its card.

    Not when it was decided in that very conversation: there the card has just changed before everybody's eyes.
    In the transaction of the decision, so that it is said once or not at all.
    """
    here, there = asked.incoming.place, enhancement.place
    is_seen = (here.chat, here.place_id) == (there.chat, there.place_id)
    if is_seen or enhancement.requested_by == asked.member.member_id:
        return
    notice = DecidedElsewhere(
        verdict, asked.member.name, desk.clock(), enhancement.sku.value, enhancement.title, reason
    )
    await work.say_under(enhancement.enhancement_id, notice, only=there)


async def show_card(work: UnitOfWork, enhancement: Enhancement, *, note: str = "") -> None:
    """Bring the card up to date everywhere it is shown."""
    placements = await work.placements.of_enhancement(enhancement.enhancement_id)
    await work.show(enhancement.enhancement_id, card_reply(enhancement, placements, note=note))
