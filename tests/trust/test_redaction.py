"""Secrets are cut out of every log line, by value and by what they look like, wherever in the line they stand."""

from __future__ import annotations

import base64
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import structlog

from bot.logs import set_up_logs
from bot.redaction import CUT, REDACTOR, Redactor

TOKEN = "a+secret/token=of ours"
LOOKS = (
    "xoxb-123456789012-abcdefABCDEF",
    "xapp-1-A0123-456-abcdef",
    "shpat_0123456789abcdef0123456789abcdef",
    "shpss_0123456789abcdef0123456789abcdef",
    "Atza|IwEBIAbcdef0123456789",
    "Atzr|IwEBIAbcdef0123456789",
    "amzn1.oa2-cs.v1.0123456789abcdef",
    "ck_0123456789abcdef0123456789abcdef01234567",
    "cs_0123456789abcdef0123456789abcdef01234567",
    "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk",
)
IN_A_LINE = (
    "GET https://api.telegram.org/bot{0}/getMe failed",
    "{{'error': '{0}'}}",
    '{{"detail": "{0}"}}',
    "({0})",
    "header={0};",
)
BY_PLACE = (
    ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
    ("Authorization: Basic YWxhZGRpbjpvcGVu", "YWxhZGRpbjpvcGVu"),
    ("https://shop.example/x?access_token=opaque123&page=2", "opaque123"),
    ("https://auth.example/cb?code=opaque456&state=opaque789", "opaque456"),
    ("https://auth.example/cb?code=opaque456&state=opaque789", "opaque789"),
    ("https://b.s3.example/k?X-Amz-Signature=opaqueabc&X-Amz-Credential=opaquedef", "opaqueabc"),
    ("postgresql://shop:opaquepw@db.example/shop", "opaquepw"),
    ("{'refresh_token': 'opaque000', 'expires_in': 3600}", "opaque000"),
    ("x-shopify-access-token: opaque111", "opaque111"),
    ("https://shop.example/media/AbCdEfGhIjKlMnOpQrSt.1f.xyz.jpg", "AbCdEfGhIjKlMnOpQrSt"),
    ("/console?code=opaque222", "opaque222"),
)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = root.handlers[:], root.level, dbos.handlers[:], dbos.propagate
    hooks = sys.excepthook, threading.excepthook
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    set_up_logs("DEBUG", secrets=[TOKEN])
    yield written
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    root.handlers[:], root.level, dbos.handlers[:], dbos.propagate = before
    sys.excepthook, threading.excepthook = hooks


@pytest.mark.parametrize("secret", LOOKS)
def test_what_looks_like_a_key_is_cut_out_though_nobody_told_of_it(secret: str) -> None:
    for line in IN_A_LINE:
        said = Redactor().text(line.format(secret))
        assert secret not in said
        assert CUT in said


@pytest.mark.parametrize(("line", "secret"), BY_PLACE)
def test_what_stands_where_secrets_stand_is_cut_out(line: str, secret: str) -> None:
    assert secret not in Redactor().text(line)


@pytest.mark.parametrize(
    "line",
    ["MUG-01 was published on Shopify", "revision 3 of Blue mug: https://shop.example/products/blue-mug?variant=2",
     "job enhance:AbCdEfGhIj:1 took 120 ms", "code E1234 in the log", "sha256 " + "ab" * 32],
)  # fmt: skip
def test_ordinary_words_stay(line: str) -> None:
    assert Redactor().text(line) == line


@pytest.mark.parametrize(
    "spelled", [TOKEN, quote(TOKEN, safe=""), base64.b64encode(TOKEN.encode()).decode(), json.dumps(TOKEN)[1:-1]]
)
def test_a_known_secret_is_cut_out_in_every_spelling(spelled: str) -> None:
    redactor = Redactor()
    redactor.remember(TOKEN, "short")
    assert spelled not in redactor.text(f"it said {spelled} to me")
    assert redactor.text("a short word") == "a short word"


class Odd:
    def __repr__(self) -> str:
        return f"<Odd {TOKEN}>"


def test_no_way_of_logging_lets_a_secret_through(stream: io.StringIO) -> None:
    REDACTOR.remember("learned-while-running")
    log = logging.getLogger("packshot.test")
    for secret in (TOKEN, "learned-while-running", LOOKS[0]):
        log.warning("plain %s", secret)
        log.warning(
            "extra",
            extra={"where": {"deep": [secret, (secret, {secret: secret})]}, "odd": Odd(), "raw": secret.encode()},
        )
        structlog.get_logger("packshot.test").warning("bound", token=secret, nested={"a": secret})
        logging.getLogger("dbos").error("a library of its own stream: %s", secret)
        try:
            try:
                raise KeyError(secret)
            except KeyError as inner:
                raise ValueError("outer", {"key": secret}) from inner
        except ValueError as error:
            log.exception("failed")
            sys.excepthook(type(error), error, error.__traceback__)
    written = stream.getvalue()
    for line in written.splitlines():
        json.loads(line)
    assert written.count("nobody caught") == 3
    assert [secret for secret in (TOKEN, "learned-while-running", LOOKS[0]) if secret in written] == []


def test_a_process_that_dies_does_not_print_its_secrets() -> None:
    code = f"from bot.logs import set_up_logs; set_up_logs('INFO', secrets=[{TOKEN!r}]); raise ValueError({TOKEN!r})"
    died = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert died.returncode == 1
    assert TOKEN not in died.stderr
    assert "ValueError" in died.stderr
