"""How an answer about stock reads, in the reader's language; each chat then draws it in its own way.

Rows are plain words with our `commands` in backticks: a chat makes them harmless, and its commands pressable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from domain.stock import MovementKind
from domain.stock_replies import (
    BadLine,
    Imported,
    ImportPreview,
    LowLine,
    LowShown,
    MovedLine,
    OutletLine,
    StockDoubted,
    StockOf,
    StockReply,
    StockShown,
    StockWritten,
    WhyShown,
    WrittenLine,
)
from domain.tokens import Action, Token
from handlers.button import Button
from handlers.words import ENGLISH, Words, text


@dataclass(frozen=True, slots=True)
class StockRow:
    """One line: `label` stands out, `said` beside it, `notes` below it."""

    label: str
    said: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StockFace:
    """`icon` is an emoji that goes with the head and never says anything that the words do not."""

    icon: str
    head: str
    rows: tuple[StockRow, ...] = ()
    foot: str = ""


_WHAT_MOVED: dict[MovementKind, str] = {
    MovementKind.SOLD: text("sold on {source}"),
    MovementKind.CANCELLED: text("back from a cancelled order on {source}"),
    MovementKind.RETURNED: text("back from {source}"),
    MovementKind.RECEIVED: text("received, said by {actor}"),
    MovementKind.COUNTED: text("counted by {actor}"),
    MovementKind.ADDED: text("added by {actor}"),
    MovementKind.TRUSTED: text("{actor} trusted {source}"),
    MovementKind.UNDONE: text("taken back by {actor}"),
}
_LOW_ICONS = {"out": "❌", "critical": "🔴", "low": "🟠", "watch": "🟡"}
_LOW_WORDS = {"out": text("out"), "critical": text("critical"), "low": text("low"), "watch": text("watch")}
TAKE_BACK = text("Undo")
YES_WRITE = text("Yes, write it")
YES_IMPORT = text("Import")


def stock_buttons(reply: StockReply) -> tuple[Button, ...]:
    """Return what can be pressed on it."""
    match reply:
        case StockWritten(write_id, lines=lines, is_undone=False):
            return (Button(TAKE_BACK, str(Token(Action.UNDO_STOCK, write_id, len(lines)))),)
        case StockDoubted(question_id):
            return (Button(YES_WRITE, str(Token(Action.CONFIRM_STOCK, question_id, 0)), "danger"),)
        case ImportPreview(question_id) if question_id:
            return (Button(YES_IMPORT, str(Token(Action.IMPORT, question_id, 0)), "primary"),)
        case Imported(write_id, count_count=count, is_undone=False) if count:
            return (Button(TAKE_BACK, str(Token(Action.UNDO_STOCK, write_id, count))),)
        case _:
            return ()


def stock_face(reply: StockReply, words: Words = ENGLISH) -> StockFace:
    """Return how it reads."""
    match reply:
        case StockShown(products):
            return _shown(products, words)
        case StockWritten():
            return _written(reply, words)
        case StockDoubted(lines=lines):
            rows = tuple(_change(line, words) for line in lines)
            return StockFace("❓", words("Is that number right? Nothing is written yet."), rows)
        case WhyShown():
            return _why(reply, words)
        case LowShown():
            return _low(reply, words)
        case ImportPreview():
            return _preview(reply, words)
        case Imported():
            return _imported(reply, words)
        case _:
            assert_never(reply)


def _shown(products: tuple[StockOf, ...], words: Words) -> StockFace:
    if len(products) == 1:
        one = products[0]
        rows = tuple(_outlet(line, words) for line in one.outlets)
        return StockFace("📦", f"{_name(one.title, one.sku)}: {_on_hand(one, words)}", rows, _first_step(one, words))
    rows = tuple(
        StockRow(
            one.sku,
            _on_hand(one, words),
            (" · ".join(f"{line.store} {_number(line.quantity, words)}" for line in one.outlets),)
            if one.outlets
            else (),
        )
        for one in products
    )
    return StockFace(
        "📦", words("Stock"), rows, next((step for one in products if (step := _first_step(one, words))), "")
    )


def _on_hand(one: StockOf, words: Words) -> str:
    if one.on_hand is None:
        return words("not counted yet")
    if one.on_hand < 0:
        return words("{number} sold that are not there", number=words.number(-one.on_hand))
    return words("{number} on hand", number=words.number(one.on_hand))


def _first_step(one: StockOf, words: Words) -> str:
    if one.on_hand is not None:
        return ""
    return words("Say how many there are: `stock count {sku} 12`.", sku=one.sku)


def _outlet(line: OutletLine, words: Words) -> StockRow:
    name = f"{line.store} ({line.location})" if line.location else line.store
    return StockRow(name, _number(line.quantity, words), line.notes)


def _number(quantity: int | None, words: Words) -> str:
    return "–" if quantity is None else words.number(quantity)


def _name(title: str, sku: str) -> str:
    return f"{title} ({sku})" if title else sku


def _change(line: WrittenLine, words: Words) -> StockRow:
    now = words.number(line.now)
    if line.was is None:
        return StockRow(line.sku, words("{number}, the first count", number=now))
    return StockRow(line.sku, f"{words.number(line.was)} → {now}")


def _written(reply: StockWritten, words: Words) -> StockFace:
    rows = tuple(_change(line, words) for line in reply.lines)
    if reply.is_undone:
        head = words("{by} took it back", by=reply.by)
    elif reply.kind == MovementKind.RECEIVED:
        head = words("{by} received goods", by=reply.by)
    else:
        head = words("{by} counted", by=reply.by)
    foot = (
        words("The stores are being written.")
        if reply.is_sent
        else words("It stands here only: the stores are not kept in step. `sync on` does that.")
    )
    return StockFace("↩️" if reply.is_undone else "✅", head, rows, foot)


def _why(reply: WhyShown, words: Words) -> StockFace:
    head = words(
        "{product}: why {number} on hand", product=_name(reply.title, reply.sku), number=words.number(reply.on_hand)
    )
    rows = tuple(_moved(line, words) for line in reply.moves)
    reasons = tuple(StockRow("", words.sentence(reason)) for reason in reply.reasons)
    return StockFace("🔎", head, (*rows, *reasons))


def _moved(line: MovedLine, words: Words) -> StockRow:
    sign = "+" if line.quantity > 0 else "−" if line.quantity < 0 else "±"
    said = words(_WHAT_MOVED[MovementKind(line.kind)], source=line.source or "?", actor=line.actor or "?")
    left = words("{number} left", number=words.number(line.left))
    what = f" “{line.what}”" if line.what else ""
    return StockRow(f"{sign}{words.number(abs(line.quantity))}", f"{said}{what} · {words.time(line.at)} · {left}")


def _low(reply: LowShown, words: Words) -> StockFace:
    if not reply.lines:
        return StockFace("✅", words("Nothing runs out."), foot=words("`low days=60` looks further ahead."))
    head = words.count("{number} product runs out", "{number} products run out", reply.total)
    rows = tuple(_low_line(line, words) for line in reply.lines)
    left = reply.total - len(reply.lines)
    foot = words("…and {number} more: `low supplier=NAME` narrows it.", number=words.number(left)) if left else ""
    return StockFace("📉", head, rows, foot)


def _low_line(line: LowLine, words: Words) -> StockRow:
    facts = [words(_LOW_WORDS[line.state]), words("{number} on hand", number=words.number(line.on_hand))]
    if line.runs_out_from and line.runs_out_to and line.on_hand > 0:
        facts.append(
            words("runs out {first} to {last}", first=words.day(line.runs_out_from), last=words.day(line.runs_out_to))
        )
    if line.order:
        facts.append(words("order {number}", number=words.number(line.order)))
    if line.supplier:
        facts.append(line.supplier)
    return StockRow(f"{_LOW_ICONS[line.state]} {_name(line.title, line.sku)}", " · ".join(facts))


def _preview(reply: ImportPreview, words: Words) -> StockFace:
    if reply.good_count:
        head = words.count("{number} line can be imported", "{number} lines can be imported", reply.good_count)
    else:
        head = words("No line of that table can be used.")
    facts = []
    if reply.new_count:
        facts.append(words.count("{number} new product", "{number} new products", reply.new_count))
    if reply.changed_count:
        facts.append(words.count("{number} known one changes", "{number} known ones change", reply.changed_count))
    if reply.count_count:
        facts.append(words.count("{number} count changes", "{number} counts change", reply.count_count))
    rows = [StockRow("", " · ".join(facts))] if facts else []
    rows += [_change(line, words) for line in reply.counts]
    rows += [_bad(line, words) for line in reply.bad]
    foot = []
    if reply.bad_count > len(reply.bad):
        foot.append(words("{number} more lines cannot be used.", number=words.number(reply.bad_count - len(reply.bad))))
    if reply.ignored:
        foot.append(words("I do not read the columns {names}.", names=words.list(reply.ignored)))
    if reply.bad_count and reply.good_count:
        foot.append(words("Lines that cannot be used are left out: mend them and send the table again."))
    return StockFace("📋" if reply.good_count else "⚠️", head, tuple(rows), " ".join(foot))


def _bad(line: BadLine, words: Words) -> StockRow:
    where = words("⚠️ Line {number}, {column}", number=line.number, column=line.column)
    return StockRow(where, words.sentence(line.sentence))


def _imported(reply: Imported, words: Words) -> StockFace:
    head = words.count("{by} imported {number} line", "{by} imported {number} lines", reply.line_count, by=reply.by)
    foot = words.count("{number} of it was a count.", "{number} of them were counts.", reply.count_count)
    return StockFace("✅", head, foot=foot if reply.count_count else "")
