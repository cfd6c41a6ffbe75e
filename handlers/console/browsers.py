"""What a browser is called, from what it says of itself: enough to know one's own phone again."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from domain.sessions import Browser

_NAMES: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: they all claim to be the ones below as well."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
MAX_AGENT_CHARS: Final = 512


def browser_of(request: Request) -> Browser:
    """Return who asks. The address is what the gate found, which believes no header of a stranger."""
    peer = request.client.host if request.client is not None else ""
    return Browser(browser_name(request.headers.get("user-agent", "")), getattr(request.state, "address", peer))


def browser_name(agent: str) -> str:
    """Return `Firefox, Windows`, or what of it can be told; never the words of the agent itself."""
    said = agent[:MAX_AGENT_CHARS]
    found = [next((name for sign, name in table if sign in said), "") for table in (_NAMES, _SYSTEMS)]
    return ", ".join(name for name in found if name)
