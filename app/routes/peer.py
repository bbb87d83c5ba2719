"""The address of the client behind trusted proxies."""

from __future__ import annotations

import logging
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

log = logging.getLogger(__name__)

Networks = tuple[IPv4Network | IPv6Network, ...]


def find_peer(remote: str, forwarded_for: str, trusted: Networks) -> str:
    """The nearest address in the chain that is no trusted proxy; what others claim is not believed."""
    peer = remote
    for claimed in reversed([address.strip() for address in forwarded_for.split(",") if address.strip()]):
        if not is_trusted(peer, trusted):
            break
        peer = claimed
    return peer


@lru_cache(maxsize=1)
def warn_of_proxy(remote: str) -> None:
    """Once, at first sight."""
    log.warning(
        "requests come through a proxy at %s that TRUSTED_PROXIES does not name: tokens that the upstream "
        "refuses are not counted, as everybody behind it would be one",
        remote,
    )


def is_trusted(address: str, trusted: Networks) -> bool:
    """Whether the address is one of these proxies."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
