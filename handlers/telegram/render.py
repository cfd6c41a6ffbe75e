"""Every Reply as Telegram shows it: HTML, at most one picture, and rows of buttons.

Telegram has no alt text, so a caption itself names the product and what is behind it; a state is
always an emoji and words, never a colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from telegram import InlineKeyboardButton

from domain.catalog import Sha256
from domain.connect_replies import ConnectAnswer
from domain.data_replies import ExportOffered, FileReady, Forgotten, HealthNotice
from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import (
    AlreadyDecided,
    Card,
    CardReply,
    Compared,
    DecidedElsewhere,
    DecisionDue,
    EnhanceFailed,
    Expired,
    HelpShown,
    HistoryShown,
    Invited,
    Joined,
    ListingLine,
    MemberList,
    Placed,
    PreviewReady,
    ProductList,
    ProductShown,
    Published,
    PublishFailed,
    Publishing,
    Refused,
    Rejected,
    Reply,
    Restored,
    RestoreFailed,
    Restoring,
    SettingsShown,
    StatusShown,
    StoreList,
    Unclear,
    WhichPart,
    WhichProduct,
    WhichStore,
    Working,
)
from domain.sessions import SessionsShown
from domain.stock_alert_replies import AlertAnswer
from domain.stock_replies import StockAnswer
from domain.sync_replies import SyncAnswer
from domain.team_replies import (
    InvitationList,
    InvitationRevoked,
    MemberChanged,
    RemovalAsked,
    RulesShown,
    TeamShown,
    WorkspaceInvited,
)
from handlers.buttons import Button, buttons
from handlers.faces import ENLARGED_BY_CHAT, Face, Tone, face, notice_words, placed_words, version_words
from handlers.telegram.alerts import alert_message
from handlers.telegram.connect import connect_message
from handlers.telegram.data import data_message, health_rows, history_message
from handlers.telegram.keyboards import Rows, card_rows, choice_rows, part_rows
from handlers.telegram.markup import (
    MAX_CAPTION,
    MAX_TEXT,
    bold,
    code,
    commands,
    cut,
    esc,
    fitted,
    folded,
    is_web,
    link,
    read_length,
)
from handlers.telegram.questions import which_part_message, which_product_message
from handlers.telegram.sessions import sessions_message
from handlers.telegram.stock import stock_message
from handlers.telegram.sync import sync_message
from handlers.telegram.teams import invitation_message, team_message
from handlers.words import ENGLISH, Words

TONE_EMOJI: dict[Tone, str] = {"wait": "⏳", "decide": "👀", "good": "✅", "warn": "⚠️", "bad": "❌", "quiet": "▫️"}
_LEVEL_EMOJI = {FindingLevel.WARNING: "⚠️", FindingLevel.NOTE: "💡", FindingLevel.OK: "✓"}
MAX_LINKS = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """One message. With a `photo` the HTML is its caption."""

    html: str
    rows: Rows = ()
    photo: Sha256 | None = None


def render(reply: Reply, words: Words = ENGLISH, *, bot_name: str = "", is_recompressed: bool = False) -> Shown:  # noqa: C901 - one case a reply
    """Return a reply as a message. `is_recompressed`: the photo came through Telegram made smaller."""
    match reply:
        case (
            Working()
            | PreviewReady()
            | Publishing()
            | Published()
            | PublishFailed()
            | Unclear()
            | Restoring()
            | Restored()
            | RestoreFailed()
            | Rejected()
            | Expired()
            | EnhanceFailed()
        ):
            return _card(reply, words, is_recompressed=is_recompressed)
        case AlreadyDecided():
            said = words(
                "{sku} was already {verdict} by {by}, {time}. Your press changed nothing.",
                sku=code(esc(reply.sku)),
                verdict=words(reply.verdict),
                by=bold(esc(reply.by)),
                time=words.time(reply.at),
            )
            return Shown(f"ℹ️ {said}")
        case Refused():
            return Shown(f"⚠️ {commands(words.sentence(reply.sentence))}")
        case WhichProduct():
            return Shown(which_product_message(reply, words), choice_rows(_said(reply, words)))
        case WhichStore():
            question = words("{sku} is sold in several places: which one?", sku=code(esc(reply.sku)))
            return Shown(f"❓ {question}", choice_rows(_said(reply, words)))
        case WhichPart():
            return Shown(which_part_message(reply, words), part_rows(reply, words), reply.picture)
        case Compared():
            return _compared(reply, words)
        case ProductShown():
            return _product(reply, words)
        case ProductList():
            return _products(reply, words)
        case HistoryShown():
            return Shown(history_message(reply, words))
        case StatusShown():
            return _status(reply, words)
        case StoreList():
            lines = [
                f"🏬 {link(bold(esc(line.name)), line.url)} · {esc(line.platform)} · "
                + words.count("{number} listing", "{number} listings", line.listing_count)
                + "".join(f"\n{esc(note)}" for note in line.notes)
                for line in reply.stores
            ]
            return _list(words, bold(words("Stores")), lines or [words("No store is connected yet.")])
        case HelpShown():
            lines = [f"\n/{esc(line.usage)}\n{esc(words(line.meaning))}" for line in reply.lines]
            head = f"{bold(words('What you can say'))}\n{words('Or send a photo with the SKU as its caption.')}"
            return _list(words, head, lines)
        case Invited():
            return Shown(*invitation_message(reply, words, bot_name))
        case Joined():
            said = words(
                "Welcome, {name}: you are {role} at {team}.",
                name=bold(esc(reply.name)),
                role=words(reply.role.value),
                team=bold(esc(reply.team)),
            )
            return Shown(f"👋 {said}\n{words('Send me a product photo with its SKU as the caption, or /help.')}")
        case MemberList():
            lines = [f"👤 {esc(line.name)} · {words(line.role.value)}" for line in reply.members]
            return _list(words, bold(words("Members")), lines)
        case DecisionDue() | DecidedElsewhere():
            icon = "⏰" if isinstance(reply, DecisionDue) else "ℹ️"
            return Shown(f"{icon} {notice_words(reply, words, clean=lambda said: esc(said, at_most=500))}")
        case AlertAnswer():
            return Shown(*alert_message(reply, words))
        case StockAnswer():
            return Shown(*stock_message(reply, words))
        case SyncAnswer():
            return Shown(*sync_message(reply, words))
        case SessionsShown():
            return Shown(sessions_message(reply, words))
        case SettingsShown():
            return _settings(reply, words)
        case (
            InvitationList()
            | InvitationRevoked()
            | MemberChanged()
            | RemovalAsked()
            | RulesShown()
            | TeamShown()
            | WorkspaceInvited()
        ):
            return Shown(*team_message(reply, words))
        case ConnectAnswer():
            html, rows = connect_message(reply, words)
            return Shown(html, rows)
        case HealthNotice() | FileReady() | ExportOffered() | Forgotten():
            return Shown(*data_message(reply, words))
        case _:
            assert_never(reply)


# ---------------------------------------------------------------- cards


def _card(reply: CardReply, words: Words, *, is_recompressed: bool) -> Shown:
    """Every card keeps to a caption's length: the message it is edited into may be a picture already."""
    card, today = reply.card, face(reply, words)
    head = [f"{TONE_EMOJI[today.tone]} {bold(esc(today.state))}", _title(reply, words)]
    head.append(f"\n{commands(today.sentence, at_most=250)}")
    if today.by and today.at:
        head.append(_decided(reply, today, words))
    placed = [_placed(line, words) for line in today.placed]
    sku = f"`product {card.sku[:64]}`" if card else ""
    html = fitted(
        [line for line in head if line], placed, at_most=MAX_CAPTION, rest=lambda left: _more(words, left, sku)
    )
    if card and isinstance(reply, PreviewReady):
        html = _with_findings(html, _findings(card, words, is_recompressed=is_recompressed), words)
    return Shown(html, (*card_rows(reply, words), *_links(today)), (card.preview or card.after) if card else None)


def _title(reply: CardReply, words: Words) -> str:
    card = reply.card
    if card is None:
        sku = reply.sku if isinstance(reply, Working) else ""
        return code(esc(sku, at_most=64)) if sku else ""
    title = bold(esc(card.title or card.sku, at_most=120))
    facts = [code(esc(card.sku, at_most=64))]
    facts += [esc(", ".join(card.stores), at_most=80)] if card.stores else []
    facts += [_behind(card, words)]
    return f"{title}\n{' · '.join(facts)}"


def _behind(card: Card, words: Words) -> str:
    background = esc(words(card.background or "white"), at_most=40)
    if not card.shadow or card.shadow == "none":
        return words("on {background}", background=background)
    return words("on {background}, {shadow} shadow", background=background, shadow=esc(words(card.shadow), at_most=20))


def _decided(reply: CardReply, today: Face, words: Words) -> str:
    assert today.at is not None
    by, time = esc(today.by, at_most=60), words.time(today.at)
    if isinstance(reply, Rejected):
        return "👤 " + words("Rejected by {by}, {time}", by=by, time=time)
    return "👤 " + words("Approved by {by}, {time}", by=by, time=time)


def _placed(line: Placed, words: Words) -> str:
    said, tone = placed_words(line, words)
    state = link(esc(said), line.url)
    failure = f": {esc(words.sentence(line.failure), at_most=120)}" if line.failure else ""
    return f"{TONE_EMOJI[tone]} {esc(line.store, at_most=60)}: {state}{failure}"


def _links(today: Face) -> Rows:
    """Where a picture is live, a button leads to it."""
    live = [line for line in today.placed if placed_words(line)[1] == "good" and is_web(line.url)]
    return tuple((InlineKeyboardButton(f"🔗 {cut(line.store, 50)}", url=line.url),) for line in live[:MAX_LINKS])


def _findings(card: Card, words: Words, *, is_recompressed: bool) -> list[str]:
    order = (FindingLevel.WARNING, FindingLevel.NOTE, FindingLevel.OK)
    sorted_findings = sorted(card.findings, key=lambda finding: order.index(finding.level))
    lines: list[str] = []
    for finding in sorted_findings:
        lines.append(f"{_LEVEL_EMOJI[finding.level]} {esc(words.finding(finding), at_most=250)}")
        if is_recompressed and _is_enlarged(finding):
            lines.append(f"📎 {words(ENLARGED_BY_CHAT)}")
    return lines


def _is_enlarged(finding: Finding) -> bool:
    return finding.code is FindingCode.ENLARGED and finding.level is not FindingLevel.OK


def _with_findings(html: str, lines: list[str], words: Words) -> str:
    """Warnings stand open, the rest opens at a tap; what does not fit is counted."""
    open_lines = [line for line in lines if line.startswith(("⚠️", "📎"))]
    quiet = [line for line in lines if line not in open_lines]
    for kept_open in range(len(open_lines), -1, -1):
        for kept in range(len(quiet) if kept_open == len(open_lines) else 0, -1, -1):
            missing = len(lines) - kept_open - kept
            more = words("…and {number} more: the console shows them all.", number=words.number(missing))
            shown = [*open_lines[:kept_open], folded(quiet[:kept]), more if missing else ""]
            whole = f"{html}\n\n{chr(10).join(part for part in shown if part)}"
            if read_length(whole) <= MAX_CAPTION:
                return whole
    return html


# ---------------------------------------------------------------- the others


def _said(reply: WhichProduct | WhichStore, words: Words) -> tuple[Button, ...]:
    return tuple(replace(each, label=words(each.label)) for each in buttons(reply))


def _compared(reply: Compared, words: Words) -> Shown:
    """Telegram shows one picture a message: all of it side by side, each under its label."""
    title = words("{product}, side by side", product=bold(esc(reply.title or reply.sku, at_most=120)))
    lines = [
        words("Version {number}: {changes}", number=version.number, changes=esc(made, at_most=160))
        for version in reply.versions
        if (made := version_words(version, words))
    ]
    html = fitted([f"🖼 {title}"], lines, at_most=MAX_CAPTION, rest=lambda left: _more(words, left, ""))
    return Shown(html, photo=reply.sheet)


def _listing(line: ListingLine, words: Words) -> str:
    facts = [code(esc(line.sku, at_most=64)), esc(line.store, at_most=60), esc(line.price, at_most=20)]
    if line.quantity is not None:
        facts.append(words("{number} in stock", number=words.number(line.quantity)))
    title = link(bold(esc(line.title, at_most=120)), line.url)
    return f"\n{title}\n{' · '.join(fact for fact in facts if fact)}"


def _product(reply: ProductShown, words: Words) -> Shown:
    lines = [_listing(line, words) for line in reply.listings]
    return _list(words, f"📦 {code(esc(reply.sku))}", lines)


def _products(reply: ProductList, words: Words) -> Shown:
    query = esc(reply.query, at_most=60)
    title = words("Products like “{query}”", query=query) if reply.query else words("Products")
    head = f"{bold(title)} · {words.number(reply.total)}"
    if not reply.lines:
        return Shown(f"{head}\n{commands(words('Nothing found. `products` alone lists everything.'))}")
    tail = ""
    if reply.pages > 1:
        tail = "\n\n" + words("Page {page} of {pages}", page=reply.page, pages=reply.pages)
    if reply.page < reply.pages:
        following = " ".join(["/products", query, f"page={reply.page + 1}"]).replace("  ", " ")
        tail += " · " + words("next: {command}", command=code(following))
    lines = [_listing(line, words) for line in reply.lines]
    html = fitted([head], lines, at_most=MAX_TEXT - 200, rest=lambda left: _more(words, left, "`products WORDS`"))
    return Shown(html + tail)


def _status(reply: StatusShown, words: Words) -> Shown:
    lines = [
        bold(words("How things are")),
        f"👀 {words('waiting for a decision')}: {words.number(reply.waiting)}",
        f"⏳ {words('in work')}: {words.number(reply.in_work)}",
        f"❌ {words('failed')}: {words.number(reply.failed)}",
        f"🏬 {words('Stores')}: {esc(', '.join(reply.stores), at_most=500) or words('none yet')}",
        f"⚙️ {words('Engine')}: {esc(reply.engine)}",
    ]
    if reply.oldest_waiting_at:
        lines.insert(2, f"      {words('since {time}', time=words.time(reply.oldest_waiting_at))}")
    rows = [*health_rows(reply, words), *(f"⚠️ {esc(each)}" for each in reply.trouble)]
    return _list(words, "\n".join(lines), rows)


def _settings(reply: SettingsShown, words: Words) -> Shown:
    previews = words("every new one is shown here") if reply.previews else words("only those asked for here")
    lines = [
        f"⚙️ {bold(words('Settings of this place'))}",
        f"{words('Language')}: {esc(reply.language)}",
        f"{words('Time zone')}: {esc(reply.timezone)}",
        f"{words('Previews')}: {previews}",
        "",
        code("/settings language=de"),
        code(f"/settings timezone={esc(reply.timezone)}"),
        code(f"/settings previews={'off' if reply.previews else 'on'}"),
    ]
    return Shown("\n".join(lines))


def _list(words: Words, head: str, lines: list[str]) -> Shown:
    return Shown(fitted([head], lines, at_most=MAX_TEXT, rest=lambda left: _more(words, left, "")))


def _more(words: Words, left: int, command: str) -> str:
    if not command:
        return words("…and {number} more: the console shows them all.", number=words.number(left))
    return commands(words("…and {number} more: {command} shows them.", number=words.number(left), command=command))
