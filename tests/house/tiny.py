"""The smallest application that gunicorn can serve: `/slow` answers after a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any


def app(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """A WSGI application."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
