"""http(s) addresses of files, taken apart strictly. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import msgspec

from app.catalogue import file as says
from app.core.errors import InvalidFileUrl

MAX_LINK_CHARS = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that mean this machine or its network without asking anybody.
_LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
# What may stand in a request line; everything else is percent-encoded.
_SAFE = "/?#[]@!$&'()*+,;=:%-._~"


class Link(msgspec.Struct, frozen=True):
    """Where a file is. `host` is ASCII and lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query as they stand in the request line."""

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host where it is no name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def host_header(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.target}"

    def join(self, location: str) -> str:
        """Where a redirect leads, not checked yet. Raises InvalidFileUrl where nothing can be read."""
        check_length(location)
        try:
            return urljoin(self.url, location.strip())
        except ValueError:
            raise InvalidFileUrl(says.REDIRECT_UNREADABLE) from None


def check_length(url: str) -> None:
    """Raises InvalidFileUrl. Comes before `urlsplit`, which remembers 128 addresses, however long."""
    if len(url) > MAX_LINK_CHARS:
        raise InvalidFileUrl(says.TOO_LONG.fill(max_chars=MAX_LINK_CHARS))


def host_of(url: str) -> str:
    """As it is written, not checked; empty where it cannot be read, as in data: URLs."""
    if len(url) > MAX_LINK_CHARS:
        return ""
    try:
        return urlsplit(url.strip(" ")).hostname or ""
    except ValueError:
        return ""


def lies_below(host: str, hosts: Collection[str]) -> bool:
    """Whether `host` is one of `hosts` or a name in the domain of one."""
    return any(f".{host}".endswith(f".{known}") for known in hosts)


def parse_link(url: str, ports: Collection[int], *, allow_local: bool) -> Link:
    """Check what can be checked without asking anybody. Raises InvalidFileUrl."""
    check_length(url)
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in url.strip(" ")):
        raise InvalidFileUrl(says.HAS_CONTROLS)
    parts = _split(url.strip(" "))
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise InvalidFileUrl(says.WRONG_SCHEME)
    if "@" in parts.netloc:
        raise InvalidFileUrl(says.HAS_LOGIN)
    host = _parse_host(parts, allow_local=allow_local)
    port = _parse_port(parts, scheme)
    if port not in ports:
        raise InvalidFileUrl(says.PORT_CLOSED.fill(port=port, ports=", ".join(map(str, sorted(ports)))))
    return Link(scheme, host, port, _build_target(parts))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise InvalidFileUrl(says.NO_ADDRESS) from None


def _parse_port(parts: SplitResult, scheme: str) -> int:
    try:
        port = parts.port
    except ValueError:
        raise InvalidFileUrl(says.NO_PORT) from None
    return _DEFAULT_PORTS[scheme] if port is None else port


def _parse_host(parts: SplitResult, *, allow_local: bool) -> str:
    name = parts.hostname or ""
    if parts.netloc.startswith("["):
        return _parse_v6(name)
    # Full-width digits and dots are folded here, so that everybody behind this sees the same name.
    try:
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise InvalidFileUrl(says.HOST_UNREADABLE) from None
    if not _HOST_NAME.fullmatch(host) or len(host) > 253:
        raise InvalidFileUrl(says.NO_HOST)
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _parse_v4(host)
    if not allow_local and any(f".{host}".endswith(f".{local}") for local in _LOCAL_NAMES):
        raise InvalidFileUrl(says.NOT_PUBLIC)
    return host


def _parse_v4(host: str) -> str:
    """Only four decimal numbers: resolvers read other spellings, each in its own way."""
    try:
        return str(IPv4Address(host))
    except ValueError:
        raise InvalidFileUrl(says.ODD_V4) from None


def _parse_v6(name: str) -> str:
    try:
        address = IPv6Address(name)
    except ValueError:
        raise InvalidFileUrl(says.ODD_V6) from None
    if address.scope_id is not None:
        raise InvalidFileUrl(says.V6_WITH_INTERFACE)
    return str(address)


def _build_target(parts: SplitResult) -> str:
    target = quote(parts.path or "/", safe=_SAFE)
    return f"{target}?{quote(parts.query, safe=_SAFE)}" if parts.query else target
