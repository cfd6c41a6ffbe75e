"""Hostile requests by kind: generated over the application's own route list, and made from what a thief would have."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from domain.catalog import PlatformName
from tests.fakes.slack_people import signed
from tests.trust.hostile.drive import Ask
from tests.trust.hostile.house import HOOKS, HOST, JSON, ORIGIN, House, raw, webhook_body, webhook_headers

OPEN: Final = ("/", "/healthz", "/readyz", "/console/static/{name}", "/shelf")
"""Whoever asks for these may have them; /shelf with everything under it."""
TRAVERSALS: Final = (
    "../local.key", "..%2flocal.key", "%2e%2e%2flocal.key", "%252e%252e%252fsecret.key", "....//....//local.key",
    "..\\..\\local.key", "..%5c..%5csecret.key", "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd",
    "console.js/../../pages.py", "..;/secret.key", "%c0%ae%c0%ae/local.key", "..%00/local.key", "packshot.db%00.css",
    "../../../../../../proc/self/environ", "~/.ssh/id_rsa", "C:\\windows\\win.ini", "..%u2215local.key",
)  # fmt: skip
INSIDE: Final = (
    "http://127.0.0.1:8080/metrics", "http://localhost:22", "http://[::1]/", "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/", "http://10.0.0.1/", "http://192.168.0.1/admin", "http://2130706433/",
    "http://0x7f000001/", "http://127.1/", "http://[::ffff:169.254.169.254]/", "http://0/", "gopher://127.0.0.1:6379/_x",
    "file:///etc/passwd", "dict://127.0.0.1:11211/stat", "ftp://127.0.0.1/", "http://shop.example@169.254.169.254/",
    "https://evil.example/", "//evil.example/", "https:evil.example", "/\\evil.example", "javascript:alert(1)",
    "http://localtest.me/", "http://127.0.0.1.nip.io/", "https://tea.myshopify.com.evil.example/",
    "https://tea.myshopify.com@evil.example/", "tea.myshopify.com/../../evil", "evil.example#.myshopify.com",
)  # fmt: skip
MARKUP: Final = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}", "${7*7}", "' OR 1=1 --",
    "\r\nSet-Cookie: packshot_console=x", "%0d%0aLocation: https://evil.example", "\x00", "\u202e\u2066", "=cmd|' /C calc'!A0",
    "*bold* <@U1|x> <!channel>", "[x](javascript:alert(1))", "<b>", "𝕏" * 40, "A" * 3_000, "%s%n%x", "$(id)", "`id`",
    "../../x", "\ud7ff", "null", "-1", "9" * 400, "1e999", "[]", "true",
)  # fmt: skip
PARAMETERS: Final = (
    "code", "state", "shop", "hmac", "host", "next", "url", "redirect_uri", "return_to", "after", "link", "platform",
    "join", "error", "oauth_token", "spapi_oauth_code", "selling_partner_id", "user_id", "success", "timestamp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """A route of the application: its path with `{names}`, and what it takes."""

    path: str
    methods: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether anybody may have its answer."""
        return any(self.path == known or self.path.startswith(f"{known.rstrip('/') or '//'}/") for known in OPEN) or (
            self.path in OPEN
        )


def ways_of(app: Starlette) -> list[Way]:
    """Return every route there is, so that a new one is attacked without being told."""

    def walk(routes: Iterable[object], prefix: str) -> Iterable[Way]:
        for route in routes:
            if isinstance(route, Mount):
                yield from walk(route.routes, prefix + route.path)
            elif isinstance(route, Route):
                yield Way(prefix + route.path, tuple(sorted(route.methods or ())))

    return list(walk(app.routes, ""))


def collected(strategy: st.SearchStrategy[Ask], count: int, number: int) -> list[Ask]:
    """Return this many examples, the same ones for the same number."""
    found: list[Ask] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(ask: Ask) -> None:
        found.append(ask)

    take()
    return found


def generated(house: House, *, per_kind: int, number: int) -> list[Ask]:
    """Return all kinds, `per_kind` of each that is drawn, and every one that is made by hand."""
    ways = ways_of(house.app)
    kinds: Sequence[st.SearchStrategy[Ask]] = (
        fuzz(ways), traversals(ways), inside(ways), markup(ways), keys(ways, house), foreign_pages(ways, house), codes(house),
        slack(), telegram(), stores(house), media(house), oversized(ways), files(house),
    )  # fmt: skip
    drawn = [ask for index, kind in enumerate(kinds) for ask in collected(kind, per_kind, number + index)]
    return [*sweep(ways, house), *drawn, *house.replays]


def sweep(ways: Sequence[Way], house: House) -> Iterable[Ask]:
    """Every route by every method that it takes: by a stranger, and by a member's browser that another site sends."""
    theirs = raw({"Host": HOST, "Origin": "https://evil.example", "Cookie": f"packshot_console={house.cookie}"})
    for way in ways:
        path = re.sub(r"\{[^}]*\}", "x", way.path)
        for method in way.methods:
            yield Ask("every route", way.path, method, path, headers=_PAGE, is_open=way.is_open)
            if method == "POST":
                yield Ask("every route", way.path, method, path, headers=theirs, is_open=way.is_open)


# ---------------------------------------------------------------- parts

_TEXT = st.text(max_size=60) | st.sampled_from(MARKUP)
_NASTY = st.sampled_from((*TRAVERSALS, *INSIDE, *MARKUP)) | st.text(max_size=40)
_ENCODED = st.sampled_from([
    lambda text: quote(text, safe="", errors="replace"),
    lambda text: quote(text, safe="/:@", errors="replace"),
    lambda text: quote(quote(text, safe="", errors="replace"), safe=""),
])  # fmt: skip


@st.composite
def _path(draw: st.DrawFn, way: Way, values: st.SearchStrategy[str] = _NASTY) -> str:
    path = way.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + draw(_ENCODED)(draw(values)) + rest.partition("}")[2]
    return path


@st.composite
def _query(draw: st.DrawFn, values: st.SearchStrategy[str] = _NASTY) -> bytes:
    pairs = draw(st.lists(st.tuples(st.sampled_from(PARAMETERS), values), max_size=4))
    return "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in pairs).encode()


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | _TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3), max_leaves=8)  # fmt: skip
_BODY = st.one_of(
    st.binary(max_size=300),
    _JSON.map(lambda value: json.dumps(value).encode("utf-8", "replace")),
    st.dictionaries(st.sampled_from(PARAMETERS), _NASTY, max_size=4).map(lambda form: "&".join(f"{k}={quote(v, safe='', errors='replace')}" for k, v in form.items()).encode()),
    st.sampled_from([b"[" * 50_000, b"{" * 50_000, b'{"a":' * 20_000, b"\xff\xfe", b"--x\r\n", b"--x--\r\n", b"a=" + b"%" * 500]),
)  # fmt: skip
_TYPES = st.sampled_from(["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "image/jpeg", "", "application/json; charset=utf-7"])  # fmt: skip
_HEADER = st.tuples(
    st.sampled_from([b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"x-original-url", b"x-rewrite-url", b"x-http-method-override", b"range", b"if-none-match", b"last-event-id", b"x-event-id", b"x-packshot-as", b"x-packshot-team", b"accept-language", b"transfer-encoding", b"expect", b"cookie", b"referer", b"user-agent"]),
    _TEXT.map(lambda text: text.encode("utf-8", "replace")[:500].replace(b"\r", b" ").replace(b"\n", b" ")),
)  # fmt: skip
_PAGE = ((b"host", HOST.encode()), (b"origin", ORIGIN.encode()))


@st.composite
def _ask(
    draw: st.DrawFn,
    kind: str,
    ways: Sequence[Way],
    values: st.SearchStrategy[str] = _NASTY,
    *,
    body: st.SearchStrategy[bytes] = _BODY,
) -> Ask:
    way = draw(st.sampled_from(ways))
    method = draw(st.sampled_from(way.methods) if way.methods else st.just("GET"))
    headers = [*_PAGE, (b"content-type", draw(_TYPES).encode())]
    content = draw(body) if method == "POST" else b""
    return Ask(kind, way.path, method, draw(_path(way, values)), draw(_query(values)), headers, content, is_open=way.is_open)  # fmt: skip


# ---------------------------------------------------------------- kinds


@st.composite
def fuzz(draw: st.DrawFn, ways: Sequence[Way]) -> Ask:
    """Anything at all, at every route and beside them."""
    ask: Ask = draw(_ask("fuzz", ways))
    method = draw(
        st.sampled_from([ask.method, ask.method, "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "X" * 50])
    )
    more = draw(st.lists(_HEADER, max_size=5))
    path = draw(
        st.sampled_from(
            [ask.path, ask.path + "/", ask.path + "//x", "/" + ask.path, ask.path.upper(), ask.path + ";x=1"]
        )
    )
    # A method that a route does not take may be one that another route of the same path does.
    return replace(
        ask, method=method, path=path, headers=[*ask.headers, *more], is_open=ask.is_open or path.startswith("/shelf")
    )


@st.composite
def traversals(draw: st.DrawFn, ways: Sequence[Way]) -> Ask:
    """Ways out of a folder, where a route takes a name."""
    named = [way for way in ways if "{" in way.path]
    return replace(draw(_ask("traversal", named, st.sampled_from(TRAVERSALS))), is_open=False)


@st.composite
def inside(draw: st.DrawFn, ways: Sequence[Way]) -> Ask:
    """Addresses of private networks and of other sites, wherever an address, a shop or a way back could stand."""
    ask: Ask = draw(_ask("inside", ways, st.sampled_from(INSIDE)))
    address = draw(st.sampled_from(INSIDE)).encode()
    return replace(ask, headers=[*ask.headers, (b"x-forwarded-host", address), (b"referer", address)])


@st.composite
def markup(draw: st.DrawFn, ways: Sequence[Way]) -> Ask:
    """Words that would be code in a page, a header, a query or a spreadsheet."""
    ask: Ask = draw(_ask("markup", ways, st.sampled_from(MARKUP)))
    return replace(ask, headers=[*ask.headers, (b"cookie", draw(st.sampled_from(MARKUP)).encode("utf-8", "replace"))])


@st.composite
def keys(draw: st.DrawFn, ways: Sequence[Way], house: House) -> Ask:
    """Keys and cookies that are nearly right, or were right once."""
    ask: Ask = draw(_ask("key", [way for way in ways if not way.is_open]))
    key = draw(st.sampled_from(_near(house.local_key)))
    cookie = draw(st.sampled_from([*house.cookies, *_near(house.cookie), "", "x" * 4_000]))
    header = draw(st.sampled_from([(b"authorization", f"Bearer {key}".encode()), (b"authorization", f"Basic {key}".encode()), (b"cookie", f"packshot_console={cookie}".encode()), (b"cookie", f"packshot_console={cookie}; packshot_console={cookie}".encode())]))  # fmt: skip
    return replace(ask, headers=[*ask.headers, header])


@st.composite
def foreign_pages(draw: st.DrawFn, ways: Sequence[Way], house: House) -> Ask:
    """A member's own browser, sent by another site's page: the cookie is right, and nothing else."""
    ask: Ask = draw(_ask("foreign page", [way for way in ways if "POST" in way.methods and way.path.startswith(("/console", "/connect", "/status"))]))  # fmt: skip
    origin = draw(
        st.sampled_from(
            ["", "null", "https://evil.example", f"http://{HOST}.evil.example", f"https://{HOST}@evil.example", ORIGIN]
        )
    )
    csrf = draw(st.sampled_from(["", *_near(house.csrf)]))
    host = draw(st.sampled_from([HOST, "evil.example", "127.0.0.1.evil.example"]))
    headers = {"Host": host, "Origin": origin, "X-CSRF": csrf, "Cookie": f"packshot_console={house.cookie}", "Content-Type": "multipart/form-data; boundary=x"}  # fmt: skip
    body = b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nhelp\r\n--x--\r\n'
    return replace(ask, method="POST", headers=raw(headers), body=body)


@st.composite
def codes(draw: st.DrawFn, house: House) -> Ask:
    """Codes that were used, have ended, or were guessed."""
    code = draw(
        st.sampled_from([*house.codes, *house.cookies, *_near(house.codes[0])])
        | st.text(string.ascii_letters + string.digits + "-_", max_size=50)
    )
    if draw(st.booleans()):
        return Ask("code", "/console", "GET", "/console", f"code={quote(code, safe='')}".encode(), _PAGE)
    form = f"code={quote(code, safe='')}&name={quote(draw(_TEXT), safe='', errors='replace')}".encode()
    headers = [*_PAGE, (b"content-type", b"application/x-www-form-urlencoded")]
    return Ask("code", "/console/join", "POST", "/console/join", headers=headers, body=form)


@st.composite
def slack(draw: st.DrawFn) -> Ask:
    """Events that Slack did not sign, did not sign now, or signed otherwise."""
    body = draw(st.sampled_from([b'{"type":"event_callback","event":{"type":"message"}}', b"command=%2Fpackshot&text=status&user_id=U1", b'{"type":"url_verification","challenge":"x"}', b"payload=%7B%7D", b""]))  # fmt: skip
    forged = draw(st.sampled_from([
        {}, signed(body, secret="another"), signed(body, age_s=301), signed(body, age_s=-3_600), signed(body, age_s=10**8),
        signed(body + b" "), {**signed(body), "X-Slack-Signature": ""}, {**signed(body), "X-Slack-Signature": "v0=" + "0" * 64},
        {**signed(body), "X-Slack-Request-Timestamp": "x"}, {**signed(body), "X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Signature": signed(body)["X-Slack-Signature"]}, {**signed(body), "X-Slack-Signature": signed(body)["X-Slack-Signature"].replace("v0", "v1")},
    ]))  # fmt: skip
    kind = draw(st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
    return Ask(
        "slack", "/slack/events", "POST", "/slack/events", headers=raw({**forged, "Content-Type": kind}), body=body
    )


@st.composite
def telegram(draw: st.DrawFn) -> Ask:
    """Updates by somebody who does not know the secret."""
    secret = draw(st.sampled_from(["", "x", "the-secret-that-telegram-tells-u", "the-secret-that-telegram-tells-us ", "THE-SECRET-THAT-TELEGRAM-TELLS-US", "ü"]) | st.text(max_size=40))  # fmt: skip
    body = draw(_BODY | st.just(b'{"update_id": 7, "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "/start x"}}'))  # fmt: skip
    headers = [(b"x-telegram-bot-api-secret-token", secret.encode("utf-8", "replace")), *raw(JSON)]
    return Ask("telegram", "/telegram/webhook", "POST", "/telegram/webhook", headers=headers, body=body)


@st.composite
def stores(draw: st.DrawFn, house: House) -> Ask:
    """Deliveries that a store did not sign, signed for another body or shop, or long ago."""
    platform = draw(st.sampled_from(sorted(house.stores)))
    body, other = webhook_body(platform, draw(st.integers(1, 10**9))), webhook_body(platform, 1)
    forged = draw(st.sampled_from([
        {}, webhook_headers(platform, body, secret="another"), webhook_headers(platform, other + b" "),
        dict.fromkeys(webhook_headers(platform, body), ""), dict.fromkeys(webhook_headers(platform, body), "ü"),
    ]))  # fmt: skip
    if platform is PlatformName.ETSY and draw(st.booleans()):
        forged = webhook_headers(platform, body, age_s=draw(st.sampled_from([301, -400, 86_400])))
    target = draw(st.sampled_from([house.stores[platform], "nobody", "../x", "%00", *house.stores.values()]))
    if target != house.stores[platform] and draw(st.booleans()):
        forged = webhook_headers(platform, body)  # signed well, for another one's address
    path = f"/webhooks/{platform.value}/{quote(target, safe='%')}"
    return Ask("store", HOOKS, "POST", path, headers=raw({**forged, **JSON}), body=body)


@st.composite
def media(draw: st.DrawFn, house: House) -> Ask:
    """Addresses of pictures that have ended, were cut, or were put together from others."""
    digest, ends, signature = house.living_link.rpartition("/")[2].removesuffix(".jpg").split(".")
    later = f"{int(ends, 16) + draw(st.integers(1, 10**9)):x}"
    _, old_ends, old_signature = house.links[0].rpartition("/")[2].removesuffix(".jpg").split(".")
    cut = draw(st.integers(0, len(signature) - 1))
    name = draw(st.sampled_from([
        f"{digest}.{later}.{signature}", f"{digest}.{old_ends}.{old_signature}", f"{digest}.{ends}.{old_signature}",
        f"{digest}.{ends}.{signature[:cut]}", f"{digest}.{ends}.{signature[:cut]}A{signature[cut + 1:]}A", f"{digest}..{signature}",
        f"{digest}.{ends.upper()}.{signature}x", house.photo, f"{house.photo}.{ends}.{signature}", "", ".", "a.b.c", *TRAVERSALS,
    ]))  # fmt: skip
    path = draw(st.sampled_from(["/media/{}.jpg", "/media/{}", "/console/photos/{}", "/shelf/images/x/{}"]))
    return Ask(
        "media",
        "/media/{signed}",
        draw(st.sampled_from(["GET", "HEAD"])),
        path.format(quote(name, safe=".%")),
        headers=_PAGE,
    )


@st.composite
def oversized(draw: st.DrawFn, ways: Sequence[Way]) -> Ask:
    """Too much of everything: told, untold, and told wrongly."""
    way = draw(st.sampled_from(ways))
    size = draw(st.sampled_from([70_000, 1_100_000, 2_100_000]))
    told = draw(st.sampled_from([None, b"1", b"0", b"-1", b"1e3", b"99999999999999999999", str(size).encode()]))
    headers = [*_PAGE, (b"content-type", b"application/json")]
    path, query = draw(_path(way)), b""
    match draw(st.sampled_from(["body", "path", "query", "headers", "header"])):
        case "body":
            headers += [(b"content-length", told)] if told is not None else []
            return Ask(
                "oversized", way.path, "POST", path, headers=headers, body=b"x" * size, tells_length=told is not None
            )
        case "path":
            path += "/" + "x" * 3_000
        case "query":
            query = b"code=" + b"x" * 9_000
        case "headers":
            headers += [(f"x-{number}".encode(), b"y") for number in range(150)]
        case "header":
            headers.append((b"x-long", b"y" * 40_000))
    return Ask("oversized", way.path, "GET", path, query, headers)


@st.composite
def files(draw: st.DrawFn, house: House) -> Ask:
    """Uploads with names that are paths or headers, by somebody who is not signed in."""
    name = draw(st.sampled_from((*TRAVERSALS, *MARKUP))).replace("\r", "").replace("\n", "").replace('"', "%22")
    field = draw(st.sampled_from(["photo", "text", "token", "set", "../x", ""]))
    part = (
        f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    body = part.encode("utf-8", "replace") + draw(st.binary(max_size=100)) + b"\r\n--x--\r\n"
    cookie = draw(st.sampled_from(["", *house.cookies]))
    headers = [
        *_PAGE,
        (b"content-type", b"multipart/form-data; boundary=x"),
        (b"cookie", f"packshot_console={cookie}".encode()),
    ]
    path = draw(st.sampled_from(["/console/say", "/console/press"]))
    return Ask("file", path, "POST", path, headers=headers, body=body)


def _near(secret: str) -> list[str]:
    """Return what is nearly a secret; never the secret itself."""
    flipped = ("B" if secret[0] == "A" else "A") + secret[1:]
    return [
        flipped,
        secret[:-1],
        secret + "x",
        secret[::-1],
        secret.swapcase(),
        secret[: len(secret) // 2],
        "",
        "null",
        "undefined",
    ]
