"""Paths of the API as clients put them together from what people give as the base address.

A redirect would lose a POST, or send its credentials without TLS, and browsers refuse one for a preflight: so
what is meant is served where it was asked. Every path outside /v1 stays exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_VERSION = "v1"
# For clients whose base address was given without /v1.
_ALIASES = frozenset({"/chat/completions", "/messages", "/messages/count_tokens", "/models", "/responses"})


def mend_api_path(path: str) -> str:
    """One slash between segments and none at the end, /v1 once. What is no path of the API is left alone."""
    segments = list(filter(None, path.split("/")))
    if segments[:1] != [_VERSION]:
        plain = "/" + "/".join(segments)
        return f"/{_VERSION}{plain}" if plain in _ALIASES else path
    while segments[:1] == [_VERSION]:
        del segments[0]
    return "/".join(["", _VERSION, *segments])


class ApiPaths:
    """WSGI middleware: whoever looks at the path further in (routes, CORS, errors) sees the mended one."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["PATH_INFO"] = mend_api_path(environ.get("PATH_INFO", ""))
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer
