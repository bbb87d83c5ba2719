"""A proxy in front of one upstream: relays bytes, and turns the whole address of a request into its path."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def run_proxy(upstream_url: str) -> Iterator[str]:
    """Its host and port. Nobody looks at the credentials that come with each request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, upstream_url), daemon=True).start()
        yield "{}:{}".format(*listener.getsockname())
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, upstream_url: str) -> None:
    with suppress(OSError):
        while True:
            client = listener.accept()[0]
            threading.Thread(target=_relay, args=(client, upstream_url), daemon=True).start()


def _relay(client: socket.socket, upstream_url: str) -> None:
    address = urlsplit(upstream_url)
    whole = f" {upstream_url}/".encode()
    with client, socket.create_connection((address.hostname or "", address.port or 0)) as upstream:
        back = threading.Thread(target=_pump, args=(upstream, client, whole), daemon=True)
        back.start()
        _pump(client, upstream, whole)
        back.join()


def _pump(source: socket.socket, target: socket.socket, whole: bytes) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data.replace(whole, b" /"))
    for side in (source, target):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
