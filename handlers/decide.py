"""Approve, reject, redo, undo, retry: a press or a word, and the compare-and-set that makes it count once.

Everything a decision changes happens in one transaction: the row, the placements, the jobs, the
card and the audit line. Two people pressing at once: the database lets one through, and the other
reads who was first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.catalog import Sku
from domain.enhancement import (
    MOVING_PLACEMENTS,
    PUBLISHED_PLACEMENTS,
    Decision,
    Enhancement,
    EnhancementEvent,
    EnhancementState,
    Placement,
    PlacementEvent,
    PlacementState,
    Target,
)
from domain.errors import BadInput, NotAllowed, NotAMember, NotPossible, RowChanged, StaleButton
from domain.intents import CompareVersions, CorrectPart, DecideBySku, Press, ShowCard
from domain.jobs import enhance_job, publish_job, restore_job
from domain.people import Member
from domain.ports import Reading, UnitOfWork
from domain.replies import AlreadyDecided, PreviewReady, Refused
from domain.sentences import Sentence
from domain.tokens import Action
from handlers import rules
from handlers.card import card_of, card_reply, show_card, tell_requester
from handlers.desk import Asked, Desk, id_from
from handlers.enhance import audit_entry, read_options
from handlers.rights import ANYWHEN, NEEDS, action_words, check_role

_VERDICTS = {EnhancementEvent.APPROVE: "approved", EnhancementEvent.REJECT: "rejected"}


async def press(asked: Asked, intent: Press, desk: Desk) -> None:
    """Do what a button says. Raises BadInput for one that is not this team's, NotAllowed, NotPossible."""
    token = intent.token
    await _decide(
        asked, desk, token.action, enhancement_id=token.subject_id, revision=token.number, text=intent.text,
        options=intent.options,
    )  # fmt: skip


async def decide_by_sku(asked: Asked, intent: DecideBySku, desk: Desk) -> None:
    """Do what a word says, to the newest card of that SKU, or the newest one here.

    A word approves or rejects only what it can mean: with two previews waiting, it asks for the button.
    """
    place, team_id = asked.incoming.place, asked.member.team_id
    waiting: Sequence[Enhancement] = ()
    async with desk.work.reading() as rows:
        if intent.enhancement_id:
            enhancement = await rows.enhancements.get(team_id, intent.enhancement_id)
        else:
            enhancement = await rows.enhancements.latest_in(place, team_id, sku=intent.sku)
            waiting = await rows.enhancements.awaiting_in(place, team_id, sku=intent.sku)
    if intent.verb in {"approve", "reject"} and waiting:
        if len(waiting) > 1:
            names = ", ".join(dict.fromkeys(item.sku.value for item in waiting))
            raise BadInput(
                "{number} pictures wait for a decision ({names}): press the button on the one you mean.",
                number=len(waiting),
                names=names,
            )
        enhancement = waiting[0]
    if enhancement is None:
        raise no_picture(intent.sku)
    await _decide(
        asked, desk, Action(intent.verb), enhancement_id=enhancement.enhancement_id,
        revision=enhancement.revision.number, text=intent.text, options=intent.options,
    )  # fmt: skip


async def show_card_here(asked: Asked, intent: ShowCard, desk: Desk) -> None:
    """Show the newest card of a SKU, or the newest one here, in a new message. Raises BadInput for none."""
    async with desk.work(asked.incoming) as work:
        enhancement = await work.enhancements.latest_in(asked.incoming.place, asked.member.team_id, sku=intent.sku)
        if enhancement is None:
            raise no_picture(intent.sku)
        placements = await work.placements.of_enhancement(enhancement.enhancement_id)
        await work.show_here(enhancement.enhancement_id, card_reply(enhancement, placements))


async def foresee(rows: Reading, member: Member | None, intent: Press) -> None:
    """Raise what a press would be refused for, without doing anything: for a chat that must answer at once.

    Says nothing of questions (`choose_*`), whose answers are not about a card.
    """
    token = intent.token
    if member is None:
        raise NotAMember
    needed = NEEDS[token.action]
    if not member.role.covers(needed):
        raise NotAllowed(needs=needed.value, has=member.role.value, what=action_words(token.action))
    if token.action in ANYWHEN:
        return
    enhancement = await rows.enhancements.get(member.team_id, token.subject_id)
    if enhancement is None:
        raise BadInput("I do not know that button: ask for the card again with `history`.")
    check_role(member, token.action, enhancement)
    if token.number != enhancement.revision.number:
        raise _stale(enhancement)
    is_decided = enhancement.state is not EnhancementState.AWAITING_DECISION
    if token.action is Action.APPROVE and not is_decided:
        rules.check_own(member, enhancement)
        rules.check_again(member, enhancement)
    if is_decided and token.action in {Action.APPROVE, Action.REJECT}:
        decision = enhancement.decision
        if decision is None:
            raise _stale(enhancement)
        raise StaleButton(
            "{sku} was already {verdict} by {by}; the card is up to date now.",
            sku=enhancement.sku.value,
            verdict=Sentence(_VERDICTS[decision.verdict]),
            by=decision.by_name,
        )


async def waiting(desk: Desk, team_id: str, *, limit: int) -> Sequence[PreviewReady]:
    """Return the previews of a team that wait for a decision, the oldest first."""
    async with desk.work.reading() as rows:
        found = await rows.enhancements.awaiting(team_id, limit=limit)
    return [PreviewReady(card_of(enhancement)) for enhancement in found]


async def _decide(
    asked: Asked,
    desk: Desk,
    action: Action,
    *,
    enhancement_id: str,
    revision: int,
    text: str,
    options: Mapping[str, str],
) -> None:
    try:
        async with desk.work(asked.incoming) as work:
            enhancement = await work.enhancements.get(asked.member.team_id, enhancement_id)
            if enhancement is None:
                raise BadInput("I do not know that button: ask for the card again with `history`.")
            check_role(asked.member, action, enhancement)
            if revision != enhancement.revision.number:
                await show_card(work, enhancement)
                await work.answer(Refused(StaleButton.code, _stale(enhancement).sentence))
                return
            await _act(work, asked, desk, action, enhancement, text=text, options=options)
    except RowChanged:
        # Postgres lets two transactions read the same row; the second one's save finds it changed.
        async with desk.work(asked.incoming) as work:
            enhancement = await work.enhancements.load(enhancement_id)
            await _answer_too_late(work, enhancement)


async def _act(
    work: UnitOfWork,
    asked: Asked,
    desk: Desk,
    action: Action,
    enhancement: Enhancement,
    *,
    text: str,
    options: Mapping[str, str],
) -> None:
    placements = await work.placements.of_enhancement(enhancement.enhancement_id)
    match action:
        case Action.APPROVE:
            await _approve(work, asked, desk, enhancement)
        case Action.REJECT:
            await _reject(work, asked, desk, enhancement, reason=text)
        case Action.REDO:
            await _redo(work, asked, desk, enhancement, placements, options)
        case Action.UNDO if enhancement.state is EnhancementState.AWAITING_DECISION and enhancement.approvals:
            await rules.take_back(work, asked, desk, enhancement)
        case Action.UNDO:
            await _undo(work, asked, desk, enhancement, placements)
        case Action.RETRY:
            await _retry(work, asked, desk, enhancement, placements)
        case Action.IT_IS_THERE | Action.IT_IS_NOT_THERE | Action.LOOK_AGAIN:
            await _clear_up(work, asked, desk, enhancement, placements, action)
        case _:  # questions and corrections have subjects of their own (handlers/dispatch.py)
            raise BadInput("I do not know that button: send the photo again.")


async def _approve(work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement) -> None:
    if enhancement.state is not EnhancementState.AWAITING_DECISION:
        await _answer_too_late(work, enhancement)
        return
    rules.check_own(asked.member, enhancement)
    agreed = await rules.approve_in_part(work, asked, desk, enhancement)
    if agreed is None:
        return
    approved = _decided(asked, desk, agreed, EnhancementEvent.APPROVE, reason="")
    await work.enhancements.save(approved, was=enhancement)
    for target in approved.targets:
        placement = _placement(approved, target)
        await work.placements.add(placement)
        await work.enqueue(publish_job(placement))
    await show_card(work, approved)
    await tell_requester(work, asked, desk, approved, "approved")
    await work.audit(
        audit_entry(
            approved, desk, asked.member.name, "approved", f"revision {approved.revision.number}", was=enhancement
        )
    )


def _placement(enhancement: Enhancement, target: Target) -> Placement:
    picture = enhancement.revision.picture_for(target.platform)
    assert picture is not None, "an offered revision has a picture for every target's platform"
    number = enhancement.revision.number
    return Placement(
        placement_id=id_from(enhancement.enhancement_id, str(number), target.store_id, target.listing_id),
        enhancement_id=enhancement.enhancement_id,
        team_id=enhancement.team_id,
        sku=enhancement.sku,
        revision=number,
        target=target,
        picture=picture,
        state=PlacementState.APPROVED,
    )


async def _reject(work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement, *, reason: str) -> None:
    if enhancement.state is not EnhancementState.AWAITING_DECISION:
        await _answer_too_late(work, enhancement)
        return
    rejected = _decided(asked, desk, enhancement, EnhancementEvent.REJECT, reason=reason)
    await work.enhancements.save(rejected, was=enhancement)
    await show_card(work, rejected)
    await tell_requester(work, asked, desk, rejected, "rejected", reason=reason)
    await work.audit(
        audit_entry(rejected, desk, asked.member.name, "rejected", reason or "no reason given", was=enhancement)
    )


async def _redo(
    work: UnitOfWork,
    asked: Asked,
    desk: Desk,
    enhancement: Enhancement,
    placements: Sequence[Placement],
    options: Mapping[str, str],
) -> None:
    if enhancement.state in {EnhancementState.RECEIVED, EnhancementState.ENHANCING}:
        raise NotPossible("I am still working on {sku}: wait for its preview, then redo.", sku=enhancement.sku.value)
    # The card shows the newest revision only: what is open of an older one would never be seen again.
    open_ones = [item for item in placements if item.state in MOVING_PLACEMENTS | {PlacementState.UNCLEAR}]
    if open_ones:
        where = open_ones[0].target.store_name
        raise NotPossible(
            "{sku} is not settled on {store} yet: finish that on its card first, then redo.",
            sku=enhancement.sku.value,
            store=where,
        )
    read_options(options)
    again = enhancement.redone(enhancement.revision.recipe.changed(options))
    await work.enhancements.save(again, was=enhancement)
    await work.enqueue(enhance_job(again))
    await show_card(work, again)
    what = " ".join(f"{name}={word}" for name, word in options.items()) or "as it was"
    await work.audit(audit_entry(again, desk, asked.member.name, "redone", what, was=enhancement))


async def _undo(
    work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement, placements: Sequence[Placement]
) -> None:
    published = [item for item in placements if item.state in PUBLISHED_PLACEMENTS]
    if not published:
        raise NotPossible(
            "Nothing of {sku} is published by me here, so there is nothing to undo.", sku=enhancement.sku.value
        )
    newest = max(item.revision for item in published)
    for placement in published:
        if placement.revision == newest:
            await _send_again(work, placement, PlacementEvent.UNDO)
    await show_card(work, enhancement)
    await tell_requester(work, asked, desk, enhancement, "undone")
    await work.audit(audit_entry(enhancement, desk, asked.member.name, "undid", f"revision {newest}"))


async def _retry(
    work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement, placements: Sequence[Placement]
) -> None:
    if enhancement.state is EnhancementState.ENHANCE_FAILED:
        await _redo(work, asked, desk, enhancement, placements, {})
        return
    failed = [
        item
        for item in _current(enhancement, placements)
        if item.state in {PlacementState.PUBLISH_FAILED, PlacementState.RESTORE_FAILED}
    ]
    if not failed:
        raise NotPossible("Nothing of {sku} has failed, so there is nothing to retry.", sku=enhancement.sku.value)
    for placement in failed:
        await _send_again(work, placement, PlacementEvent.RETRY)
    await show_card(work, enhancement)
    await work.audit(
        audit_entry(
            enhancement, desk, asked.member.name, "retried", ", ".join(item.target.store_name for item in failed)
        )
    )


async def _clear_up(
    work: UnitOfWork,
    asked: Asked,
    desk: Desk,
    enhancement: Enhancement,
    placements: Sequence[Placement],
    action: Action,
) -> None:
    """A person looked at the store and says what is there."""
    unclear = [item for item in _current(enhancement, placements) if item.state is PlacementState.UNCLEAR]
    if not unclear:
        raise NotPossible("Everything about {sku} is clear already.", sku=enhancement.sku.value)
    for placement in unclear:
        if action is Action.LOOK_AGAIN:
            await _send_again(work, placement, PlacementEvent.LOOK_AGAIN)
        elif action is Action.IT_IS_THERE:
            there = replace(placement.after(PlacementEvent.IT_IS_THERE), failure="")
            await work.placements.save(there, was=placement)
        else:
            failure = Sentence(
                "{name} looked: it is not on {store}. Retry publishes it.",
                name=asked.member.name,
                store=placement.target.store_name,
            )
            missing = replace(placement.after(PlacementEvent.IT_IS_NOT_THERE), failure=failure)
            await work.placements.save(missing, was=placement)
    await show_card(work, enhancement)
    await work.audit(audit_entry(enhancement, desk, asked.member.name, "looked", action.value))


def _current(enhancement: Enhancement, placements: Sequence[Placement]) -> list[Placement]:
    """Return what the approved revision on the card has placed; an older revision's picture is never sent again."""
    if enhancement.state is not EnhancementState.APPROVED:
        return []
    return [item for item in placements if item.revision == enhancement.revision.number]


async def _send_again(work: UnitOfWork, placement: Placement, event: PlacementEvent) -> None:
    """Move a placement and enqueue its job under a new attempt: an old key would stand still for ever."""
    moved = replace(placement.after(event), attempt=placement.attempt + 1, failure="")
    await work.placements.save(moved, was=placement)
    await work.enqueue(restore_job(moved) if moved.state is PlacementState.RESTORING else publish_job(moved))


def _decided(
    asked: Asked, desk: Desk, enhancement: Enhancement, verdict: EnhancementEvent, *, reason: str
) -> Enhancement:
    names = [item.by_name for item in enhancement.approvals] if verdict is EnhancementEvent.APPROVE else []
    by = ", ".join(names) or asked.member.name
    decision = Decision(verdict, enhancement.revision.number, by, asked.member.member_id, desk.clock(), reason)
    return replace(enhancement.after(verdict), decision=decision)


async def _answer_too_late(work: UnitOfWork, enhancement: Enhancement) -> None:
    await show_card(work, enhancement)
    if enhancement.decision is None:
        await work.answer(Refused(StaleButton.code, _stale(enhancement).sentence))
        return
    decision = enhancement.decision
    verdict = _VERDICTS[decision.verdict]
    await work.answer(AlreadyDecided(verdict, decision.by_name, decision.decided_at, enhancement.sku.value))


def _stale(enhancement: Enhancement) -> StaleButton:
    return StaleButton(
        "That button is from an older card of {sku}; the card is up to date now: press again there.",
        sku=enhancement.sku.value,
    )


async def meant(rows: Reading, asked: Asked, intent: CorrectPart | CompareVersions) -> Enhancement:
    """Return the picture that words are about: the card they answer, else the latest here. Raises BadInput without one."""
    team_id = asked.member.team_id
    found = (
        await rows.enhancements.get(team_id, intent.enhancement_id)
        if intent.enhancement_id
        else await rows.enhancements.latest_in(asked.incoming.place, team_id, sku=intent.sku)
    )
    if found is None:
        raise no_picture(intent.sku)
    return found


def no_picture(sku: Sku | None) -> BadInput:
    """Return the refusal where there is no card to act on."""
    if sku is None:
        return BadInput("There is no picture here yet: send `enhance SKU`, or a photo with its SKU.")
    return BadInput("There is no picture of {sku}: send `enhance SKU`, or a photo with its SKU.", sku=sku.value)
