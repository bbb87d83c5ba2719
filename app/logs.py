"""Log lines: one format for people, one for machines, and known secrets in neither."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO, cast

from app.log_line import build_formatter
from app.redaction import Redactor

_MAX_TEXT_CHARS = 32 * 1024
_QUOTATION = re.compile(r"[?'\"].*", re.DOTALL)


redactor = Redactor()


def _redact(text: str) -> str:
    """What is too long is cut, whoever said it: looking through it takes time."""
    if len(text) > _MAX_TEXT_CHARS:
        text = f"{text[:_MAX_TEXT_CHARS]}... ({len(text)} characters)"
    return redactor.redact(text)


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
    handler.setFormatter(build_formatter(line_format, _redact))
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


def leave_out_origins() -> None:
    """No line says where in the code it was written, or by which thread: none has to look for it.

    As the logging HOWTO of Python has it, under "Optimization". For a process of its own.
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def take_foreign_lines() -> None:
    """What packages and the warnings of Python say looks like our own lines. For a process of its own."""
    (logging.lastResort,) = logging.getLogger("app").handlers
    logging.captureWarnings(True)
