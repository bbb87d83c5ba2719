"""The address of the client behind trusted proxies."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

log = logging.getLogger(__name__)

Networks = tuple[IPv4Network | IPv6Network, ...]

# As proxies write one: bare, with a port, in brackets, in the quotes of RFC 7239, with an interface.
_NODE = re.compile(r'"?(?:\[([0-9A-Fa-f:.]+)(?:%\w+)?\]|([0-9.]+))(?::\d{1,5})?"?', re.ASCII)
_MAX_NODE_CHARS = 80


def find_peer(remote: str, forwarded_for: str, trusted: Networks) -> str:
    """The nearest address in the chain that is no trusted proxy; what others claim is not believed.

    Without its port, which is new with every connection. What a proxy says in place of an address
    (`unknown`, a name) is nobody: then the proxy itself counts, and not a name that a caller may choose.
    """
    peer = remote
    for claimed in reversed([node for part in forwarded_for.split(",") if (node := part.strip())]):
        if not is_trusted(peer, trusted):
            break
        address = parse_node(claimed)
        if address is None:
            break
        peer = str(address)
    return peer


def parse_node(text: str) -> IPv4Address | IPv6Address | None:
    """The address in one entry of X-Forwarded-For, None where there is none."""
    node = _NODE.fullmatch(text) if len(text) <= _MAX_NODE_CHARS else None
    bare = (node[1] or node[2]) if node else text.partition("%")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    # One client, in whichever way the proxy listens.
    return getattr(address, "ipv4_mapped", None) or address


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
