"""Which network addresses a file may be fetched from. Pure.

The registries behind `ipaddress` decide what is public; what its older versions do not know, and every range
that hides another address inside itself, is listed here and refused as a whole (docs/decisions/0007).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # "this network": connects to this machine
            "100.64.0.0/10",  # carrier-grade NAT, also used inside clouds
            "192.0.0.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "198.18.0.0/15",
            "224.0.0.0/3",  # multicast, reserved, broadcast
        ),
    )
)
# Everything else is mapped, translated (NAT64), local, multicast or reserved.
_GLOBAL_UNICAST_V6 = ip_network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # Teredo, ORCHID, benchmarks and other protocols
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "3fff::/20",
        ),
    )
)
# Where clouds keep credentials; never a place for files, whatever else is allowed.
_METADATA = frozenset(map(ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("::/96"))


def is_allowed(address: IPAddress, *, allow_private: bool) -> bool:
    """Whether a file may be fetched from there: public addresses, and private ones where they are allowed.

    Link-local, multicast and unspecified addresses are refused always, also inside another address.
    """
    if allow_private:
        return not any(map(_is_never_allowed, _unfold(address)))
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    is_unicast = address in _GLOBAL_UNICAST_V6 and address.is_global
    return is_unicast and not any(address in network for network in _NOT_PUBLIC_V6)


def _is_never_allowed(address: IPAddress) -> bool:
    return (
        address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address in _METADATA
        or address in _NOT_PUBLIC_V4[0]
        or (address.is_reserved and not address.is_loopback and address.version == 4)
    )


def _unfold(address: IPAddress) -> Iterator[IPAddress]:
    """The address and those that it may stand for."""
    yield address
    if isinstance(address, IPv4Address):
        return
    for inner in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())):
        if inner is not None:
            yield inner
    if not address.is_loopback and any(address in network for network in _TRANSLATED):
        yield IPv4Address(int(address) & 0xFFFFFFFF)
