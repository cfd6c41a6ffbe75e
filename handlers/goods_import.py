"""`import` with a CSV: first what it would change and which lines cannot be used, and after a yes the change itself.

The file waits in the media storage under its digest, not in memory; the yes reads it again, so that what was shown
is what is taken. What moved meanwhile is not lost: a count is written as the difference to what is on hand then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.catalog import Sku
from domain.errors import BadInput
from domain.intents import Press
from domain.rows import AuditEntry, Question
from domain.stock import Movement, MovementKind, Pool, SkuFacts
from domain.stock_intents import ImportGoods
from domain.stock_replies import BadLine, Imported, ImportPreview, WrittenLine
from handlers.desk import Asked, Desk, id_from
from handlers.goods_table import EXAMPLE, GoodsLine, GoodsTable, read_goods
from handlers.stock_send import send_soon

SHOWN_COUNTS: Final = 5
SHOWN_BAD: Final = 8


async def show_import(asked: Asked, intent: ImportGoods, desk: Desk) -> None:
    """Answer with what the table would change. Raises BadInput where it is none, or where nothing of it can be used."""
    if not intent.files:
        raise BadInput(
            "Send me a CSV file with `import` as its caption; its first lines look like this: `{example}`.",
            example=EXAMPLE.strip().replace("\n", " ⏎ "),
        )
    if len(intent.files) > 1:
        raise BadInput("One table at a time: send them one after the other.")
    table = read_goods(await desk.media.get(intent.files[0]))
    if not table.lines and not table.bad:
        raise BadInput("That table has headings and no lines: fill it in and send it again.")
    async with desk.work(asked.incoming) as work:
        team_id = asked.member.team_id
        pools = await work.stock.pools(team_id, [line.sku for line in table.lines])
        question = _question(asked, intent)
        if table.lines:
            await work.questions.add(question)
        await work.answer(_preview(question.question_id, table, pools))


def _preview(question_id: str, table: GoodsTable, pools: Mapping[str, Pool]) -> ImportPreview:
    counts = _counts(table.lines, pools)
    counts.sort(key=lambda line: abs(line.now - (line.was or 0)), reverse=True)
    changed = [
        line for line in table.lines if (pool := pools.get(line.sku.key)) and line.over(pool.facts) != pool.facts
    ]
    return ImportPreview(
        question_id if table.lines else "",
        good_count=len(table.lines),
        new_count=sum(line.sku.key not in pools for line in table.lines),
        changed_count=len(changed),
        count_count=len(counts),
        counts=tuple(counts[:SHOWN_COUNTS]),
        bad=tuple(BadLine(cell.number, cell.column, cell.sentence) for cell in table.bad[:SHOWN_BAD]),
        bad_count=len(table.bad),
        columns=table.columns,
        ignored=table.ignored,
    )


def _counts(lines: Sequence[GoodsLine], pools: Mapping[str, Pool]) -> list[WrittenLine]:
    """Return the lines that change a number on hand, or say it for the first time."""
    counts = []
    for line in lines:
        pool = pools.get(line.sku.key)
        was = pool.on_hand if pool and pool.is_counted else None
        if line.count is not None and line.count != was:
            counts.append(WrittenLine(line.sku.value, was, line.count))
    return counts


def _question(asked: Asked, intent: ImportGoods) -> Question:
    return Question(
        question_id=id_from(asked.member.team_id, asked.incoming.event_key, "import"),
        team_id=asked.member.team_id,
        place=asked.incoming.place,
        asked_of=asked.member.member_id,
        kind="import",
        photos=intent.files,
        sku="",
        stores=(),
        options=(),
        choices=(),
        event_key=asked.incoming.event_key,
    )


async def take_import(asked: Asked, press: Press, desk: Desk) -> None:
    """Take the good lines of the table that was shown, once. Raises BadInput where that was done."""
    team_id, member = asked.member.team_id, asked.member
    async with desk.work.reading() as rows:
        question = await rows.questions.get(team_id, press.token.subject_id)
    if question is None or question.kind != "import":
        raise BadInput("I do not know that table any more: send it again.")
    table = read_goods(await desk.media.get(question.photos[0]))
    now = desk.clock()
    async with desk.work(asked.incoming) as work:
        if not await work.questions.answer(question.question_id):
            raise BadInput("That table was taken already: `history today` shows by whom.")
        skus = [line.sku for line in table.lines]
        pools = await work.stock.pools(team_id, skus, for_change=True)
        await work.stock.put_facts(
            team_id,
            [
                line.over(pools[line.sku.key].facts if line.sku.key in pools else SkuFacts(line.sku))
                for line in table.lines
            ],
        )
        write_id = id_from(team_id, question.question_id, "write")
        counts = _counts(table.lines, pools)
        await work.stock.add_movements(
            team_id,
            [
                Movement(
                    key=f"{MovementKind.COUNTED.value}:{write_id}:{index}",
                    sku=Sku(line.sku),
                    quantity=line.now - (line.was or 0),
                    kind=MovementKind.COUNTED,
                    occurred_at=now,
                    source="import",
                    actor=member.name,
                )
                for index, line in enumerate(counts)
            ],
        )
        await send_soon(work, team_id, [Sku(line.sku) for line in counts])
        await work.audit(
            AuditEntry(
                team_id,
                now,
                member.name,
                "imported",
                "",
                question.question_id,
                f"{len(table.lines)} products, {len(counts)} counts",
                before={line.sku: line.was for line in counts},
                after={line.sku: line.now for line in counts},
            )
        )
        await work.answer(Imported(write_id, len(table.lines), len(counts), member.name, now))
