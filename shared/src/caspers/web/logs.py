"""Logs as events with fields, one JSON object a line on stdout, where the platform collects them; never a secret."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

_SECRET_KEY = re.compile(r"token|secret|password|passwd|authorization|cookie|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?i)\b(bearer\s+|basic\s+|dapi|dose|(?:password|token|secret)\s*[=:]\s*)[A-Za-z0-9._~+/=-]{8,}"
)
_HIDDEN = "[hidden]"

#: Libraries that would say at INFO what we say ourselves, or nothing of use.
_QUIET = ("apscheduler", "databricks", "httpx", "httpcore", "uvicorn.access", "urllib3")


def configure(service: str, level: str = "INFO") -> None:
    """Send the logs of this process, ours and the libraries', to stdout as JSON lines that name the `service`."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank out whatever has the name or the look of a secret, at any depth."""
    return {key: _HIDDEN if _SECRET_KEY.search(key) else _cleaned(value) for key, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_VALUE.sub(lambda match: match[1] + _HIDDEN, value)
    if isinstance(value, dict):
        return {
            key: _HIDDEN if _SECRET_KEY.search(str(key)) else _cleaned(inner) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value


def _named(service: str) -> Any:
    def name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return name
