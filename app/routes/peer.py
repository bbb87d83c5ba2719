"""The address of the client behind trusted proxies."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


def find_peer(remote: str, forwarded_for: str, trusted: Networks) -> str:
    """The nearest address in the chain that is no trusted proxy; what others claim is not believed."""
    peer = remote
    for claimed in reversed([address.strip() for address in forwarded_for.split(",") if address.strip()]):
        if not _is_trusted(peer, trusted):
            break
        peer = claimed
    return peer


def _is_trusted(address: str, trusted: Networks) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)
