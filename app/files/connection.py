"""Connections to the servers of files: to exactly the address that was checked, read by the clock."""

from __future__ import annotations

import ssl
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import requests.certs
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import make_headers
from urllib3.util.ssl_ import create_urllib3_context

from app.clocked_socket import ClockedSocket, FinalResponse, ReadClock
from app.files.link import Link

Address = tuple[str, int]


class _Clocked:
    """Mixed into urllib3's plain and TLS connections, before them."""

    response_class: Any = FinalResponse
    sock: Any

    def __init__(self, *args: Any, read_clock: ReadClock, **named: Any) -> None:
        super().__init__(*args, **named)
        self._read_clock = read_clock

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self.sock = ClockedSocket(self.sock, self._read_clock)


class _PlainConnection(_Clocked, HTTPConnection):
    pass


class _TlsConnection(_Clocked, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def connect(
    link: Link, address: Address, timeout: urllib3.Timeout, clock: ReadClock, tls: ssl.SSLContext | None
) -> urllib3.HTTPConnectionPool:
    """For one call to `address`, with a certificate for the name that the link says where it is `tls`."""
    host, port = address
    if not link.is_tls:
        return _PlainPool(host, port, timeout=timeout, read_clock=clock)
    return _TlsPool(
        host,
        port,
        timeout=timeout,
        ssl_context=tls,
        server_hostname=link.host,
        assert_hostname=link.host,
        read_clock=clock,
    )


def connect_through(
    proxy: str, timeout: urllib3.Timeout, clock: ReadClock, tls: ssl.SSLContext
) -> urllib3.ProxyManager:
    """For calls that the proxy forwards; it looks names up itself."""
    user = urlsplit(proxy)
    names = [unquote(name) for name in (user.username, user.password) if name is not None]
    headers = make_headers(proxy_basic_auth=":".join(names)) if names else None
    manager = urllib3.ProxyManager(proxy, proxy_headers=headers, timeout=timeout, ssl_context=tls)
    manager.pool_classes_by_scheme = {
        "http": partial(_PlainPool, read_clock=clock),  # type: ignore[dict-item]  # called, never subclassed
        "https": partial(_TlsPool, read_clock=clock),  # type: ignore[dict-item]
    }
    return manager


def build_tls() -> ssl.SSLContext:
    """Trusts whom `requests` trusts."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(requests.certs.where())  # type: ignore[attr-defined]
    return context
