"""Accepted is not live: a store that shows a picture later is looked at again, and the card says where it stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import text

from domain.catalog import ListingId, ListingImage
from domain.enhancement import PlacementState
from domain.errors import Ambiguous, Fault, NotPossible, RejectedByStore, StoreDown
from domain.jobs import JobName, look_job
from domain.replies import (
    Card,
    Published,
    PublishFailed,
    Publishing,
    Refused,
    Reply,
    Restored,
    RestoreFailed,
    Unclear,
    waits,
)
from domain.tokens import Action
from handlers import publish
from handlers.console import render as console
from handlers.desk import LOOKS_AFTER_S
from handlers.faces import face
from handlers.slack import render as slack
from handlers.telegram import render as telegram
from handlers.words import ENGLISH, Words
from storage.moving import moving_rows
from tests.fakes import FakePlatform
from tests.handlers.shop import PHOTO, Shop, button
from tests.handlers.test_photos_way import preview_of


@dataclass(slots=True)
class Thinking:
    """How the late store answers each look: a number of times None, then what it shows."""

    left: int
    errors: dict[int, Exception] = field(default_factory=dict)
    looks: int = 0


class LatePlatform(FakePlatform):
    """The shelf, which shows what it took only after some looks."""

    def __init__(self, inner: FakePlatform, thinking: Thinking) -> None:
        super().__init__(inner.shelf)
        self.thinking = thinking

    async def find_live(self, key: str, listing_id: ListingId) -> ListingImage | None:
        self.thinking.looks += 1
        if error := self.thinking.errors.pop(self.thinking.looks, None):
            raise error
        if self.thinking.looks <= self.thinking.left:
            return None
        return await self.shelf.find_published(key, listing_id)


def late(shop: Shop, left: int, **errors: Exception) -> Thinking:
    thinking = Thinking(left, {int(name.removeprefix("at_")): error for name, error in errors.items()})
    shop.stores.opened[0] = LatePlatform(shop.shelf, thinking)
    return thinking


async def published(shop: Shop) -> list[Reply]:
    return await shop.press(Action.APPROVE, await preview_of(shop))


async def test_an_accepted_picture_is_looked_at_until_it_is_live(shop: Shop) -> None:
    thinking = late(shop, 4)
    replies = await published(shop)
    assert [type(reply).__name__ for reply in replies] == ["Publishing", "Publishing", "Publishing", "Published"]
    accepted = replies[2]
    assert isinstance(accepted, Publishing)
    assert (accepted.placed[0].state, accepted.is_accepted, waits(accepted)) == ("accepted", True, False)
    assert face(accepted).state == "Accepted, not yet live"
    assert waits(replies[1])
    assert thinking.looks == 5
    [placement] = await shop.placements()
    assert (placement.state, placement.attempt, placement.looks) == (PlacementState.LIVE, 4, 3)
    assert (await shop.audit_actions())[-2:] == ["accept", "confirm"]
    replies = await shop.press(Action.UNDO, accepted.card)
    assert isinstance(replies[-1], Restored)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_chat_says_that_it_is_accepted_and_offers_undo(shop: Shop, language: str) -> None:
    late(shop, 4)
    accepted = (await published(shop))[2]
    assert isinstance(accepted, Publishing)
    words = Words(language)
    drawn = {
        "console": console.fragment(accepted),
        "slack": json.dumps(slack.render(accepted, words).blocks, ensure_ascii=False),
        "telegram": str(telegram.render(accepted, words)),
    }
    for chat, page in drawn.items():
        said = ENGLISH if chat == "console" else words
        assert said("Accepted, not yet live") in page, chat
        assert said("accepted, not yet live") in page, chat
        assert f"undo:{accepted.card.enhancement_id}" in page, chat


async def test_an_accepted_picture_can_be_undone_before_it_is_live(shop: Shop) -> None:
    late(shop, 1000)
    card = await preview_of(shop)
    before = await shop.shown("MUG-01")
    await shop.take("", by="april", token=button(Action.APPROVE, card))
    await shop.run_jobs(before={"look": lambda: undo_now(shop, card)})
    [placement] = await shop.placements()
    assert placement.state is PlacementState.RESTORED
    assert await shop.shown("MUG-01") == before


async def undo_now(shop: Shop, card: Card) -> None:
    """April presses Undo while the first look is about to begin; later looks find nothing to do."""
    [placement] = await shop.placements()
    if placement.state is PlacementState.ACCEPTED:
        await shop.run_intake(await shop.take("", by="april", token=button(Action.UNDO, card)))


class FarPlatform(FakePlatform):
    """A store that would fetch the picture from us, and cannot."""

    async def check_reach(self) -> None:
        raise NotPossible("Set PUBLIC_URL, then retry.")


@pytest.mark.parametrize("photos", [[PHOTO], []])
async def test_a_store_that_cannot_reach_us_is_refused_before_any_work(shop: Shop, photos: list[bytes]) -> None:
    shop.stores.opened[0] = FarPlatform(shop.shelf.shelf)
    before = await shop.everything()
    [*_, refused] = await shop.send("MUG-01" if photos else "enhance MUG-01", photos=photos)
    assert isinstance(refused, Refused)
    assert "PUBLIC_URL" in refused.sentence
    assert await shop.everything() == before


async def test_every_look_has_a_job_of_its_own_and_waits_longer(shop: Shop) -> None:
    late(shop, 3)
    await published(shop)
    [placement] = await shop.placements()
    jobs = [look_job(replace(placement, attempt=attempt), delay_s=1.0) for attempt in (1, 2, 3)]
    assert {(job.name, job.partition) for job in jobs} == {(JobName.LOOK, placement.target.store_id)}
    async with shop.database.read() as db_session:
        keys = (await db_session.execute(text("SELECT job_key FROM job WHERE name = 'look'"))).scalars().all()
    assert sorted(keys) == [job.key for job in jobs]
    assert list(LOOKS_AFTER_S) == sorted(LOOKS_AFTER_S)


async def test_a_store_that_never_shows_it_is_put_to_a_person_after_the_last_look(shop: Shop) -> None:
    thinking = late(shop, 1000)
    last = (await published(shop))[-1]
    assert isinstance(last, Unclear)
    assert thinking.looks == 1 + len(LOOKS_AFTER_S)
    assert "24 hours" in last.placed[0].failure
    replies = await shop.press(Action.IT_IS_THERE, last.card)
    assert isinstance(replies[-1], Published)


async def test_looking_again_after_the_last_look_begins_anew(shop: Shop) -> None:
    thinking = late(shop, 1 + len(LOOKS_AFTER_S))
    last = (await published(shop))[-1]
    assert isinstance(last, Unclear)
    thinking.left += 3
    replies = await shop.press(Action.LOOK_AGAIN, last.card)
    assert isinstance(replies[-1], Published)
    assert len([call for call in shop.shelf.calls if call == "publish_image"]) == 2, "find-or-create, not a copy"


async def test_a_store_that_does_not_answer_costs_one_look_and_nothing_more(shop: Shop) -> None:
    late(shop, 2, at_2=StoreDown("away", store="Shelf"), at_3=StoreDown("away", store="Shelf"))
    assert isinstance((await published(shop))[-1], Published)


async def test_a_picture_refused_after_all_is_taken_back_says_why_and_can_be_retried(shop: Shop) -> None:
    before = await shop.shown("MUG-01")
    late(shop, 5, at_3=RejectedByStore("the main image is not on white", store="Shelf", field="image"))
    last = (await published(shop))[-1]
    assert isinstance(last, PublishFailed)
    assert "not on white" in last.placed[0].failure
    assert "what stood there before is back" in last.placed[0].failure
    assert await shop.shown("MUG-01") == before
    replies = await shop.press(Action.RETRY, last.card)
    assert isinstance(replies[-1], Published)


async def test_a_picture_refused_and_replaced_by_hand_meanwhile_is_left_alone(shop: Shop) -> None:
    thinking = late(shop, 5)
    card = await preview_of(shop)
    await shop.take("", by="april", token=button(Action.APPROVE, card))

    async def by_hand() -> None:
        if not thinking.errors:
            await shop.change_by_hand("MUG-01", b"by hand")
            thinking.errors[thinking.looks + 1] = RejectedByStore("gone", store="Shelf", field="image")

    await shop.run_jobs(before={"look": by_hand})
    [placement] = await shop.placements()
    assert placement.state is PlacementState.PUBLISH_FAILED
    assert (await shop.shown("MUG-01"))[0] == b"by hand"
    assert "back" not in placement.failure


async def test_a_look_whose_job_was_lost_is_put_to_a_person(shop: Shop) -> None:
    late(shop, 1)
    await published(shop)
    [placement] = await shop.placements()
    async with shop.desk.work() as work:
        accepted = replace(placement, state=PlacementState.ACCEPTED)
        await work.placements.save(accepted, was=placement)
    [(job, _since)] = await moving_rows(shop.database)
    assert job.key == look_job(accepted).key
    await publish.publish_failed(placement.placement_id, Fault("job_lost", "no job"), shop.desk)
    [placement] = await shop.placements()
    assert placement.state is PlacementState.UNCLEAR


async def test_a_look_that_comes_too_late_changes_nothing(shop: Shop) -> None:
    thinking = late(shop, 0)
    await published(shop)
    before = await shop.everything()
    [placement] = await shop.placements()
    await publish.look(placement.placement_id, shop.desk)
    assert await shop.everything() == before
    assert thinking.looks == 1


async def test_an_undo_nobody_can_judge_does_not_speak_of_publishing(shop: Shop) -> None:
    card = await preview_of(shop)
    await shop.press(Action.APPROVE, card)
    shop.shelf.before["restore_image"] = [Ambiguous("cut", store="Shelf")]
    last = (await shop.press(Action.UNDO, card))[-1]
    assert isinstance(last, RestoreFailed)
    assert "put the old picture back" in last.placed[0].failure
    assert isinstance((await shop.press(Action.RETRY, card))[-1], Restored)
