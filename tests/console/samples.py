"""One of every Reply, in words a shop would use and in words that try to break the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from domain.catalog import Sha256
from domain.health import QueueCounts
from domain.hint import FIELDS
from domain.people import Role
from domain.picture import Finding, FindingCode, FindingLevel
from domain.replies import (
    AlreadyDecided,
    Card,
    Compared,
    DecidedElsewhere,
    DecisionDue,
    EnhanceFailed,
    Expired,
    Guess,
    HelpLine,
    HelpShown,
    HistoryLine,
    HistoryShown,
    Invited,
    Joined,
    ListingLine,
    MemberLine,
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
    StoreLine,
    StoreList,
    Unclear,
    Version,
    WhichPart,
    WhichProduct,
    WhichStore,
    Working,
)
from domain.sentences import Sentence
from domain.sessions import Browser, BrowserSession, SessionsShown
from domain.tokens import ENHANCEMENT_ID_CHARS
from tests.console.connect_samples import connect_replies
from tests.console.data_samples import data_replies, health_lines
from tests.console.fakes import NOW
from tests.console.team_samples import team_replies
from tests.stock.alert_samples import alert_replies
from tests.stock.samples import stock_replies
from tests.stock.sync_samples import sync_replies

HOSTILE = "<b>x</b> & \"'{{ 7 * 7 }} 🏺 <script>alert(1)</script>"
LONG = "Hand-thrown stoneware mug with a very long name, " * 6 + "end"
ENHANCEMENT_ID = "e" * ENHANCEMENT_ID_CHARS
BEFORE, AFTER = Sha256("a" * 64), Sha256("b" * 64)
FINDINGS = (
    Finding(FindingCode.CUT_OFF, FindingLevel.WARNING, detail="left edge"),
    Finding(FindingCode.EXPOSURE, FindingLevel.NOTE, measured=0.4),
    Finding(FindingCode.WHITE, FindingLevel.OK),
    Finding(FindingCode.FILL, FindingLevel.OK, measured=0.86),
    Finding(FindingCode.SIZE, FindingLevel.OK, detail="2000 × 2000"),
)


def every_reply(
    title: str = "Stoneware mug, ocean blue",
    *,
    sku: str = "MUG-01",
    person: str = "Anna",
    store: str = "Shelf",
    url: str = "/shelf#mug",
    before: Sha256 = BEFORE,
    after: Sha256 = AFTER,
) -> tuple[Reply, ...]:
    """Return one of every type, in the union's order, with these words where people's words go."""
    card = Card(
        enhancement_id=ENHANCEMENT_ID,
        revision=2,
        sku=sku,
        title=title,
        stores=(store,),
        requested_by=person,
        background="white",
        shadow="contact",
        engine="builtin",
        before=before,
        after=after,
        findings=FINDINGS,
    )
    listing = ListingLine(store, title, url, "/shelf/photos/mug.jpg", 3, "€24.00", 12, sku)
    foreign = ListingLine(store, title, "javascript:alert(1)", "https://cdn.example/mug.jpg", 1, "€24.00", None, sku)

    def placed(state: str, failure: str = "") -> tuple[Placed, ...]:
        return (Placed("p1", store, state, url, failure),)

    return (
        Working(sku, "enhancing", card),
        PreviewReady(card),
        Publishing(card, person, NOW, placed("publishing")),
        Published(card, person, NOW, placed("live"), note=title),
        PublishFailed(card, person, NOW, (*placed("live"), *placed("publish_failed", title))),
        Unclear(card, placed("unclear")),
        Restoring(card, placed("restoring")),
        Restored(card, placed("restored")),
        RestoreFailed(card, placed("restore_failed", title)),
        Rejected(card, person, NOW, reason=title),
        Expired(card),
        EnhanceFailed(card, title),
        AlreadyDecided("approved", person, NOW, sku),
        Refused("bad_input", title),
        WhichProduct("q" * 22, (Guess(title, sku), Guess("Bowl", "BOWL-2")), 1, asked_sku=sku),
        WhichStore("q" * 22, sku, (Guess(store, "0"), Guess("All of them", "1"))),
        WhichPart(
            "q" * 22,
            ENHANCEMENT_ID,
            2,
            sku,
            title,
            "keep",
            (Guess("1", "10x20x30x40"), *(Guess(name, str(area)) for name, area in FIELDS.items())),
            1,
            before,
        ),
        Compared(sku, title, before, (Version(1, before), Version(2, after, f"shadow=soft {title}", 1, 2)), after),
        ProductShown(sku, (listing, foreign)),
        ProductList((listing, foreign), title, 2, 3, 27),
        HistoryShown(
            "",
            (
                HistoryLine(NOW, person, title, sku),
                HistoryLine(NOW, person, Sentence("approved it ({what})", what=title), sku),
            ),
            today=True,
            page=2,
            pages=3,
            total=31,
        ),
        StatusShown(
            "builtin",
            (store,),
            2,
            1,
            0,
            NOW - timedelta(hours=3),
            (f"Slack, since 4 Mar, 09:30: {title}",),
            health_lines(title, store, NOW),
            QueueCounts(1, 2, 3, 4, 5, 6),
        ),
        StoreList((StoreLine(store, "shelf", 8, url),)),
        HelpShown((HelpLine("enhance SKU… [on STORE…]", title, f"enhance {sku}"),)),
        Invited(f"code-{person}", Role.APPROVER, NOW + timedelta(days=7)),
        Joined(person, Role.EDITOR, store),
        MemberList((MemberLine(person, Role.ADMIN), MemberLine("Ben", Role.VIEWER))),
        SettingsShown("en", "Europe/Berlin", previews=True),
        DecisionDue(sku, title, person, NOW + timedelta(days=7)),
        DecidedElsewhere("rejected", person, NOW, sku, title, reason=title),
        SessionsShown(
            (
                BrowserSession("3fa9c1", Browser("Firefox, Linux", "203.0.113.9"), NOW, NOW),
                BrowserSession("77b0e2", Browser(), NOW, NOW),
            ),
            ended=1,
        ),
        *data_replies(title, person=person, store=store, now=NOW),
        *team_replies(person, store),
        *connect_replies(title, person=person, store=store),
        *stock_replies(title, sku=sku, person=person, store=store),
        *alert_replies(title, sku=sku, person=person, store=store, chart=after),
        *sync_replies(title, sku=sku, person=person, store=store),
    )


def named(replies: Sequence[Reply]) -> list[tuple[str, Reply]]:
    """Return each with the name of its golden: the class's, and its number where several samples are of one class."""
    seen: Counter[str] = Counter()
    found = []
    for reply in replies:
        name = type(reply).__name__
        seen[name] += 1
        found.append((name if seen[name] == 1 else f"{name}-{seen[name]}", reply))
    return found
