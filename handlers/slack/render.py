"""Every Reply as Block Kit: `Shown.text` for notifications and screen readers, `Shown.blocks` to look at.

A card's picture is a file that was uploaded to Slack before; `Picture` says which, or where it went.
No block has a `block_id` yet: a new one each time it is shown is given by `chat.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from domain.connect_replies import ConnectAnswer
from domain.data_replies import ExportOffered, FileReady, Forgotten, HealthNotice
from domain.replies import (
    AlreadyDecided,
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
from handlers.faces import notice_words, thing_question
from handlers.slack.alerts import show_alert
from handlers.slack.blocks import (
    MAX_ACTIONS,
    MAX_BLOCKS,
    TEXT_CHARS,
    Block,
    actions,
    button,
    context,
    cut_markup,
    escaped,
    header,
    link,
    section,
    sections,
    sentence,
    when,
    words_of,
)
from handlers.slack.cards import (
    MAX_LINES,
    NO_PICTURE,
    SAY,
    SAYS,
    Picture,
    Shown,
    as_word,
    draw_button,
    show_card,
    show_working,
)
from handlers.slack.connect import show_connect_reply
from handlers.slack.data import health_blocks, show_data_reply, show_history
from handlers.slack.parts import show_compared, show_which_part
from handlers.slack.sessions import show_sessions
from handlers.slack.stock import show_stock_reply
from handlers.slack.sync import show_sync_reply
from handlers.slack.teams import show_team_reply
from handlers.words import Words

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
"""Each in itself, so that whoever needs one can read it."""


def render(reply: Reply, words: Words, picture: Picture = NO_PICTURE) -> Shown:  # noqa: C901 - one case a reply
    """Return what Slack shows for a reply, in the reader's language, within every limit."""
    match reply:
        case Working():
            shown = show_working(reply, words)
        case (
            PreviewReady()
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
            shown = show_card(reply, reply.card, words, picture)
        case AlreadyDecided():
            shown = _already(reply, words)
        case Refused():
            said = sentence(words.sentence(reply.sentence))
            shown = Shown(said, [section(said)])
        case WhichProduct():
            shown = _which_product(reply, words)
        case WhichStore():
            asked = words("In which store should I replace the picture of {sku}?", sku=words_of(reply.sku))
            shown = _choice(asked, buttons(reply), words)
        case WhichPart():
            shown = show_which_part(reply, words, picture)
        case Compared():
            shown = show_compared(reply, words, picture)
        case ProductShown():
            shown = _product(reply, words)
        case ProductList():
            shown = _products(reply, words)
        case HistoryShown():
            shown = show_history(reply, words)
        case StatusShown():
            shown = _status(reply, words)
        case StoreList():
            shown = _stores(reply, words)
        case HelpShown():
            shown = _help(reply, words)
        case Invited():
            shown = _invited(reply, words)
        case Joined():
            said = words(
                "Welcome, {name}: you are {role} at {team}.",
                name=words_of(reply.name),
                role=words(reply.role.value),
                team=words_of(reply.team),
            )
            shown = Shown(said, [section(f"👋 {said}"), context(sentence(words("`help` lists what you can ask for.")))])
        case MemberList():
            people = [f"*{words_of(line.name)}*  {words(line.role.value)}" for line in reply.members]
            shown = _list(words("Members"), people, words)
        case DecisionDue() | DecidedElsewhere():
            said = notice_words(reply, words, clean=words_of, time=lambda moment: when(moment, words))
            shown = Shown(said, [section(f"{'⏰' if isinstance(reply, DecisionDue) else 'ℹ️'} {said}")])
        case AlertAnswer():
            shown = show_alert(reply, words, picture)
        case StockAnswer():
            shown = show_stock_reply(reply, words)
        case SyncAnswer():
            shown = show_sync_reply(reply, words)
        case SessionsShown():
            shown = show_sessions(reply, words)
        case SettingsShown():
            shown = _settings(reply, words)
        case (
            InvitationList()
            | InvitationRevoked()
            | MemberChanged()
            | RemovalAsked()
            | RulesShown()
            | TeamShown()
            | WorkspaceInvited()
        ):
            shown = show_team_reply(reply, words)
        case ConnectAnswer():
            shown = show_connect_reply(reply, words)
        case HealthNotice() | FileReady() | ExportOffered() | Forgotten():
            shown = show_data_reply(reply, words)
        case _:
            assert_never(reply)
    return Shown(cut_markup(shown.text, TEXT_CHARS) or "–", shown.blocks[:MAX_BLOCKS])


# ---------------------------------------------------------------- answers


def _already(reply: AlreadyDecided, words: Words) -> Shown:
    told = words(
        "{by} was first: {sku} is already {verdict}.",
        by=words_of(reply.by),
        sku=words_of(reply.sku),
        verdict=words(reply.verdict),
    )
    return Shown(told, [section(told), context(when(reply.at, words))])


def _which_product(reply: WhichProduct, words: Words) -> Shown:
    asked = thing_question(reply, words) or words.count(
        "Which product is on this photo?", "Which product is on these {number} photos?", reply.photo_count
    )
    if reply.asked_sku:
        unknown = words("I know no product with the SKU {sku}.", sku=words_of(reply.asked_sku))
        asked = f"{unknown} {asked}"
    return _choice(asked, buttons(reply), words)


def _choice(asked: str, choices: tuple[Button, ...], words: Words) -> Shown:
    blocks = [section(asked)]
    if choices:
        blocks.append(
            actions([draw_button(each, index, None, words) for index, each in enumerate(choices[:MAX_ACTIONS])])
        )
    blocks.append(context(words("Press one, or type it.") if choices else words("Type the SKU.")))
    return Shown(asked, blocks)


def _product(reply: ProductShown, words: Words) -> Shown:
    title = reply.listings[0].title if reply.listings else reply.sku
    told = words("{title} ({sku})", title=words_of(title), sku=words_of(reply.sku))
    rows = [_listing(line, words, with_store=True) for line in reply.listings[:MAX_LINES]]
    blocks = [header(title), *sections(rows), *_rest(len(reply.listings), words)]
    say = button(words("Enhance"), f"{SAYS}enhance {as_word(reply.sku)}", f"{SAY}:0", style="primary")
    history = button(words("History"), f"{SAYS}history {as_word(reply.sku)}", f"{SAY}:1")
    return Shown(told, [*blocks, actions([say, history])])


def _products(reply: ProductList, words: Words) -> Shown:
    told = (
        words("Products like “{query}”: {total}", query=words_of(reply.query), total=words.number(reply.total))
        if reply.query
        else words("Products: {total}", total=words.number(reply.total))
    )
    if not reply.lines:
        nothing = sentence(words("Nothing found. `products` alone lists everything."))
        return Shown(nothing, [section(f"*{told}*"), section(nothing)])
    blocks = [section(f"*{told}*")]
    for index, line in enumerate(reply.lines[:MAX_LINES]):
        enhance = button(words("Enhance"), f"{SAYS}enhance {as_word(line.sku)}", f"{SAY}:{index}")
        blocks.append(section(_listing(line, words), enhance))
    blocks += _rest(len(reply.lines), words)
    if reply.pages > 1:
        page = words("Page {page} of {pages}", page=words.number(reply.page), pages=words.number(reply.pages))
        blocks += [context(page), *_turns(reply, words)]
    return Shown(told, blocks)


def _turns(reply: ProductList, words: Words) -> list[Block]:
    query = f"{as_word(reply.query)} " if reply.query else ""
    turns = [
        button(label, f"{SAYS}products {query}page={page}", f"{SAY}:page{page}")
        for label, page in ((words("Back"), reply.page - 1), (words("Next"), reply.page + 1))
        if 1 <= page <= reply.pages
    ]
    return [actions(turns)] if turns else []


def _listing(line: ListingLine, words: Words, *, with_store: bool = False) -> str:
    name = words_of(line.store if with_store else line.title)
    page = link(line.url, words("Open page"))
    facts = [words_of(line.sku), "" if with_store else words_of(line.store), words_of(line.price)]
    if line.quantity is not None:
        facts.append(words("{count} in stock", count=words.number(line.quantity)))
    facts += [words.count("{number} picture", "{number} pictures", line.image_count), page]
    return f"*{name}*\n{'  ·  '.join(fact for fact in facts if fact)}"


def _status(reply: StatusShown, words: Words) -> Shown:
    counts = (
        words("{count} waiting for a decision", count=words.number(reply.waiting)),
        words("{count} in work", count=words.number(reply.in_work)),
        words("{count} failed", count=words.number(reply.failed)),
    )
    stores = words_of(words.list(reply.stores)) if reply.stores else words("none yet")
    blocks = [
        section(f"*{words('How things are')}*\n👉 {counts[0]}\n⏳ {counts[1]}\n❌ {counts[2]}"),
        context(words("Stores: {stores}", stores=stores), words("Engine: {engine}", engine=words_of(reply.engine))),
    ]
    if reply.oldest_waiting_at:
        blocks.append(context(words("Waiting since {time}", time=when(reply.oldest_waiting_at, words))))
    blocks += health_blocks(reply, words)
    blocks += sections(f"⚠️ {sentence(each)}" for each in reply.trouble[:MAX_LINES])
    return Shown("; ".join((words.list(counts), *(sentence(each) for each in reply.trouble))), blocks)


def _stores(reply: StoreList, words: Words) -> Shown:
    rows = [
        f"*{words_of(line.name)}*  {words_of(line.platform)}  ·  "
        + words.count("{number} listing", "{number} listings", line.listing_count)
        + (f"  ·  {page}" if (page := link(line.url, words("Open page"))) else "")
        + "".join(f"\n{sentence(note)}" for note in line.notes)
        for line in reply.stores
    ]
    return _list(words("Stores"), rows or [words("No store is connected yet.")], words)


def _help(reply: HelpShown, words: Words) -> Shown:
    rows = [f"`{escaped(line.usage)}`\n{sentence(words(line.meaning))}" for line in reply.lines]
    shown = _list(words("What you can say"), rows, words)
    how = words("Here in a direct message, after `/packshot`, or after mentioning me in a channel.")
    return Shown(shown.text, [*shown.blocks, context(sentence(how))])


def _invited(reply: Invited, words: Words) -> Shown:
    told = words("A one-time code for one more {role}:", role=words(reply.role.value))
    code = f"`join {escaped(reply.code)}`"
    until = words("Good once, until {time}.", time=when(reply.expires_at, words))
    doors = [("Telegram", reply.telegram_url), (words("Browser"), reply.console_url)]
    others = [context(f"{name}: {escaped(url)}") for name, url in doors if url]
    return Shown(f"{told} {code}", [section(f"{told}\n{code}"), *others, context(until)])


def _settings(reply: SettingsShown, words: Words) -> Shown:
    blocks = [
        section("\n".join([f"*{words('Settings of this conversation')}*", *settings_rows(reply, words)])),
        context(sentence(words("Change them with `settings language=de timezone=Europe/Berlin previews=on`."))),
    ]
    return Shown(words("Settings of this conversation"), blocks)


def settings_rows(settings: SettingsShown, words: Words) -> list[str]:
    """Return what holds in a place, a line each."""
    previews = words("every new preview is shown here") if settings.previews else words("only what was asked for here")
    return [
        words("Language: {language}", language=LANGUAGE_NAMES.get(settings.language, settings.language)),
        words("Time zone: {timezone}", timezone=words_of(settings.timezone)),
        words("Previews: {previews}", previews=previews),
    ]


def _list(title: str, rows: list[str], words: Words) -> Shown:
    """A list in one message; `title` may hold words already made harmless."""
    shown = rows[:MAX_LINES]
    blocks = [section(f"*{title}*"), *sections(shown), *_rest(len(rows), words)]
    return Shown(f"{title}: {_first(shown)}", blocks)


def _first(rows: Iterable[str]) -> str:
    return cut_markup("; ".join(row.replace("\n", " ") for row in rows), 300)


def _rest(total: int, words: Words) -> list[Block]:
    left = total - MAX_LINES
    if left <= 0:
        return []
    return [context(sentence(words("{count} more: ask for less, for example `history MUG-01`.", count=left)))]
