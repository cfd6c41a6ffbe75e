"""How the answers about keeping stores in step read, in the reader's language; each chat draws them in its own way.

Rows are plain words with our `commands` in backticks, as in handlers/stock_faces.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from domain.stock import MismatchState
from domain.sync import Alarm, RunKind, RunState
from domain.sync_replies import (
    DryRunLine,
    MismatchAsked,
    OversoldAsked,
    RunAsked,
    SyncBegun,
    SyncReply,
    SyncShown,
    SyncStoreLine,
    SyncTurned,
)
from domain.tokens import Action, Token
from handlers.button import Button, Style
from handlers.stock_cards import ONLY_AGREED
from handlers.stock_faces import StockFace, StockRow
from handlers.words import ENGLISH, Words, text

_WAITS = "👉"
_STATES = {
    "in_step": ("✅", text("in step")),
    "waiting": ("👉", text("waits for your yes to its numbers")),
    "off": ("⏸", text("off")),
    "trouble": ("❌", text("trouble")),
    "lacking": ("▫️", text("has no stock or orders that I can read")),
}
_ALARMS = {
    Alarm.ZEROED.value: text("{zeroed} of {of} products would be sold out at once."),
    Alarm.CHANGED.value: text("{total} of {of} products would change at once."),
    Alarm.EMPTIED.value: text("It shows none of anything any more."),
}


@dataclass(frozen=True, slots=True)
class SyncFace:
    """A face, and a text to copy from it, empty for none."""

    face: StockFace
    copyable: str = ""


def sync_buttons(reply: SyncReply, words: Words = ENGLISH) -> tuple[Button, ...]:
    """Return what can be pressed on it, in the reader's language where a store's name is part of it."""
    match reply:
        case MismatchAsked(state=MismatchState.OPEN.value):
            return _mismatch_buttons(reply, words)
        case OversoldAsked(oversold_id, is_open=True):
            return (Button(words("Dealt with"), str(Token(Action.DEALT_WITH, oversold_id, 0)), "primary"),)
        case RunAsked(run_id, state=RunState.ASKED.value):
            yes = Button(words("Go ahead"), str(Token(Action.GO_AHEAD, run_id, 0)), _style(reply))
            agreed = Button(words("Only where they agree"), str(Token(Action.GO_AHEAD, run_id, ONLY_AGREED)))
            no = Button(words("Leave it"), str(Token(Action.LEAVE_IT, run_id, 0)))
            has_choice = reply.kind == RunKind.FIRST.value and 0 < reply.disputed < reply.total
            return (yes, agreed, no) if has_choice else (yes, no)
        case _:
            return ()


def _style(reply: RunAsked) -> Style:
    return "primary" if reply.kind == RunKind.FIRST.value else "danger"


def _mismatch_buttons(reply: MismatchAsked, words: Words) -> tuple[Button, ...]:
    def on(action: Action, label: str) -> Button:
        return Button(label, str(Token(action, reply.mismatch_id, 0)))

    theirs = words("Trust {store}: {number}", store=reply.store, number=words.number(reply.observed))
    if len(reply.others) == 1:
        ours = words("Trust {store}: {number}", store=reply.others[0], number=words.number(reply.expected))
    else:
        ours = words("Keep {number}", number=words.number(reply.expected))
    return (
        on(Action.TRUST_STORE, theirs),
        on(Action.TRUST_OTHERS, ours),
        on(Action.COUNT_MYSELF, words("I'll count")),
    )


def sync_face(reply: SyncReply, words: Words = ENGLISH) -> SyncFace:
    """Return how it reads."""
    match reply:
        case SyncShown():
            return SyncFace(_status(reply, words))
        case SyncTurned():
            return SyncFace(_turned(reply, words))
        case SyncBegun(stores):
            head = words("I pull and compare {stores} now.", stores=words.list(stores))
            return SyncFace(StockFace("🔄", head, foot=words("`sync status` shows how far I am.")))
        case MismatchAsked():
            return SyncFace(_mismatch(reply, words))
        case OversoldAsked():
            return _oversold(reply, words)
        case RunAsked():
            return SyncFace(_run(reply, words))
        case _:
            assert_never(reply)


# ---------------------------------------------------------------- how far


def _status(reply: SyncShown, words: Words) -> StockFace:
    head = words("Sync is on") if reply.is_on else words("Sync is off")
    counts = [
        words.count("{number} number to decide", "{number} numbers to decide", reply.mismatches)
        if reply.mismatches
        else "",
        words.count("{number} product oversold", "{number} products oversold", reply.oversold)
        if reply.oversold
        else "",
        words.count("{number} product held back", "{number} products held back", reply.stopped)
        if reply.stopped
        else "",
    ]
    rows = [_store(line, words) for line in reply.stores]
    if any(counts):
        rows.append(StockRow(words("Waiting for somebody"), " · ".join(each for each in counts if each)))
    rows += [StockRow("", note) for note in reply.notes]
    if not reply.is_on:
        foot = words("Nothing is written to any store. `sync on` shows what it would do first.")
    elif reply.is_asking:
        foot = words("A question is open below: nothing of it is written before somebody answers.")
    elif reply.stopped:
        foot = words("What somebody said no to stays as it is: `sync` asks again.")
    else:
        foot = ""
    return StockFace("🔄" if reply.is_on else "⏸", head, tuple(rows), foot)


def _store(line: SyncStoreLine, words: Words) -> StockRow:
    icon, state = _STATES[line.state]
    said = [f"{icon} {words(state)}"]
    if line.linked and line.state != "lacking":
        said.append(words.count("{number} product", "{number} products", line.linked))
    notes = []
    if line.trouble:
        notes.append(line.trouble)
    if line.pulled_at:
        notes.append(words("Orders as of {time}, {how}", time=words.time(line.pulled_at), how=_how(line, words)))
    if line.read_at:
        notes.append(words("Compared {time}", time=words.time(line.read_at)))
    if line.open_pushes and line.oldest_push_at:
        notes.append(
            words.count(
                "{number} write on its way since {time}",
                "{number} writes on their way since {time}",
                line.open_pushes,
                time=words.time(line.oldest_push_at),
            )
        )
    return StockRow(line.store, " · ".join(said), tuple(notes))


def _how(line: SyncStoreLine, words: Words) -> str:
    if line.tells:
        return words("it tells me of new ones")
    if line.every_s < 60:
        return words.count("asked every {number} second", "asked every {number} seconds", line.every_s)
    minutes = max(1, round(line.every_s / 60))
    return words.count("asked every {number} minute", "asked every {number} minutes", minutes)


def _turned(reply: SyncTurned, words: Words) -> StockFace:
    if reply.sku:
        said = (
            words("{sku} is kept in step.", sku=reply.sku)
            if reply.is_on
            else words("{sku} is left alone on every store; what is sold is still counted.", sku=reply.sku)
        )
        return StockFace("🔄" if reply.is_on else "⏸", said, foot="" if reply.is_news else words("It was so already."))
    if not reply.is_on:
        said = words("Sync is off: nothing is written to any store.")
        return StockFace(
            "⏸", said, foot=words("`sync on` begins again.") if reply.is_news else words("It was so already.")
        )
    if reply.is_first:
        foot = words("First I read what the stores show, and ask you before anything is counted or written.")
        return StockFace("🔄", words("Sync is on."), foot=foot)
    return StockFace("🔄", words("Sync is on."), foot="" if reply.is_news else words("It was so already."))


# ---------------------------------------------------------------- questions


def _mismatch(reply: MismatchAsked, words: Words) -> StockFace:
    name = f"{reply.title} ({reply.sku})" if reply.title else reply.sku
    if reply.state != MismatchState.OPEN.value:
        return StockFace("☑️", words("{product}: answered", product=name), (StockRow("", _answer(reply, words)),))
    head = words(
        "{product}: {store} shows {observed}, and I expect {expected}",
        product=name,
        store=reply.store,
        observed=words.number(reply.observed),
        expected=words.number(reply.expected),
    )
    rows = [StockRow("", words("No order explains it, so somebody changed it there. I wrote nothing over it."))]
    foot = words("Which number is right?")
    if reply.counting:
        foot = words(
            "{who} counts. Then say `stock count {sku} 12` with the number that is there.",
            who=reply.counting,
            sku=reply.sku,
        )
    return StockFace(_WAITS, head, tuple(rows), foot)


def _answer(reply: MismatchAsked, words: Words) -> str:
    match reply.state:
        case MismatchState.TRUSTED.value:
            return words(
                "{by} trusted {store}: {number} it is, on every store.",
                by=reply.by,
                store=reply.store,
                number=words.number(reply.observed),
            )
        case MismatchState.OURS.value:
            return words(
                "{by} kept {number}: {store} is brought to it.",
                by=reply.by,
                store=reply.store,
                number=words.number(reply.expected),
            )
        case MismatchState.COUNTED.value:
            return words("{by} counted.", by=reply.by)
        case _:
            return words("{store} shows the expected number again.", store=reply.store)


def _oversold(reply: OversoldAsked, words: Words) -> SyncFace:
    name = f"{reply.title} ({reply.sku})" if reply.title else reply.sku
    if not reply.is_open:
        said = words("{by} has dealt with it.", by=reply.by) if reply.by else words("There are enough again.")
        return SyncFace(StockFace("☑️", words("{product}: no longer oversold", product=name), (StockRow("", said),)))
    head = words.count(
        "{product}: {number} sold that is not there", "{product}: {number} sold that are not there", reply.missing,
        product=name,
    )  # fmt: skip
    rows = tuple(
        StockRow(
            words("{store}, order {number}", store=line.store, number=line.number),
            words("{number} × {time}", number=words.number(line.quantity), time=words.time(line.ordered_at)),
        )
        for line in reply.orders
    )
    last = max(reply.orders, key=lambda line: line.ordered_at, default=None)
    apology = words(
        "Hello, thank you for your order {number}. I am very sorry: the last piece was sold at almost the same "
        "moment somewhere else, and I cannot send it to you now. Shall I refund you at once, or send it as soon as "
        "it is here again?",
        number=last.number if last else "…",
    )
    foot = words("A letter to the buyer to copy and change. I send nothing myself:")
    return SyncFace(StockFace("🚨", head, rows, foot), apology)


def _run(reply: RunAsked, words: Words) -> StockFace:
    if reply.state in {RunState.ASKED.value, RunState.READING.value}:
        return _first(reply, words) if reply.kind == RunKind.FIRST.value else _stopped(reply, words)
    said = {
        RunState.GOING.value: words("{by} said: go ahead. I am at it.", by=reply.by),
        RunState.DONE.value: _done(reply, words),
        RunState.LEFT.value: words("{by} said: leave it. Nothing was changed; `sync` asks again.", by=reply.by),
    }.get(reply.state, words("It is as it should be again."))
    heads = {
        RunKind.FIRST.value: words("What the stores show"),
        RunKind.READ.value: words("What {store} shows", store=reply.store),
    }
    head = heads.get(reply.kind, words("Changes to the stores"))
    return StockFace("☑️" if reply.state != RunState.GOING.value else "⏳", head, (StockRow("", said),))


def _done(reply: RunAsked, words: Words) -> str:
    if not reply.total:
        return words("Every store shows the same. From now on they are kept in step.")
    return words.count(
        "Done: {number} product is kept in step.", "Done: {number} products are kept in step.", reply.total
    )


def _first(reply: RunAsked, words: Words) -> StockFace:
    if reply.disputed:
        head = words(
            "The stores disagree on {number} of {total} products",
            number=words.number(reply.disputed),
            total=words.number(reply.total),
        )
        foot = words(
            "Go ahead takes the number on the right as the first count, the lowest where they disagree, and writes it "
            "to the others. Nothing is changed before."
        )
    else:
        head = words.count(
            "The stores agree on {number} product", "The stores agree on all {number} products", reply.total
        )
        foot = words("Go ahead takes these numbers as the first count. Nothing is changed before.")
    return StockFace(_WAITS, head, tuple(_dry(line, words) for line in reply.lines) + _rest(reply, words), foot)


def _stopped(reply: RunAsked, words: Words) -> StockFace:
    why = words(
        _ALARMS.get(reply.alarm, ""),
        zeroed=words.number(reply.zeroed),
        total=words.number(reply.total),
        of=words.number(reply.of),
    )
    if reply.kind == RunKind.READ.value:
        head = words("I do not believe what {store} shows", store=reply.store)
        foot = words(
            "I changed nothing. Go ahead takes {store}'s numbers for right, on every store; otherwise look there first.",
            store=reply.store,
        )
    else:
        head = words("I stopped: too much would change at once")
        foot = words("Nothing of it is written yet. Go ahead writes it; Leave it keeps everything as it is.")
    rows = (StockRow("", why), *(_dry(line, words) for line in reply.lines), *_rest(reply, words))
    return StockFace("✋", head, rows, foot)


def _dry(line: DryRunLine, words: Words) -> StockRow:
    shows = " · ".join(f"{store} {'–' if number is None else words.number(number)}" for store, number in line.shows)
    becomes = words("left out") if line.becomes is None else words.number(line.becomes)
    return StockRow(line.sku, f"{shows} → {becomes}")


def _rest(reply: RunAsked, words: Words) -> tuple[StockRow, ...]:
    left = reply.total - len(reply.lines)
    if left <= 0:
        return ()
    return (StockRow("", words.count("…and {number} more product", "…and {number} more products", left)),)
