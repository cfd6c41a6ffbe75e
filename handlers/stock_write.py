"""`stock count`, `stock add`, `received`: what a person says is there, asked again where it may be a slip, and undone.

A count is written as the difference to what is on hand, under the lock of its SKU, so that a sale that arrives
meanwhile is neither lost nor counted twice. `count:{write}:{n}` and the like name the movements of one message:
handling it twice changes nothing, and its Undo finds them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.catalog import Sku
from domain.errors import BadInput, NotPossible
from domain.intents import Press
from domain.people import Member
from domain.ports import UnitOfWork
from domain.rows import AuditEntry, Question
from domain.stock import QUANTITY_MOST, Movement, MovementKind, Pool
from domain.stock_intents import CountedLine, UndoStock, WriteStock
from domain.stock_replies import StockDoubted, StockWritten, WrittenLine
from domain.tokens import Token
from handlers.desk import Asked, Desk, id_from
from handlers.stock import raise_if_unknown, read_levels
from handlers.stock_cards import settle_counted
from handlers.stock_send import send_soon

BY_HAND: Final = (MovementKind.COUNTED, MovementKind.ADDED, MovementKind.RECEIVED)
"""What people say themselves, and may take back."""
DOUBT_TIMES, DOUBT_PIECES = 10, 100
"""A number that is ten times what is there, and a hundred pieces more, is a slip more often than a delivery."""
UNDO_LOOK_BACK: Final = 50
"""How many movements `stock undo` looks through for the last one of a person."""


async def write_stock(asked: Asked, intent: WriteStock, desk: Desk) -> None:
    """Write what was said, or ask whether it was meant. Raises UnknownSku, BadInput."""
    await _check_known(asked, intent.lines, desk)
    async with desk.work(asked.incoming) as work:
        pools = await _held(work, asked.member.team_id, intent.lines)
        lines = _foreseen(intent, pools)
        if any(_is_doubtful(line) for line in lines):
            question = _question(asked, intent)
            await work.questions.add(question)
            await work.answer(StockDoubted(question.question_id, intent.kind.value, lines))
            return
        await _write(work, asked, intent, lines, desk)


async def confirm(asked: Asked, press: Press, desk: Desk) -> None:
    """Write what was doubted, once. Raises BadInput where it was answered, or is nobody's question any more."""
    async with desk.work(asked.incoming) as work:
        question = await work.questions.get(asked.member.team_id, press.token.subject_id)
        if question is None or question.kind != "stock":
            raise BadInput("I do not know that question any more: say the number again.")
        if not await work.questions.answer(question.question_id):
            raise BadInput("That was answered already: `stock {sku}` shows what holds.", sku=question.sku)
        lines = tuple(CountedLine(Sku(sku), int(number)) for sku, number in question.options)
        intent = WriteStock(MovementKind(question.choices[0]), lines)
        pools = await _held(work, asked.member.team_id, lines)
        await _write(work, asked, intent, _foreseen(intent, pools), desk)


async def _check_known(asked: Asked, lines: Sequence[CountedLine], desk: Desk) -> None:
    """A SKU that neither the ledger nor a store knows is a slip of the keys."""
    team_id = asked.member.team_id
    async with desk.work.reading() as rows:
        known = await rows.stock.facts(team_id, [line.sku for line in lines])
    if new := [line.sku for line in lines if line.sku.key not in known]:
        answers = await read_levels(desk, team_id, new)
        sold = {level.sku.key for answer in answers for level in answer.levels}
        for sku in new:
            if sku.key not in sold:
                await raise_if_unknown(desk, team_id, sku, answers)


async def _held(work: UnitOfWork, team_id: str, lines: Sequence[CountedLine]) -> Mapping[str, Pool]:
    return await work.stock.pools(team_id, [line.sku for line in lines], for_change=True)


def _foreseen(intent: WriteStock, pools: Mapping[str, Pool]) -> tuple[WrittenLine, ...]:
    """Return what would stand afterwards. Raises BadInput for more than anybody has, or less than nothing."""
    lines = []
    for line in intent.lines:
        pool = pools.get(line.sku.key)
        was = pool.on_hand if pool and pool.is_counted else None
        now = line.number if intent.kind is MovementKind.COUNTED else (was or 0) + line.number
        sku = pool.sku.value if pool else line.sku.value
        if intent.kind is not MovementKind.COUNTED and was is None:
            raise BadInput("{sku} was never counted: say how many there are, `stock count {sku} 12`.", sku=sku)
        if now < 0 and line.number < 0:
            raise BadInput(
                "There are only {number} of {sku}: `stock count {sku} 0` says none is left.", number=was or 0, sku=sku
            )
        if now > QUANTITY_MOST:
            raise BadInput(
                "That would make {number} of {sku}, more than I believe: how many are there?", number=now, sku=sku
            )
        lines.append(WrittenLine(sku, was, now))
    return tuple(lines)


def _is_doubtful(line: WrittenLine) -> bool:
    more = line.now - (line.was or 0)
    return line.was is not None and more > DOUBT_PIECES and line.now > DOUBT_TIMES * max(1, line.was)


def _question(asked: Asked, intent: WriteStock) -> Question:
    return Question(
        question_id=id_from(asked.member.team_id, asked.incoming.event_key, "stock"),
        team_id=asked.member.team_id,
        place=asked.incoming.place,
        asked_of=asked.member.member_id,
        kind="stock",
        photos=(),
        sku=intent.lines[0].sku.value,
        stores=(),
        options=tuple((line.sku.value, str(line.number)) for line in intent.lines),
        choices=(intent.kind.value,),
        event_key=asked.incoming.event_key,
    )


async def _write(work: UnitOfWork, asked: Asked, intent: WriteStock, lines: Sequence[WrittenLine], desk: Desk) -> None:
    member, now = asked.member, desk.clock()
    write_id = id_from(member.team_id, asked.incoming.event_key, "stock", "write")
    movements = [
        Movement(
            key=f"{intent.kind.value}:{write_id}:{index}",
            sku=Sku(line.sku),
            quantity=line.now - (line.was or 0),
            kind=intent.kind,
            occurred_at=now,
            source=asked.incoming.place.chat.value,
            actor=member.name,
        )
        for index, line in enumerate(lines)
    ]
    await work.stock.add_movements(member.team_id, movements)
    skus = [movement.sku for movement in movements]
    if intent.kind is MovementKind.COUNTED:
        await settle_counted(work, member.team_id, frozenset(sku.key for sku in skus), desk, by=member.name)
    is_sent = await send_soon(work, member.team_id, skus)
    for line in lines:
        await work.audit(_entry(member, desk, intent.kind.value, line, write_id))
    await work.answer(StockWritten(write_id, intent.kind.value, tuple(lines), member.name, now, is_sent))


def _entry(member: Member, desk: Desk, kind: str, line: WrittenLine, write_id: str) -> AuditEntry:
    was = "" if line.was is None else str(line.was)
    return AuditEntry(
        member.team_id,
        desk.clock(),
        member.name,
        f"stock_{kind}",
        line.sku,
        write_id,
        f"{was} → {line.now}".strip(),
        before={} if line.was is None else {"on_hand": line.was},
        after={"on_hand": line.now},
    )


# ---------------------------------------------------------------- undo


async def undo_by_press(asked: Asked, press: Press, desk: Desk) -> None:
    """Take back what one message wrote, all of it or nothing. Raises NotPossible, BadInput."""
    async with desk.work(asked.incoming) as work:
        await _undo(work, asked, desk, await _written_by(work, asked.member.team_id, press.token))


async def undo_by_sku(asked: Asked, intent: UndoStock, desk: Desk) -> None:
    """Take back the last thing a person said of this SKU. Raises NotPossible."""
    team_id = asked.member.team_id
    async with desk.work(asked.incoming) as work:
        moves = await work.stock.movements(team_id, intent.sku, limit=UNDO_LOOK_BACK)
        undone = {move.key.removeprefix("undo:") for move in moves if move.kind is MovementKind.UNDONE}
        last = next((move for move in moves if move.kind in BY_HAND and move.key not in undone), None)
        if last is None:
            raise NotPossible("Nobody has counted {sku} lately: `why {sku}` shows what moved.", sku=intent.sku.value)
        await _undo(work, asked, desk, [last])


async def _written_by(work: UnitOfWork, team_id: str, token: Token) -> Sequence[Movement]:
    """Find the movements of one message; the token's number says how many they were."""
    for kind in BY_HAND:
        keys = [f"{kind.value}:{token.subject_id}:{index}" for index in range(token.number)]
        if found := await work.stock.movements_by_key(team_id, keys):
            return [found[key] for key in keys if key in found]
    raise BadInput("I do not know that button any more: `stock undo SKU` takes back the last count of a product.")


async def _undo(work: UnitOfWork, asked: Asked, desk: Desk, moves: Sequence[Movement]) -> None:
    member, now = asked.member, desk.clock()
    pools = await work.stock.pools(member.team_id, [move.sku for move in moves], for_change=True)
    await _raise_if_counted_since(work, member.team_id, moves)
    takings = [
        Movement(f"undo:{move.key}", move.sku, -move.quantity, MovementKind.UNDONE, now, actor=member.name,
                 source=asked.incoming.place.chat.value)
        for move in moves
    ]  # fmt: skip
    new = await work.stock.add_movements(member.team_id, takings)
    if not new:
        raise NotPossible("That was taken back already: `why {sku}` shows it.", sku=moves[0].sku.value)
    kind, write_id, _ = moves[0].key.split(":", 2)
    lines = tuple(
        WrittenLine(pool.sku.value, pool.on_hand, pool.on_hand - move.quantity)
        for move in moves
        if (pool := pools.get(move.sku.key)) is not None
    )
    is_sent = await send_soon(work, member.team_id, [move.sku for move in moves])
    for line in lines:
        await work.audit(_entry(member, desk, "undo", line, write_id))
    await work.answer(StockWritten(write_id, kind, lines, member.name, now, is_sent, is_undone=True))


async def _raise_if_counted_since(work: UnitOfWork, team_id: str, moves: Sequence[Movement]) -> None:
    """A later count stands on what it saw on the shelf, not on ours: taking ours back would make it wrong."""
    counts = await work.stock.last_counts(team_id, [move.sku for move in moves])
    for move in moves:
        last = counts.get(move.sku.key)
        if last is not None and last.movement_id > move.movement_id:
            raise NotPossible(
                "{sku} was counted again after that, by {by}: say what is there now, `stock count {sku} 12`.",
                sku=move.sku.value,
                by=last.actor,
            )
