"""Where the page of a gateway is, for people."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any


def build_page_address(address: Any) -> str:
    """Where a browser on this machine finds what listens there; a socket file is named by its path."""
    if not isinstance(address, tuple):
        return str(address)
    host = ip_address(address[0])
    if host.is_unspecified:
        host = ip_address("127.0.0.1" if host.version == 4 else "::1")
    return f"http://{f'[{host}]' if host.version == 6 else host}:{address[1]}/"
