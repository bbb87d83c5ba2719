"""Log lines: one format for people, one for machines, and known secrets in neither."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections import OrderedDict
from typing import Any, TextIO, cast

_REDACTED = "[secret]"
_LEAST_SECRET_CHARS = 6
# Of what a stranger sends: shorter, or nothing but letters, it may be a word that log lines are made of.
_LEAST_CALLERS_CHARS = 16
_MOST_SECRETS = 10_000
_QUOTATION = re.compile(r"[?'\"].*", re.DOTALL)


class Redactor:
    """Knows the secrets of the moment by value and takes them out of whatever is about to be written."""

    def __init__(self) -> None:
        self._secrets: OrderedDict[str, None] = OrderedDict()
        self._kept: set[str] = set()

    def keep(self, secret: str) -> None:
        """The operator's: never written, never forgotten, whatever callers send."""
        if len(secret) >= _LEAST_SECRET_CHARS:
            self._kept.add(secret)

    def learn(self, secret: str) -> None:
        """A caller's: from now on it is not written. The oldest are forgotten beyond a bound."""
        if len(secret) >= _LEAST_CALLERS_CHARS and not secret.isalpha():
            self._secrets[secret] = None
            self._secrets.move_to_end(secret)
            if len(self._secrets) > _MOST_SECRETS:
                self._secrets.popitem(last=False)

    def redact(self, text: str) -> str:
        found = [secret for secret in (*self._kept, *self._secrets) if secret in text]
        # The longest first: where one secret begins another, the other's end must not stay.
        for secret in sorted(found, key=len, reverse=True):
            text = text.replace(secret, _REDACTED)
        return text


redactor = Redactor()


class _TextFormatter(logging.Formatter):
    """`2026-11-22T12:00:00Z INFO app.journal message key=value`"""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        fields = getattr(record, "fields", None)
        if fields:
            line += "".join(f" {name}={value}" for name, value in fields.items() if value is not None)
        return redactor.redact(line)


class _JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: value for name, value in getattr(record, "fields", {}).items() if value is not None}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        # Before encoding: a quote or a backslash in a secret would hide it behind an escape.
        clean = {name: _clean(value) for name, value in entry.items()}
        return json.dumps(clean, ensure_ascii=False)


def _clean(value: object) -> object:
    return value if isinstance(value, int | float) else redactor.redact(str(value))


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
