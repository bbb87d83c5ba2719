"""gunicorn's own logger, whose lines look like those of the application.

In use from the master's first line until a worker has loaded the application, which sets up the log anew with
the secrets that it knows (app/logs.py).
"""

from __future__ import annotations

from typing import Any, ClassVar

from gunicorn.glogging import Logger

from app.log_line import build_formatter


class TextLogger(Logger):  # type: ignore[misc]
    """For LOG_FORMAT=text."""

    line_format: ClassVar[str] = "text"

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(build_formatter(self.line_format))


class JsonLogger(TextLogger):
    """For LOG_FORMAT=json."""

    line_format = "json"
