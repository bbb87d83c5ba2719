"""Whether a page could be somebody else's under this gateway's address. Pure.

A site can have its own name resolve to 127.0.0.1 after its page was loaded (DNS rebinding): for the browser
page and gateway are one site then. That needs a public name and plain http, as no certificate comes along.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

# Names that nobody can register, so that no strange site is called so.
_OWN_DOMAINS = frozenset(
    {"localhost", "local", "internal", "lan", "home", "corp", "test", "localdomain", "intranet", "private"}
)
_OWN_SUFFIX = ".home.arpa"
_MAX_ORIGIN_CHARS = 512


def may_be_rebound(origin: str) -> bool:
    """For the value of an Origin header; also of one that says nothing (`null`)."""
    if len(origin) > _MAX_ORIGIN_CHARS:
        return True
    try:
        parts = urlsplit(origin)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return True
    if parts.scheme == "https" and host:
        return False
    return parts.scheme != "http" or not _is_own_name(host)


def _is_own_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        has_own_domain = host.rpartition(".")[2] in _OWN_DOMAINS or host.endswith(_OWN_SUFFIX)
        return bool(host) and ("." not in host or has_own_domain)
    return True
