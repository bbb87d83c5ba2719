"""Log lines: one format for people, one for machines, and known secrets in neither."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any, TextIO, cast

from app.redaction import Redactor

_MAX_TEXT_CHARS = 32 * 1024
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_QUOTATION = re.compile(r"[?'\"].*", re.DOTALL)


redactor = Redactor()


class _TextFormatter(logging.Formatter):
    """`2026-11-22T12:00:00Z INFO app.journal message key=value`, a traceback indented below it.

    Nothing that is said can begin a line of its own, or change how others are shown.
    """

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record, self.datefmt)} {record.levelname} {record.name}"
        line += f" {_escape(_redact(record.getMessage()))}"
        for name, value in _fields_of(record):
            line += f" {name}={_escape(str(_clean(value)))}"
        if record.exc_info:
            told = _redact(self.formatException(record.exc_info))
            line += "".join(f"\n  {_escape(one)}" for one in told.split("\n"))
        return line


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= _fields_of(record)
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        # Before encoding: a quote or a backslash in a secret would hide it behind an escape.
        clean = {name: _clean(value) for name, value in entry.items()}
        return _escape(json.dumps(clean, ensure_ascii=False))


def _fields_of(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [(name, value) for name, value in getattr(record, "fields", {}).items() if value is not None]


def _clean(value: object) -> object:
    return value if isinstance(value, int | float) else _redact(str(value))


def _redact(text: str) -> str:
    """What is too long is cut, whoever said it: looking through it takes time."""
    if len(text) > _MAX_TEXT_CHARS:
        text = f"{text[:_MAX_TEXT_CHARS]}... ({len(text)} characters)"
    return redactor.redact(text)


def _escape(text: str) -> str:
    """Controls, line separators, what turns the direction of writing, and halved characters as `\\uXXXX`."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _RedactedStream:
    """Standard error for those who write there themselves, such as the last words of a thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redactor.redact(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _drop_quotation(record: logging.LogRecord) -> bool:
    """The server quotes requests that it cannot read, whatever unknown secret a client put into them."""
    record.msg, record.args = _QUOTATION.sub("...", record.getMessage()), None
    return True


def configure(level: str, line_format: str) -> None:
    """Send the lines of this process to standard error. Replaces what an earlier call set up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if line_format == "json" else _TextFormatter())
    server = logging.getLogger("gunicorn.error")
    server.filters = [_drop_quotation]
    for logger in (logging.getLogger("app"), server):
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    # Its warnings quote addresses of files, which are the callers' own.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def guard_stderr() -> None:
    """Redact also what is written past the log. For a process of its own, after `configure`."""
    sys.stderr = cast(TextIO, _RedactedStream(sys.stderr))
