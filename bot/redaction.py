"""What no log line may carry, and how it is cut out: by value and by pattern.

By value: every secret of the settings, and every token and credential as it is opened (`Redactor.remember`), in
each spelling that an address or a header gives it. By pattern: what looks like somebody's key although nobody
told us of it, such as one that a store echoes in an error. One registry for the process, since logging is one too.
"""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

CUT: Final = "•••"
SHORTEST_CHARS: Final = 8
"""Shorter ones would cut holes into ordinary words."""
MOST_REMEMBERED: Final = 20_000

_NAMES = (
    "access_token|refresh_token|id_token|auth_token|token|client_secret|shared_secret|consumer_secret|consumer_key|"
    "secret|api_?key|key|password|passwd|signature|sig|hmac|code_verifier|code|state|x-amz-signature|x-amz-credential|"
    "x-amz-security-token|awsaccesskeyid"
)
_HEADERS = (
    "authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-amz-access-token|x-shopify-access-token|"
    "x-slack-signature|x-telegram-bot-api-secret-token|x-csrf"
)
_END = r"[^&\s\"'<>\\,;)}\]]+"
_PATTERNS: Final = (
    (re.compile(r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{6,}"), CUT),
    (re.compile(r"shp[a-z]{2}_[A-Za-z0-9]{8,}"), CUT),
    (re.compile(r"Atz[a-z]\|[A-Za-z0-9_+/=-]{6,}"), CUT),
    (re.compile(r"amzn1\.oa2-cs\.v1\.[A-Za-z0-9]+"), CUT),
    (re.compile(r"c[ks]_[0-9a-f]{20,}"), CUT),
    (re.compile(r"\d{6,}:AA[A-Za-z0-9_-]{20,}"), CUT),
    (re.compile(r"gAAAAA[A-Za-z0-9_=-]{40,}"), CUT),
    (re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"), CUT),
    (re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}"), CUT),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=|:-]{8,}"), rf"\1 {CUT}"),
    (re.compile(rf"(?i)([?&;#](?:{_NAMES})=){_END}"), rf"\1{CUT}"),
    (re.compile(rf"(?i)((?:{_HEADERS})['\"]?\s*[:=]\s*['\"]?)(?:(?:bearer|basic)\s+)?{_END}"), rf"\1{CUT}"),
    (re.compile(rf"(?i)(['\"](?:{_NAMES})['\"]\s*:\s*['\"]){_END}"), rf"\1{CUT}"),
    (re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+@"), rf"\1{CUT}@"),
    (re.compile(r"(/(?:media|connect|export|slack/oauth_redirect|webhooks/[a-z]+)/)[A-Za-z0-9_.~-]{16,}"), rf"\1{CUT}"),
)  # fmt: skip
_SECRET_FIELDS: Final = re.compile(rf"(?i)^(?:{_NAMES.replace('|code|state', '')}|{_HEADERS}|.*_token|.*_secret)$")


class Redactor:
    """Cuts secrets out of text and of whatever holds text. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, None] = {}
        self._by_value: re.Pattern[str] | None = None

    def remember(self, *secrets: str) -> None:
        """Cut these out from now on, in every spelling; too short ones are left alone. The oldest are forgotten."""
        spellings = [way for secret in secrets if len(secret) >= SHORTEST_CHARS for way in _spellings(secret)]
        with self._lock:
            fresh = [way for way in spellings if way not in self._known]
            if not fresh:
                return
            self._known |= dict.fromkeys(fresh)
            while len(self._known) > MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            longest_first = sorted(self._known, key=len, reverse=True)
            self._by_value = re.compile("|".join(re.escape(way) for way in longest_first))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if self._by_value is not None:
            text = self._by_value.sub(CUT, text)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        """Return a value without secrets: its text, and that of all it holds; another object as its `repr`."""
        match value:
            case str():
                return self.text(value)
            case None | bool() | int() | float():
                return value
            case bytes():
                return self.text(value.decode(errors="replace"))
            case Mapping():
                return {self.text(str(key)): self.field(str(key), item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case _:
                return self.text(repr(value))

    def field(self, name: str, value: Any) -> Any:
        """Return a named value: nothing of it is left where the name says that it is a secret."""
        if isinstance(value, str | bytes) and value and _SECRET_FIELDS.match(name):
            return CUT
        return self.value(value)


def _spellings(secret: str) -> Iterable[str]:
    raw = secret.encode(errors="replace")
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        secret.encode("unicode_escape").decode(),
        b64encode(raw).decode().rstrip("="),
    }


REDACTOR = Redactor()
"""The process's own: logs are one stream, whoever writes them."""
