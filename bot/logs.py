"""Logging: structlog over the standard library, one JSON object a line, secrets cut out by value.

httpx and the chat libraries log addresses that carry tokens at INFO, so they speak from WARNING up.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

import structlog
from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

_TALKATIVE = (
    "httpx", "httpcore", "sqlalchemy.engine", "alembic", "asyncio", "aiosqlite", "uvicorn.access", "dbos",
    "telegram", "slack_bolt", "slack_sdk", "aiohttp",
)  # fmt: skip


def set_up_logs(level: str, *, secrets: Iterable[str] = ()) -> None:
    """Send every log line of the process to stderr as JSON. Call once, before anything logs."""
    redact = _redactor([secret for secret in secrets if len(secret) >= 8])
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Its own choice is structlog's default, which prints on stdout.
    set_on_retry_hooks([LoggingOnRetryHook])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _redactor(secrets: list[str]) -> Any:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, "•••")
            return value
        if isinstance(value, Mapping):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [clean(item) for item in value]
        return value

    def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        for name, value in event.items():
            event[name] = clean(value)
        return event

    return redact
