"""Log lines: one JSON object each, on stderr."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec


def fields(record: logging.LogRecord, formatter: logging.Formatter) -> dict[str, Any]:
    """The members of a line; `error` is there where something was raised."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    if record.exc_info:
        line["error"] = formatter.formatException(record.exc_info)
    return line


class JsonLines(logging.Formatter):
    """Renders a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        return msgspec.json.encode(fields(record, self)).decode()


def start_logging(level: str = "INFO") -> None:
    """Send what is logged to stderr. Called once, by the process's main module."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
