"""The templates, filled: everything autoescaped, and the few words that all of them need.

Nothing here carries a script or a style of its own; the page's policy would refuse both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from domain.people import Member
from handlers.console.guard import Refusal

_HERE = Path(__file__).parent
_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def console_page(*, member: Member, csrf: str, max_upload_bytes: int, cursor: int) -> str:
    """Return the chat for a member; it starts with the lines after `cursor`."""
    return fill("page.html", member=member, csrf=csrf, max_upload_bytes=max_upload_bytes, cursor=cursor)


def login_page(*, problem: str = "", code: str = "", name: str = "") -> str:
    """Return what a stranger sees; `code` and `name` are what they typed before."""
    return fill("login.html", problem=problem, code=code, name=name)


def bounce_page() -> str:
    """Return a page that opens /console by itself."""
    return fill("bounce.html")


def fill(template: str, **words: object) -> str:
    """Return a template with its words; a missing word raises, it never becomes an empty place."""
    return _environment().get_template(template).render(**words)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["when"] = when
    environment.filters["link"] = safe_link
    environment.filters["word"] = as_word
    environment.filters["pressable"] = pressable
    environment.filters["coded"] = coded
    return environment


def when(moment: datetime) -> Markup:
    """Return a time that the page rewrites for the reader's own zone; UTC until then."""
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime("%d %b %Y, %H:%M UTC"))


def safe_link(url: str) -> str:
    """Return an address to follow, empty for anything but http, https and our own paths."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.netloc:
        return url
    return url if not parts.scheme and not parts.netloc and url.startswith("/") else ""


def as_word(text: str) -> str:
    """Return text as one word of a command: SKUs may have spaces in them."""
    return f'"{text}"' if any(char.isspace() or char == "," for char in text) else text


def pressable(sentence: str) -> Markup:
    """Return our own sentence with its `commands` as buttons that put them into the message box.

    What a person types into a shell is shown, not pressed.
    """
    shown = Markup("")
    for index, part in enumerate(sentence.split("`")):
        if index % 2 == 0:
            shown += part
        elif part.startswith("packshot "):
            shown += Markup("<code>{}</code>").format(part)
        else:
            shown += Markup('<button type="button" class="command" data-fill="{0}">{0}</button>').format(part)
    return shown


def coded(sentence: str) -> Markup:
    """Return our own sentence with its `commands` as code, on a page that has no message box to put them into."""
    shown = Markup("")
    for index, part in enumerate(sentence.split("`")):
        shown += Markup("<code>{}</code>").format(part) if index % 2 else part
    return shown


def static_files() -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint for the page's own files, read once, revalidated by their hash."""
    files = {path.name: path.read_bytes() for path in (_HERE / "static").iterdir() if path.suffix in _STATIC_TYPES}
    etags = {name: f'"{hashlib.sha256(content).hexdigest()[:20]}"' for name, content in files.items()}

    async def static_file(request: Request) -> Response:
        name: str = request.path_params["name"]
        if name not in files:
            raise Refusal(404, "There is no such file.")
        headers = {"ETag": etags[name], "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == etags[name]:
            return Response(status_code=304, headers=headers)
        return Response(files[name], media_type=_STATIC_TYPES[Path(name).suffix], headers=headers)

    return static_file
