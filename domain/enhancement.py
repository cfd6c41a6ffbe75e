"""One photo's way to the shops. Every state and every transition of an Enhancement and of a
Placement lives in this file; nobody else decides what may follow what.

    received → enhancing → awaiting_decision → approved | rejected | expired
    any of them that failed: enhance_failed; a redo or retry of a settled one starts a new revision at received

    approved → publishing → (accepted →) live → restoring → restored
    publish_failed, restore_failed (still live), unclear: a person says what happens next
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.catalog import ImageId, ListingId, PlatformName, Sha256, Sku, StoreId
from domain.errors import PackshotError
from domain.people import Place
from domain.picture import ContentType, Finding
from domain.recipe import Recipe
from domain.rules import NO_RULES, Approval, DecisionRules


class IllegalMove(PackshotError):
    """An event that this state does not know. Nothing has changed."""

    def __init__(self, state: StrEnum, event: StrEnum) -> None:
        super().__init__(f"{event.value} is not possible while {state.value}")
        self.state = state
        self.event = event


class EnhancementState(StrEnum):
    """Where a photo stands; one value per row."""

    RECEIVED = "received"
    ENHANCING = "enhancing"
    AWAITING_DECISION = "awaiting_decision"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ENHANCE_FAILED = "enhance_failed"


class EnhancementEvent(StrEnum):
    """What can happen to an enhancement."""

    START = "start"
    OFFER = "offer"
    FAIL = "fail"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    REDO = "redo"


class PlacementState(StrEnum):
    """Where one picture stands at one store."""

    APPROVED = "approved"
    PUBLISHING = "publishing"
    ACCEPTED = "accepted"
    LIVE = "live"
    RESTORING = "restoring"
    RESTORED = "restored"
    PUBLISH_FAILED = "publish_failed"
    RESTORE_FAILED = "restore_failed"
    UNCLEAR = "unclear"


class PlacementEvent(StrEnum):
    """What can happen to a placement. `lose_sight`: nobody can tell whether the write happened."""

    BEGIN = "begin"
    ACCEPT = "accept"
    CONFIRM = "confirm"
    FAIL = "fail"
    LOSE_SIGHT = "lose_sight"
    UNDO = "undo"
    PUT_BACK = "put_back"
    KEEP = "keep"
    RETRY = "retry"
    IT_IS_THERE = "it_is_there"
    IT_IS_NOT_THERE = "it_is_not_there"
    LOOK_AGAIN = "look_again"


_E, _V = EnhancementState, EnhancementEvent
ENHANCEMENT_MOVES: dict[tuple[EnhancementState, EnhancementEvent], EnhancementState] = {
    (_E.RECEIVED, _V.START): _E.ENHANCING,
    (_E.RECEIVED, _V.FAIL): _E.ENHANCE_FAILED,
    (_E.ENHANCING, _V.START): _E.ENHANCING,  # a worker died in the middle; the next one starts over
    (_E.ENHANCING, _V.OFFER): _E.AWAITING_DECISION,
    (_E.ENHANCING, _V.FAIL): _E.ENHANCE_FAILED,
    (_E.AWAITING_DECISION, _V.APPROVE): _E.APPROVED,
    (_E.AWAITING_DECISION, _V.REJECT): _E.REJECTED,
    (_E.AWAITING_DECISION, _V.EXPIRE): _E.EXPIRED,
    (_E.AWAITING_DECISION, _V.REDO): _E.RECEIVED,
    (_E.APPROVED, _V.REDO): _E.RECEIVED,
    (_E.REJECTED, _V.REDO): _E.RECEIVED,
    (_E.EXPIRED, _V.REDO): _E.RECEIVED,
    (_E.ENHANCE_FAILED, _V.REDO): _E.RECEIVED,
}

_P, _W = PlacementState, PlacementEvent
PLACEMENT_MOVES: dict[tuple[PlacementState, PlacementEvent], PlacementState] = {
    (_P.APPROVED, _W.BEGIN): _P.PUBLISHING,
    (_P.APPROVED, _W.FAIL): _P.PUBLISH_FAILED,
    (_P.PUBLISHING, _W.BEGIN): _P.PUBLISHING,  # a worker died in the middle; publishing is find-or-create
    (_P.PUBLISHING, _W.ACCEPT): _P.ACCEPTED,
    (_P.PUBLISHING, _W.CONFIRM): _P.LIVE,
    (_P.PUBLISHING, _W.FAIL): _P.PUBLISH_FAILED,
    (_P.PUBLISHING, _W.LOSE_SIGHT): _P.UNCLEAR,
    (_P.ACCEPTED, _W.CONFIRM): _P.LIVE,
    (_P.ACCEPTED, _W.FAIL): _P.PUBLISH_FAILED,
    (_P.ACCEPTED, _W.LOSE_SIGHT): _P.UNCLEAR,
    (_P.ACCEPTED, _W.UNDO): _P.RESTORING,  # a store may think for a day; who sees a mistake need not
    (_P.PUBLISH_FAILED, _W.RETRY): _P.APPROVED,
    (_P.LIVE, _W.UNDO): _P.RESTORING,
    (_P.RESTORING, _W.PUT_BACK): _P.RESTORED,
    (_P.RESTORING, _W.KEEP): _P.LIVE,  # the image there is no longer ours: hands off, and say so
    (_P.RESTORING, _W.FAIL): _P.RESTORE_FAILED,
    (_P.RESTORE_FAILED, _W.RETRY): _P.RESTORING,
    (_P.RESTORE_FAILED, _W.UNDO): _P.RESTORING,
    (_P.UNCLEAR, _W.IT_IS_THERE): _P.LIVE,
    (_P.UNCLEAR, _W.IT_IS_NOT_THERE): _P.PUBLISH_FAILED,
    (_P.UNCLEAR, _W.LOOK_AGAIN): _P.PUBLISHING,
}

MOVING_ENHANCEMENTS = frozenset({_E.RECEIVED, _E.ENHANCING})
MOVING_PLACEMENTS = frozenset({_P.APPROVED, _P.PUBLISHING, _P.ACCEPTED, _P.RESTORING})
"""States that a job must be working on; the sweep looks for rows here without a living job."""

PUBLISHED_PLACEMENTS = frozenset({_P.ACCEPTED, _P.LIVE, _P.RESTORE_FAILED})
"""States in which the shop has our picture, whether buyers see it yet or not, and it can be undone."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a picture shall go: position 1 is the main image."""

    store_id: StoreId
    store_name: str
    platform: PlatformName
    listing_id: ListingId
    position: int = 1
    listing_url: str = ""


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A finished picture in the media storage, one per target's platform."""

    rules_name: str
    photo: Sha256
    content_type: ContentType
    width_px: int
    height_px: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """One attempt at the picture. The result fields are empty until it was offered."""

    number: int
    recipe: Recipe
    pictures: tuple[StoredPicture, ...] = ()
    before: Sha256 | None = None
    after: Sha256 | None = None
    preview: Sha256 | None = None
    engine: str = ""
    confidence: float = 0.0
    findings: tuple[Finding, ...] = ()

    def picture_for(self, platform: PlatformName) -> StoredPicture | None:
        """Return the picture made for a platform, None before it was offered."""
        return next((picture for picture in self.pictures if picture.rules_name == platform.value), None)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who said what, when; the reason is the person's words or empty."""

    verdict: EnhancementEvent
    revision: int
    by_name: str
    by_member_id: str
    decided_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """The row everything hangs on. `photo` is None until fetched from a store."""

    enhancement_id: str
    team_id: str
    sku: Sku
    title: str
    photo: Sha256 | None
    state: EnhancementState
    revision: Revision
    targets: tuple[Target, ...]
    place: Place
    requested_by: str
    requested_by_name: str
    created_at: datetime
    attempt: int = 1
    decision: Decision | None = None
    failure: str = ""
    offered_at: datetime | None = None
    """When the current revision's preview was shown."""
    reminded_at: datetime | None = None
    """When people were reminded of it; it expires some time after that, never before."""
    rules: DecisionRules = NO_RULES
    """What the team has agreed on; read with the row, never written with it."""
    approvals: tuple[Approval, ...] = ()
    """Who has said yes to the current revision while it takes more than one; likewise only read."""

    def after(self, event: EnhancementEvent) -> Enhancement:
        """Return it moved on. Raises IllegalMove and changes nothing where the table has no entry."""
        state = ENHANCEMENT_MOVES.get((self.state, event))
        if state is None:
            raise IllegalMove(self.state, event)
        return replace(self, state=state)

    def redone(self, recipe: Recipe) -> Enhancement:
        """Return a new revision with another recipe; the old buttons go stale. Raises IllegalMove."""
        moved = self.after(EnhancementEvent.REDO)
        revision = Revision(number=self.revision.number + 1, recipe=recipe)
        return replace(
            moved, revision=revision, decision=None, failure="", attempt=self.attempt + 1,
            offered_at=None, reminded_at=None, approvals=(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Replaced:
    """What stood at the position before us. `image` None: nothing did. Kept while undo is possible."""

    image_id: ImageId | None
    photo: Sha256 | None
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """One approved picture at one store. `attempt` rises with every retry and names the job."""

    placement_id: str
    enhancement_id: str
    team_id: str
    sku: Sku
    revision: int
    target: Target
    picture: StoredPicture
    state: PlacementState
    attempt: int = 1
    replaced: Replaced | None = None
    image_id: ImageId | None = None
    url: str = ""
    failure: str = ""
    looks: int = 0
    """How often we looked since the store accepted it, and did not see it yet."""

    @property
    def publish_key(self) -> str:
        """What the store-side find-or-create is keyed by: never the attempt, never the job.

        The listing belongs to it, since one store may have two listings of the same SKU.
        """
        return f"{self.enhancement_id}:{self.revision}:{self.target.store_id}:{self.target.listing_id}"

    def after(self, event: PlacementEvent) -> Placement:
        """Return it moved on. Raises IllegalMove and changes nothing where the table has no entry."""
        state = PLACEMENT_MOVES.get((self.state, event))
        if state is None:
            raise IllegalMove(self.state, event)
        return replace(self, state=state)
