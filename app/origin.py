"""Origins of web pages, as CORS_ORIGINS lists them: compared as text, never as regular expressions.

`scheme://host` or `scheme://host:port`, of any scheme: `https://chat.example.org`, `app://obsidian.md`. A
star stands for one whole label of the host or for the port: `https://*.example.org`, `http://localhost:*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address

EVERY_ORIGIN = "*"

_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>\[[^\]]*\]|[^:/\[\]]+)(:(?P<port>.*))?")
_WEB = frozenset({"http", "https"})
# What has no host: pages of mobile shells.
_WITHOUT_HOST = frozenset({"file://"})
_LABEL = re.compile(r"[a-z0-9_-]+")
_PORT = re.compile(r"[1-9]\d{0,4}")
_ANY_LABEL, _ANY_PORT = r"[a-z0-9_-]+", r"[1-9]\d{0,4}"
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def parse_origins(text: str) -> tuple[str, ...]:
    """The list in lower case, or `("*",)` for everybody. Raises ValueError, naming the wrong one."""
    origins = tuple(origin for part in text.split(",") if (origin := part.strip()))
    if origins == (EVERY_ORIGIN,):
        return origins
    if not origins:
        raise ValueError(f"expected * or origins such as https://chat.example.org, got {text!r}")
    for origin in origins:
        problem = _find_problem(origin.lower())
        if problem is not None:
            raise ValueError(f"{problem}, got {origin!r}")
    return tuple(origin.lower() for origin in origins)


def compile_origins(origins: Iterable[str]) -> list[re.Pattern[str]]:
    """Anchored at both ends, for `match`. `origins` is what `parse_origins` returned, without `*` alone."""
    return [re.compile(rf"{_build_pattern(origin)}\Z") for origin in origins]


def _find_problem(origin: str) -> str | None:
    if origin in _WITHOUT_HOST:
        return None
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:
        return "expected * alone, or origins such as https://chat.example.org and app://obsidian.md"
    scheme, host, port = parts["scheme"], parts["host"], parts["port"]
    return _find_host_problem(scheme, host) or (None if port is None else _find_port_problem(scheme, port))


def _find_host_problem(scheme: str, host: str) -> str | None:
    if host.startswith("["):
        return None if _is_ipv6(host[1:-1]) else "expected an IPv6 address between the brackets"
    labels = host.split(".")
    if not all(label == "*" or _LABEL.fullmatch(label) for label in labels):
        return "expected a host of labels as browsers send it, where a star stands for one whole label"
    if scheme in _WEB and set(labels) == {"*"}:
        return "expected a host with at least one label that is no star"
    return None


def _find_port_problem(scheme: str, port: str) -> str | None:
    if port == "*":
        return None
    if not _PORT.fullmatch(port) or int(port) > 65535:
        return "expected a port from 1 to 65535, or a star for any"
    if port == _DEFAULT_PORTS.get(scheme):
        return f"expected no port, as browsers leave :{port} out with {scheme}"
    return None


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _build_pattern(origin: str) -> str:
    """A star behind the last colon is the port's; every other one is a label."""
    host, colon, port = origin.rpartition(":")
    if colon and port == "*":
        return f"{_build_pattern(host)}:{_ANY_PORT}"
    return _ANY_LABEL.join(re.escape(piece) for piece in origin.split("*"))
