"""What a team agreed on about approving: shown and changed, and held against a press.

Two options, both off: nobody approves what they asked for themselves, and two different people must say yes. Checked
when a press counts, in its transaction; a button that was drawn before is no promise.
"""

from __future__ import annotations

from dataclasses import asdict, replace

from domain.enhancement import Enhancement
from domain.errors import BadInput, NotAllowed, NotPossible, RowChanged
from domain.people import Member, Role
from domain.ports import Reading, UnitOfWork
from domain.rows import AuditEntry
from domain.rules import MOST_APPROVALS, Approval, DecisionRules
from domain.sentences import Sentence
from domain.team_intents import AgreeRules
from domain.team_replies import RulesShown
from handlers.card import show_card
from handlers.desk import Asked, Desk
from handlers.enhance import audit_entry

_SWITCH = {"on": True, "yes": True, "off": False, "no": False}


async def agree(asked: Asked, intent: AgreeRules, desk: Desk) -> None:
    """Answer with what holds, after changing what was named. Raises BadInput, NotAllowed, NotPossible."""
    member, now = asked.member, desk.clock()
    async with desk.work(asked.incoming) as work:
        was = await work.teams.rules(member.team_id)
        will_be = _changed(was, intent)
        if intent.options:
            if not member.role.covers(Role.ADMIN):
                raise NotAllowed(
                    needs=Role.ADMIN.value, has=member.role.value, what=Sentence("Changing who may approve")
                )
            await _check_people(work, member, will_be)
            await work.teams.set_rules(member.team_id, will_be)
            await work.audit(
                AuditEntry(
                    member.team_id,
                    now,
                    member.name,
                    "ruled",
                    "",
                    "",
                    _in_short(will_be),
                    before=asdict(was),
                    after=asdict(will_be),
                )
            )
        await work.answer(RulesShown(will_be.own, will_be.approvals))


def check_own(member: Member, enhancement: Enhancement) -> None:
    """Raise NotPossible where this member asked for the picture and the team wants somebody else to approve it."""
    if not enhancement.rules.own and enhancement.requested_by == member.member_id:
        raise NotPossible(
            "You asked for this picture of {sku} yourself, and in your shop somebody else approves: ask a colleague.",
            sku=enhancement.sku.value,
        )


def check_again(member: Member, enhancement: Enhancement) -> None:
    """Raise NotPossible where this member has said yes already and another person is needed."""
    rules = enhancement.rules
    if rules.approvals > 1 and any(item.member_id == member.member_id for item in enhancement.approvals):
        raise NotPossible(
            "You have approved {sku} already, and in your shop it takes {number} people: ask a colleague.",
            sku=enhancement.sku.value,
            number=rules.approvals,
        )


async def approve_in_part(work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement) -> Enhancement | None:
    """Keep one of several yeses, and return the enhancement once they are enough; None while somebody else is needed.

    Raises RowChanged where the card moved on meanwhile, NotPossible for a second yes of the same person.
    """
    if enhancement.rules.approvals <= 1:
        return enhancement
    now = await _as_it_stands(work, enhancement)
    check_again(asked.member, now)
    yes = Approval(asked.member.member_id, asked.member.name, desk.clock())
    number = now.revision.number
    await work.teams.approve(now.enhancement_id, number, now.team_id, yes)
    said = replace(now, approvals=(*now.approvals, yes))
    if len(said.approvals) >= said.rules.approvals:
        return said
    await show_card(work, said)
    await work.audit(audit_entry(said, desk, asked.member.name, "approved_first", f"revision {number}"))
    return None


async def take_back(work: UnitOfWork, asked: Asked, desk: Desk, enhancement: Enhancement) -> None:
    """Take one's own first yes back. Raises RowChanged, NotPossible where there is none of one's own."""
    now = await _as_it_stands(work, enhancement)
    number = now.revision.number
    if not await work.teams.take_back(now.enhancement_id, number, asked.member.member_id):
        names = ", ".join(item.by_name for item in now.approvals)
        if names:
            raise NotPossible("Only {names} can take that approval back; you can reject the picture.", names=names)
        raise NotPossible("Nobody has approved {sku} yet, so there is nothing to undo.", sku=now.sku.value)
    left = tuple(item for item in now.approvals if item.member_id != asked.member.member_id)
    await show_card(work, replace(now, approvals=left))
    await work.audit(audit_entry(now, desk, asked.member.name, "approval_undone", f"revision {number}"))


async def _as_it_stands(work: UnitOfWork, enhancement: Enhancement) -> Enhancement:
    """Return the row again once nobody else changes its card: of two first yeses at once, one must see the other's."""
    await work.enhancements.hold(enhancement.enhancement_id)
    now = await work.enhancements.load(enhancement.enhancement_id)
    if (now.state, now.revision.number) != (enhancement.state, enhancement.revision.number):
        raise RowChanged(f"enhancement {enhancement.enhancement_id}", was=enhancement.state.value)
    return now


async def _check_people(rows: Reading, member: Member, rules: DecisionRules) -> None:
    """Raise NotPossible where the rules would leave nobody who can approve."""
    if rules.own and rules.approvals == 1:
        return
    able = [item for item in await rows.people.members(member.team_id) if item.role.covers(Role.APPROVER)]
    if len(able) < MOST_APPROVALS:
        raise NotPossible(
            "That takes two people who may approve, and here there is one: `invite approver` brings another."
        )


def _changed(rules: DecisionRules, intent: AgreeRules) -> DecisionRules:
    for name, word in intent.options.items():
        match name:
            case "own":
                if word.lower() not in _SWITCH:
                    raise BadInput("Approving one's own is `own=on` or `own=off`.")
                rules = replace(rules, own=_SWITCH[word.lower()])
            case "approvals":
                if word not in {str(number) for number in range(1, MOST_APPROVALS + 1)}:
                    raise BadInput("Approvals are `approvals=1` or `approvals=2`.")
                rules = replace(rules, approvals=int(word))
            case _:
                raise BadInput("There is no rule “{name}”: I know own and approvals.", name=name)
    return rules


def _in_short(rules: DecisionRules) -> str:
    return f"own={'on' if rules.own else 'off'} approvals={rules.approvals}"
