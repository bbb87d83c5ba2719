"""How a line of the log is written: one format for people, one for machines, one time for both. Pure.

gunicorn's master writes its own lines with these before anything is patched, so nothing here makes a lock.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

Redact = Callable[[str], str]


class OwnText(str):
    """What this program made up itself, of nothing that came from outside: no secret is looked for in it."""

    __slots__ = ()


_HARMLESS = (int, float, OwnText)


class TextFormatter(logging.Formatter):
    """`2026-11-22T12:00:00Z INFO app.gateway message key=value`, a traceback indented below it.

    Nothing that is said can begin a line of its own, or change how others are shown.
    """

    def __init__(self, redact: Redact = str) -> None:
        """`redact` takes the secrets out of a text."""
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_format_second(int(record.created))} {record.levelname} {record.name}"
        line += f" {self._redact(record.getMessage())}"
        for name, value in _clean(_fields_of(record), self._redact).items():
            line += f" {name}={value}"
        line = _escape(line)
        if record.exc_info:
            told = self._redact(self.formatException(record.exc_info))
            line += "".join(f"\n  {_escape(one)}" for one in told.split("\n"))
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redact: Redact = str) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": _format_second(int(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= _fields_of(record)
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        # Before encoding: a quote or a backslash in a secret would hide it behind an escape.
        return _escape(json.dumps(_clean(entry, self._redact), ensure_ascii=False))


@lru_cache(maxsize=4)
def _format_second(moment: int) -> str:
    return time.strftime(TIME_FORMAT, time.gmtime(moment))


def _fields_of(record: logging.LogRecord) -> dict[str, object]:
    return getattr(record, "fields", {})


def _clean(fields: dict[str, object], redact: Redact) -> dict[str, object]:
    """What the fields say that say something, without secrets."""
    return {
        name: value if isinstance(value, _HARMLESS) else redact(str(value))
        for name, value in fields.items()
        if value is not None
    }


def _escape(text: str) -> str:
    """Controls, line separators, what turns the direction of writing, and halved characters as `\\uXXXX`."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def build_formatter(line_format: str, redact: Redact = str) -> logging.Formatter:
    """For LOG_FORMAT."""
    return JsonFormatter(redact) if line_format == "json" else TextFormatter(redact)
