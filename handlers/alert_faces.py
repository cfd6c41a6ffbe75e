"""How alerts read, in the reader's language; each chat then draws them in its own way.

Rows are plain words with our `commands` in backticks: a chat makes them harmless, and its commands pressable. A
digest is ten lines at most, and one where nobody must do anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, assert_never

from domain.alerts import Level, Quiet
from domain.stock_alert_replies import AlertLine, AlertReply, AlertsShown, DigestShown, OutNow, SnoozeAsked, Snoozed
from domain.tokens import Action, Token
from handlers.button import Button
from handlers.stock_faces import StockFace, StockRow
from handlers.words import ENGLISH, Words, text

LINES_MOST: Final = 10
"""What a digest says at most (design/STOCK.md, Alerts); the rest is in its table."""

LEVEL_WORDS: Final[dict[Level, str]] = {
    Level.OK: text("fine"),
    Level.WATCH: text("watch"),
    Level.LOW: text("low"),
    Level.CRITICAL: text("critical"),
    Level.OUT: text("out"),
}
LEVEL_ICONS: Final[dict[Level, str]] = {
    Level.OK: "✅",
    Level.WATCH: "👀",
    Level.LOW: "⚠️",
    Level.CRITICAL: "⏰",
    Level.OUT: "❌",
}
"""Five shapes, beside the words: nobody needs to tell red from green."""
_ZONES: Final[dict[str, str]] = {
    "place": text("as set here"),
    "team": text("as in your other conversations"),
    "person": text("as in your profile"),
    "deployment": text("as set for this server"),
}

DAY, WEEK, RESTOCK, ORDERED, ASK, AGAIN = 1, 7, 100, 101, 0, 102
"""The number on a snooze button: days, or what else ends the quiet; ASK is answered with the others."""
_HOW: Final = (
    (DAY, text("1 day")),
    (WEEK, text("7 days")),
    (RESTOCK, text("Until restock")),
    (ORDERED, text("Ordered")),
)
SNOOZE = text("Snooze")
SPEAK_AGAIN = text("Speak of it again")


def snooze_button(subject_id: str, number: int, label: str) -> Button:
    """Return a button that makes a product quiet, or asks how long."""
    return Button(label, str(Token(Action.SNOOZE, subject_id, number)))


def alert_buttons(reply: AlertReply) -> tuple[Button, ...]:
    """Return what can be pressed on it; a digest's are one a line, each asking how long."""
    match reply:
        case DigestShown(lines=lines):
            return tuple(asks for line in lines if (asks := ask_button(line)))
        case OutNow(line):
            return how_long(line.subject_id)
        case SnoozeAsked(subject_id):
            return how_long(subject_id)
        case Snoozed(subject_id, kind=kind) if kind:
            return (snooze_button(subject_id, AGAIN, SPEAK_AGAIN),)
        case _:
            return ()


def ask_button(line: AlertLine) -> Button | None:
    """Return the button that asks how long to be quiet about a line's product; None for good news."""
    return snooze_button(line.subject_id, ASK, line.skus[0]) if line.level != Level.OK else None


def how_long(subject_id: str) -> tuple[Button, ...]:
    """Return the four ways to be quiet about a product."""
    return tuple(snooze_button(subject_id, number, label) for number, label in _HOW)


def alert_face(reply: AlertReply, words: Words = ENGLISH) -> StockFace:
    """Return how it reads."""
    match reply:
        case DigestShown():
            return _digest(reply, words)
        case OutNow(line, sold):
            said = words.count(
                "{number} sold in the last two weeks, none is left.",
                "{number} sold in the last two weeks, none is left.",
                sold,
            )
            head = words("{product} has just run out", product=line.title)
            rows = (StockRow(_skus(line, words), said), *_next_step(line, words))
            return StockFace(LEVEL_ICONS[Level.OUT], head, rows, words("Be quiet about it for, or until:"))
        case SnoozeAsked(_, title, skus, arrives):
            head = words("How long shall I be quiet about {product}?", product=title)
            said = words("“Ordered” takes {day} for the delivery; another day: `ordered {sku} 2026-12-24`.",
                         day=words.day(arrives), sku=_as_word(skus[0]))  # fmt: skip
            return StockFace("🔕", head, foot=said)
        case Snoozed():
            return _snoozed(reply, words)
        case AlertsShown():
            return _alerts(reply, words)
        case _:
            assert_never(reply)


def line_row(line: AlertLine, words: Words, *, with_supplier: bool = True) -> StockRow:
    """Return one product of a digest: its name, and what to know of it, the next step last."""
    level = Level(line.level)
    if level is Level.OK or level is Level.WATCH:
        said = words("there again: {number} on hand", number=words.number(line.on_hand))
        return StockRow(f"{LEVEL_ICONS[Level.OK]} {line.title}", _joined(_skus(line, words), said))
    facts = [_skus(line, words), words(LEVEL_WORDS[level])]
    if level is not Level.OUT:
        facts.append(words("{number} on hand", number=words.number(line.on_hand)))
        if line.out_early is not None:
            facts.append(words("gone {days}", days=day_range(line.out_early, line.out_late, words)))
    if line.lost_per_day:
        lost = words.money(Decimal(line.lost_per_day), line.currency)
        facts.append(words("costs {money} a day", money=lost))
    if line.order:
        order = words.number(line.order)
        facts.append(
            words("order {number} from {supplier}", number=order, supplier=line.supplier)
            if line.supplier and with_supplier
            else words("order {number}", number=order)
        )
    return StockRow(f"{LEVEL_ICONS[level]} {line.title}", _joined(*facts))


def day_range(early: date, late: date | None, words: Words) -> str:
    """Return “3–9 Dec”, or “from 3 Dec” where the end is more than a year away."""
    if late is None:
        return words("from {day}", day=words.day(early))
    if early == late:
        return words.day(early)
    if (early.year, early.month) == (late.year, late.month):
        # The day of the month stands first in both languages we speak.
        first = words.day(early).split(" ")[0]
        return f"{first}–{words.day(late)}"
    return f"{words.day(early)} – {words.day(late)}"


def digest_head(reply: DigestShown, words: Words) -> str:
    """Return what sold yesterday: the first line of every digest."""
    if not reply.orders:
        sold = words("Nothing sold yesterday")
    else:
        pieces = words.count("{number} piece", "{number} pieces", reply.units)
        sold = words.count(
            "Yesterday {pieces} sold in {number} order",
            "Yesterday {pieces} sold in {number} orders",
            reply.orders,
            pieces=pieces,
        )
    if not reply.is_quiet:
        return sold
    if reply.still:
        same = words.count(
            "nothing new; {number} product is as low as before",
            "nothing new; {number} products are as low as before",
            reply.still,
        )
        return f"{sold}; {same}."
    return words("{sold}; nothing needs you today.", sold=sold)


def summary_rows(reply: DigestShown, words: Words) -> tuple[StockRow, ...]:
    """Return what else waits, a line each: none of it is about one product."""
    rows = []
    if reply.unshipped:
        said = words.count("{number} order to ship", "{number} orders to ship", reply.unshipped)
        late = words("{number} late", number=words.number(reply.late)) if reply.late else ""
        rows.append(StockRow(f"📦 {said}", late))
    if reply.mismatches or reply.failed_pushes:
        facts = []
        if reply.mismatches:
            facts.append(
                words.count("{number} stock number disagrees", "{number} stock numbers disagree", reply.mismatches)
            )
        if reply.failed_pushes:
            facts.append(words.count("{number} was not written", "{number} were not written", reply.failed_pushes))
        rows.append(StockRow(f"🔀 {words.list(facts)}", words("see `sync status`")))
    if reply.waiting_photos:
        said = words.count(
            "{number} picture waits for a decision", "{number} pictures wait for a decision", reply.waiting_photos
        )
        rows.append(StockRow(f"🖼️ {said}", words("see `status`")))
    rows += [StockRow("🔑" if "reconnect" in note else "📡", words.sentence(note)) for note in reply.notes]
    return tuple(rows)


def rest_row(reply: DigestShown, words: Words) -> StockRow | None:
    """Return the line that says what is not shown, None where nothing is left out."""
    facts = []
    if reply.more:
        facts.append(words.count("{number} more changed", "{number} more changed", reply.more))
    if reply.still:
        facts.append(words.count("{number} as low as before", "{number} as low as before", reply.still))
    if not facts:
        return None
    where = words("all of them in the table") if reply.table else words("`low` lists them")
    return StockRow(f"… {words.list(facts)}", where)


def chart_alt(reply: DigestShown, words: Words) -> str:
    """Return the chart in words, for whoever does not see it."""
    told = [
        f"{line.title} {day_range(line.out_early, line.out_late, words)}"
        for line in reply.lines
        if line.out_early is not None and Level(line.level) in {Level.LOW, Level.CRITICAL, Level.OUT}
    ]
    return (
        words("Days until it is gone: {products}", products="; ".join(told)) if told else words("Days until it is gone")
    )


def _digest(reply: DigestShown, words: Words) -> StockFace:
    head = digest_head(reply, words)
    if reply.is_quiet:
        return StockFace("☀️", head)
    rest = rest_row(reply, words)
    rows = (
        *(line_row(line, words) for line in reply.lines),
        *((rest,) if rest else ()),
        *summary_rows(reply, words),
    )
    return StockFace("☀️", head, rows)


def _next_step(line: AlertLine, words: Words) -> Sequence[StockRow]:
    facts = []
    if line.lost_per_day:
        facts.append(words("costs {money} a day", money=words.money(Decimal(line.lost_per_day), line.currency)))
    if line.order:
        order = words.number(line.order)
        facts.append(
            words("order {number} from {supplier}", number=order, supplier=line.supplier)
            if line.supplier
            else words("order {number}", number=order)
        )
    return (StockRow("", _joined(*facts)),) if facts else ()


def _snoozed(reply: Snoozed, words: Words) -> StockFace:
    if not reply.kind:
        head = words("I speak of {product} again", product=reply.title)
        return StockFace("🔔", head, foot=words("Said by {by}.", by=reply.by))
    if reply.kind == Quiet.RESTOCK:
        head = words("Quiet about {product} until some come in", product=reply.title)
    elif reply.kind == Quiet.ORDERED and reply.until:
        head = words("{product} is ordered: quiet until {time}, or until it comes in", product=reply.title,
                     time=words.day(reply.until.date()))  # fmt: skip
    else:
        time = words.time(reply.until) if reply.until else ""
        head = words("Quiet about {product} until {time}", product=reply.title, time=time)
    return StockFace("🔕", head, foot=words("Said by {by}.", by=reply.by))


def _alerts(reply: AlertsShown, words: Words) -> StockFace:
    here = Words(words.language, reply.timezone)
    zone = words(
        "{timezone}, {origin}: there it is {time} now.",
        timezone=reply.timezone,
        origin=words(_ZONES[reply.zone_from]),
        time=here.time(reply.here_now),
    )
    change = words(
        "Change it: `alerts at 8:00`, `alerts tz Europe/Berlin`, `alerts off`; `alerts now` shows it at once."
    )
    if not reply.is_on or reply.next_at is None:
        head = words("No morning message here")
        return StockFace(
            "🔕",
            head,
            (StockRow(words("Time zone"), zone),),
            words("`alerts on` turns it on, at {time}.", time=reply.wall_time),
        )
    head = words("A message here each day at {time}", time=reply.wall_time)
    following = StockRow(words("Next"), here.time(reply.next_at))
    return StockFace("🔔", head, (following, StockRow(words("Time zone"), zone)), change)


def _skus(line: AlertLine, words: Words) -> str:
    """Return the SKU, or how many of a product's variants it is about and which."""
    if line.variants <= 1:
        return line.skus[0]
    shown = ", ".join(line.skus[:3]) + ("…" if len(line.skus) > 3 else "")
    return words("{some} of {all} variants: {skus}", some=len(line.skus), all=line.variants, skus=shown)


def _as_word(sku: str) -> str:
    return f'"{sku}"' if " " in sku else sku


def _joined(*facts: str) -> str:
    return " · ".join(fact for fact in facts if fact)
