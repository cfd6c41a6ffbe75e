"""How an answer about connecting reads, in the reader's language; each chat then draws it in its own way.

Texts are plain words with our `commands` in backticks: a chat makes them harmless, and its commands pressable.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from domain.connect_replies import (
    ConnectOffered,
    ConnectReply,
    DisconnectAsked,
    PermissionMissing,
    PermissionsShown,
    ScopeLine,
    StoreConnected,
    StoreDisconnected,
    StorePermissions,
)
from domain.connecting import UNUSED_AFTER, FeatureName
from domain.tokens import Action, Token
from handlers.button import Button
from handlers.words import ENGLISH, Words, text

FEATURE_LABELS: dict[FeatureName, str] = {
    FeatureName.PICTURES: text("Pictures"),
    FeatureName.STOCK: text("Stock"),
    FeatureName.STOCK_WRITING: text("Changing stock"),
    FeatureName.ORDERS: text("Orders"),
    FeatureName.SHIPPING: text("Shipping"),
}
FEATURE_USES: dict[FeatureName, str] = {
    FeatureName.PICTURES: text("Find products by SKU, publish pictures, and put the old ones back"),
    FeatureName.STOCK: text("Show how many there are, and warn before they run out"),
    FeatureName.STOCK_WRITING: text("Change stock, so that every store shows the same number"),
    FeatureName.ORDERS: text("Read what was ordered and how many, so that stock stays true"),
    FeatureName.SHIPPING: text("Mark orders as sent, with carrier and tracking number"),
}
"""What a feature is good for, for whoever decides on it."""
_PLAIN = re.compile(r"[^\W_]+(?:[ .&'-]+[^\W_]+)*")
ALLOW = text("Allow it")
YES_DISCONNECT = text("Yes, disconnect")


@dataclass(frozen=True, slots=True)
class ConnectRow:
    """One line: `label` stands out, `said` beside it, `notes` below it."""

    label: str
    said: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectFace:
    """`icon` goes with the title and says nothing that the words do not; a link is one address to open."""

    icon: str
    title: str
    rows: tuple[ConnectRow, ...] = ()
    hint: str = ""
    link_label: str = ""
    link_url: str = ""


def connect_face(reply: ConnectReply, words: Words = ENGLISH) -> ConnectFace:
    """Return a reply in words."""
    match reply:
        case ConnectOffered():
            return _offered(reply, words)
        case StoreConnected():
            return _connected(reply, words)
        case PermissionMissing():
            return _missing(reply, words)
        case DisconnectAsked():
            return _asked(reply, words)
        case StoreDisconnected():
            return _disconnected(reply, words)
        case PermissionsShown():
            rows = tuple(row for store in reply.stores for row in _permissions(store, words))
            nothing = ConnectRow(
                "", words("No store is connected that needs rights. `connect shopify my-shop` begins.")
            )
            hint = words("`reconnect STORE orders` allows one thing more, `disconnect STORE` takes all of it back.")
            return ConnectFace("🔑", words("What I may do"), rows or (nothing,), hint if rows else "")
        case _:
            assert_never(reply)


def connect_buttons(reply: ConnectReply) -> tuple[Button, ...]:
    """Return what can be pressed on a reply about connecting."""
    match reply:
        case PermissionMissing() if reply.feature:
            number = list(FeatureName).index(FeatureName(reply.feature))
            return (Button(ALLOW, str(Token(Action.ALLOW, reply.store_id, number)), "primary"),)
        case DisconnectAsked():
            return (Button(YES_DISCONNECT, str(Token(Action.DISCONNECT, reply.store_id, reply.number)), "danger"),)
        case _:
            return ()


def feature_label(name: str, words: Words) -> str:
    """Return what people call a feature; a name we no longer know as it is."""
    known = next((label for feature, label in FEATURE_LABELS.items() if feature.value == name), "")
    return words(known) if known else name


def _offered(reply: ConnectOffered, words: Words) -> ConnectFace:
    rows = []
    if reply.scope:
        rows.append(ConnectRow("", words("The right {scope} was missing for that.", scope=reply.scope)))
    if reply.features:
        wanted = words.list([feature_label(name, words) for name in reply.features])
        rows.append(
            ConnectRow("", words("It asks for this on top of what I may already: {features}.", features=wanted))
        )
    rows.append(ConnectRow("", words("Only for you, good once, until {time}.", time=words.time(reply.expires_at))))
    if reply.is_local:
        here = words("Open it in a browser on the machine I run on; with PUBLIC_URL set it opens anywhere.")
        rows.append(ConnectRow("", here))
    title = words("Connect {store} again", store=reply.store) if reply.store else ""
    title = title or words("Connect your {platform} store", platform=reply.platform)
    return ConnectFace("🔗", title, tuple(rows), link_label=words("Choose what I may do"), link_url=reply.url)


def _connected(reply: StoreConnected, words: Words) -> ConnectFace:
    title = (
        words("Connected again: {store}", store=reply.store)
        if reply.is_again
        else words("Connected: {store}", store=reply.store)
    )
    listings = words.count("{number} listing", "{number} listings", reply.listing_count)
    may = words.list([feature_label(name, words) for name in reply.features])
    rows = [ConnectRow(reply.account, f"{reply.platform} · {listings}")]
    if may:
        rows.append(ConnectRow("", words("I may: {features}. By {name}.", features=may, name=reply.by)))
    rows += [ConnectRow("", words.sentence(note)) for note in reply.notes]
    hint = words("Try `products`, or send a photo. `permissions` shows what I may do.")
    return ConnectFace("✅", title, tuple(rows), hint)


def _missing(reply: PermissionMissing, words: Words) -> ConnectFace:
    title = words("{store} does not let me do that yet", store=reply.store)
    scope = reply.scope or words("for it")
    if not reply.feature:
        said = words("The right {scope} is missing: an admin grants it there.", scope=scope)
        return ConnectFace("🔒", title, (ConnectRow("", said),))
    feature = feature_label(reply.feature, words)
    said = words("The right {scope} is missing; it belongs to “{feature}”.", scope=scope, feature=feature)
    hint = words(
        "An admin presses “Allow it”, or sends `reconnect {store} {name}`.",
        store=_typed(reply.store),
        name=reply.feature,
    )
    return ConnectFace("🔒", title, (ConnectRow("", said),), hint)


def _asked(reply: DisconnectAsked, words: Words) -> ConnectFace:
    title = words("Disconnect {store}?", store=reply.store)
    goes = words("Its keys, tokens and rights are deleted here, and what is on its way there stops.")
    stays = words("Your history, and the pictures that are in the shop, stay as they are.")
    there = (
        words("I also end my access at {platform}.", platform=reply.platform)
        if reply.is_revoked
        else words("{platform} does not let me end my access myself: afterwards end it there too ({where}).",
                   platform=reply.platform, where=reply.taken_away_at)
    )  # fmt: skip
    return ConnectFace("⚠️", title, tuple(ConnectRow("", one) for one in (goes, there, stays)))


def _disconnected(reply: StoreDisconnected, words: Words) -> ConnectFace:
    title = words("Disconnected: {store}", store=reply.store)
    rows = [
        words(
            "Deleted here, by {name}: its keys, its tokens, its rights, what I remembered of its listings.",
            name=reply.by,
        )
    ]
    if reply.is_revoked:
        rows.append(words("My access at {platform} has ended.", platform=reply.platform))
    else:
        rows.append(
            words(
                "My access at {platform} is yours to end: {where}.", platform=reply.platform, where=reply.taken_away_at
            )
        )
    if reply.ended:
        rows.append(words.count("{number} picture on its way there was stopped; its card says so.",
                                "{number} pictures on their way there were stopped; their cards say so.", reply.ended))  # fmt: skip
    rows.append(words("The history stays, and so do the pictures in the shop."))
    return ConnectFace("👋", title, tuple(ConnectRow("", one) for one in rows))


def _permissions(store: StorePermissions, words: Words) -> list[ConnectRow]:
    rows = [
        ConnectRow(
            store.store,
            "" if store.platform == store.store else store.platform,
            (words.sentence(store.trouble),) if store.trouble else (),
        )
    ]
    for line in sorted(store.given, key=lambda line: line.used_at is None):
        used = words("used, last {time}", time=words.time(line.used_at)) if line.used_at else words("not used yet")
        mark = "✓" if line.used_at else "○"
        rows.append(ConnectRow("", f"{mark} {_scope(line, words)}: {used}", _idle(line, store.store, words)))
    for line in store.missing:
        ask = words("`reconnect {store} {name}` asks for it", store=_typed(store.store), name=line.feature)
        rows.append(ConnectRow("", f"✗ {_scope(line, words)}: {words('missing')}; {ask}"))
    return rows


def _typed(store: str) -> str:
    """Return a store's name as it is typed in a command; one that no chat shows as it is stays with its reader."""
    return store if _PLAIN.fullmatch(store) else "NAME"


def _scope(line: ScopeLine, words: Words) -> str:
    return f"{line.scope} ({feature_label(line.feature, words)})" if line.feature else line.scope


def _idle(line: ScopeLine, store: str, words: Words) -> tuple[str, ...]:
    if not line.is_idle:
        return ()
    hint = words(
        "Unused for {days} days: give it back by leaving it out with `reconnect {store}`.",
        days=UNUSED_AFTER.days,
        store=_typed(store),
    )
    return (hint,)
