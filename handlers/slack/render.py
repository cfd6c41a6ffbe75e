"""Every Reply as Block Kit: `Shown.text` for notifications and screen readers, `Shown.blocks` to look at.

A card's picture is a file that was uploaded to Slack before; `Picture` says which, or where it went.
No block has a `block_id` yet: a new one each time it is shown is given by `chat.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from domain.picture import FindingLevel
from domain.replies import (
    AlreadyDecided,
    Card,
    CardReply,
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
    WhichProduct,
    WhichStore,
    Working,
)
from handlers.buttons import Button, buttons
from handlers.faces import STAGES, STEPS, Tone, alt_text, face, placed_words
from handlers.slack.blocks import (
    MAX_ACTIONS,
    MAX_BLOCKS,
    TEXT_CHARS,
    Block,
    Element,
    actions,
    button,
    confirm,
    context,
    cut,
    cut_markup,
    escaped,
    header,
    image,
    link,
    overflow,
    section,
    sections,
    sentence,
    when,
    words_of,
)
from handlers.words import Words

PRESS, MORE, SAY = "press", "more", "say"
"""How action ids begin: a token, the three dots, words that a press says for the person."""

SAYS = "say:"
"""How a value begins that is words to be said; every other value is a token."""

ICONS: dict[Tone, str] = {"wait": "⏳", "decide": "👉", "good": "✅", "warn": "⚠️", "bad": "❌", "quiet": "▫️"}
"""Beside the words, never instead of them."""

_FINDING_ICONS = {FindingLevel.WARNING: "⚠️", FindingLevel.NOTE: "•", FindingLevel.OK: "✓"}
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch"}
"""Each in itself, so that whoever needs one can read it."""

MAX_LINES = 40
"""Rows of a list in one message; each may be a block."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a card's picture is: a file to show, or in the thread when Slack would not show it inside."""

    file_id: str = ""
    is_in_thread: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message's two faces. `text` is escaped, since Slack reads it as mrkdwn."""

    text: str
    blocks: list[Block]


NO_PICTURE = Picture()


def render(reply: Reply, words: Words, picture: Picture = NO_PICTURE) -> Shown:  # noqa: C901 - one case a reply
    """Return what Slack shows for a reply, in the reader's language, within every limit."""
    match reply:
        case Working():
            shown = _working(reply, words)
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
            shown = _card(reply, reply.card, words, picture)
        case AlreadyDecided():
            shown = _already(reply, words)
        case Refused():
            said = sentence(words(reply.sentence))
            shown = Shown(said, [section(said)])
        case WhichProduct():
            shown = _which_product(reply, words)
        case WhichStore():
            asked = words("In which store should I replace the picture of {sku}?", sku=words_of(reply.sku))
            shown = _choice(asked, buttons(reply), words)
        case ProductShown():
            shown = _product(reply, words)
        case ProductList():
            shown = _products(reply, words)
        case HistoryShown():
            shown = _history(reply, words)
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
        case SettingsShown():
            shown = _settings(reply, words)
        case _:
            assert_never(reply)
    return Shown(cut_markup(shown.text, TEXT_CHARS) or "–", shown.blocks[:MAX_BLOCKS])


# ---------------------------------------------------------------- cards


def _working(reply: Working, words: Words) -> Shown:
    step, said = STAGES.get(reply.stage, (2, ""))
    told = words(said) if said else words("The next version is on its way.")
    name = words_of((reply.card.title if reply.card else "") or reply.sku or words("Your photo"))
    way = "  ›  ".join(
        f"✓ {words(each)}" if index < step else f"*{words(each)}*" if index == step else words(each)
        for index, each in enumerate(STEPS)
    )
    return Shown(f"{name}: {told}", [section(f"⏳ *{name}*\n{told}"), context(way)])


def _card(reply: CardReply, card: Card, words: Words, picture: Picture) -> Shown:
    today = face(reply, words)
    name = card.title or card.sku
    said = sentence(today.sentence)
    lead = f"{ICONS[today.tone]} *{today.state}*\n{said}"
    alt = alt_text(card, words)
    thumbnail = image(picture.file_id, alt) if picture.file_id and today.is_settled else None
    blocks: list[Block] = [header(name), section(lead, thumbnail)]
    if picture.file_id and not today.is_settled:
        blocks.append(image(picture.file_id, alt))
    elif picture.is_in_thread:
        blocks.append(context(words("🖼️ Slack could not show the picture here, so it is in the thread.")))
    blocks += sections(_placed(line, words) for line in today.placed[:MAX_LINES])
    if today.by and today.at:
        by = words_of(today.by)
        decided = words("Rejected by {by}", by=by) if today.is_rejected else words("Approved by {by}", by=by)
        blocks.append(context(decided, when(today.at, words)))
    if today.tone == "decide":
        blocks += _findings(card, words)
    blocks += [context(card_facts(card, words)), card_actions(card, buttons(reply), words)]
    return Shown(f"{words_of(name)}: {today.state}. {said}", blocks)


def _placed(line: Placed, words: Words) -> str:
    state, tone = placed_words(line, words)
    page = link(line.url, words("Open page"))
    told = f"{ICONS[tone]} *{words_of(line.store)}*  {state}{f'  ·  {page}' if page else ''}"
    return f"{told}\n{sentence(line.failure)}" if line.failure else told


def _findings(card: Card, words: Words) -> list[Block]:
    told = [
        f"{_FINDING_ICONS[finding.level]} {sentence(words.finding(finding))}"
        for finding in card.findings
        if finding.level is not FindingLevel.OK
    ]
    passed = [sentence(words.finding(finding)) for finding in card.findings if finding.level is FindingLevel.OK]
    blocks = sections(told)
    return [*blocks, context(f"✓ {' '.join(passed)}")] if passed else blocks


def card_facts(card: Card, words: Words) -> str:
    """Return a card's small print in one line."""
    facts = [words_of(card.sku), words_of(words.list(card.stores)) if card.stores else ""]
    if card.background:
        facts.append(words("Background: {background}", background=words_of(words(card.background))))
    if card.shadow:
        facts.append(words("Shadow: {shadow}", shadow=words_of(words(card.shadow))))
    if card.requested_by:
        facts.append(words("for {name}", name=words_of(card.requested_by)))
    return "  ·  ".join(fact for fact in facts if fact)


def card_actions(card: Card, pressable: tuple[Button, ...], words: Words) -> Block:
    """Return two actions to see, the rarer ones behind the dots; a question's answers stay together."""
    visible = [each for each in pressable if each.asks != "recipe"] or list(pressable[:1])
    folded = [each for each in pressable if each not in visible]
    elements = [_button(each, index, card, words) for index, each in enumerate(visible)]
    rarer = [(words("{action} with other options…", action=words(each.label)), each.token) for each in folded]
    rarer += [
        (words("Show the product"), f"{SAYS}product {as_word(card.sku)}"),
        (words("History"), f"{SAYS}history {as_word(card.sku)}"),
    ]
    dots = overflow(rarer, MORE)
    return actions([*elements, dots] if dots else elements)


def _button(each: Button, index: int, card: Card | None, words: Words) -> Element:
    asked = None
    if each.asks == "confirm" and card is not None and card.is_live:
        asked = confirm(
            words("Publish now?"),
            words(
                "Buyers will see the new picture of {product} on {stores} at once.",
                product=cut(card.title or card.sku, 100),
                stores=words.list(card.stores),
            ),
            words("Publish"),
            words("Not yet"),
        )
    return button(words(each.label), each.token, f"{PRESS}:{index}", style=each.style, confirm=asked)


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
    asked = words.count(
        "Which product is on this photo?", "Which product is on these {number} photos?", reply.photo_count
    )
    if reply.asked_sku:
        unknown = words("I know no product with the SKU {sku}.", sku=words_of(reply.asked_sku))
        asked = f"{unknown} {asked}"
    return _choice(asked, buttons(reply), words)


def _choice(asked: str, choices: tuple[Button, ...], words: Words) -> Shown:
    blocks = [section(asked)]
    if choices:
        blocks.append(actions([_button(each, index, None, words) for index, each in enumerate(choices[:MAX_ACTIONS])]))
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


def _history(reply: HistoryShown, words: Words) -> Shown:
    title = words("History of {sku}", sku=words_of(reply.sku)) if reply.sku else words("History")
    rows = [
        f"{when(line.at, words)}  *{words_of(line.who)}* {words_of(line.what)}"
        + (f"  {words_of(line.sku)}" if line.sku and not reply.sku else "")
        for line in reply.lines
    ]
    return _list(title, rows or [words("Nothing has happened yet.")], words)


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
    return Shown(words.list(counts), blocks)


def _stores(reply: StoreList, words: Words) -> Shown:
    rows = [
        f"*{words_of(line.name)}*  {words_of(line.platform)}  ·  "
        + words.count("{number} listing", "{number} listings", line.listing_count)
        + (f"  ·  {page}" if (page := link(line.url, words("Open page"))) else "")
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
    return Shown(f"{told} {code}", [section(f"{told}\n{code}"), context(until)])


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


def as_word(text: str) -> str:
    """Return text as one word of a command: SKUs may have spaces in them."""
    return f'"{text}"' if any(char.isspace() or char == "," for char in text) else text
