"""Logging: structlog over the standard library, one JSON object a line, secrets cut out (`bot/redaction.py`).

httpx and the chat libraries log addresses that carry tokens at INFO, so they speak from WARNING up.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, MutableMapping
from types import TracebackType
from typing import Any

import structlog
from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

from bot.redaction import REDACTOR

_TALKATIVE = (
    "httpx", "httpcore", "sqlalchemy.engine", "alembic", "asyncio", "aiosqlite", "uvicorn.access", "dbos",
    "telegram", "slack_bolt", "slack_sdk", "aiohttp",
)  # fmt: skip
_OWN_STREAM = ("dbos",)
"""Libraries that give their logger a handler of its own, past ours, when they are imported and it has none."""

log = logging.getLogger("packshot")


def set_up_logs(level: str, *, secrets: Iterable[str] = ()) -> None:
    """Send every log line of the process to stderr as JSON, and what nobody caught. Call once, before anything logs."""
    REDACTOR.remember(*secrets)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared[:3], *shared[4:], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # Its own choice is structlog's default, which prints on stdout.
    set_on_retry_hooks([LoggingOnRetryHook])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _OWN_STREAM:
        logging.getLogger(name).handlers[:] = [logging.NullHandler()]
        logging.getLogger(name).propagate = True
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: REDACTOR.field(name, value) for name, value in event.items()}


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("ended by an error that nobody caught", exc_info=(kind, error, trace))


def _uncaught_in_thread(hooked: threading.ExceptHookArgs) -> None:
    if hooked.exc_value is not None:
        log.critical("a thread ended by an error", exc_info=(hooked.exc_type, hooked.exc_value, hooked.exc_traceback))
