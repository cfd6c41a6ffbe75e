"""No secret reaches a log line, wherever in the line it stands."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from bot.logs import set_up_logs

SECRET = "s3cret-key-value"


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_restored")
def test_secrets_are_cut_out_of_messages_fields_and_traces(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("INFO", secrets=[SECRET, ""])
    log = logging.getLogger("packshot.test")
    log.info("opening https://s3.example/?key=%s", SECRET)
    log.info("extra", extra={"url": f"s3://{SECRET}@x", "nested": {"keys": [SECRET, ("a", SECRET)]}})
    try:
        raise ValueError(f"bad key {SECRET}")
    except ValueError:
        log.exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert SECRET not in str(lines)
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events] == ["opening https://s3.example/?key=•••", "extra", "failed"]
    assert "ValueError: bad key •••" in events[2]["exception"]
    assert all(event["level"] and event["timestamp"].endswith("Z") for event in events)


@pytest.mark.usefixtures("_restored")
def test_libraries_that_log_addresses_are_quiet_below_warning(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("DEBUG")
    for name in ("httpx", "uvicorn.access", "sqlalchemy.engine", "dbos"):
        logging.getLogger(name).info("GET https://api.example/bot123:token/x")
        logging.getLogger(name).warning("heard")
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["heard"] * 4
