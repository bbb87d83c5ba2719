"""A connection that knows how this gateway calls: whole requests from memory, answers read by their socket.

What urllib3 and `http.client` decide anew for every call - which headers to add, how to frame the body, in
how many writes - is known here beforehand (docs/performance.md).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.client import RemoteDisconnected
from typing import Any

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

from app.hub import cooperate, is_readable, send_all
from app.upstream.head import AnswerHead, read_usual_head

_KNOWN_SECONDS = 60.0
_READ_BYTES = 65536
# Beyond this a write of its own costs less than a copy of the body.
_MAX_JOINED_BYTES = 65_536
_Addresses = list[tuple[Any, ...]]
_LookUp = Callable[[str, int], _Addresses]


def _look_up(host: str, port: int) -> _Addresses:
    return socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)


class AddressBook:
    """Where hosts are, asked once a minute however many connections begin. Thread-safe.

    Look-ups pass through a small pool of threads, in which a burst of them would queue.
    """

    def __init__(self, look_up: _LookUp = _look_up, clock: Callable[[], float] = time.monotonic) -> None:
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int], tuple[float, _Addresses]] = {}

    def find(self, host: str, port: int) -> _Addresses:
        """The addresses of `host` as `getaddrinfo` gives them. Raises socket.gaierror."""
        known = self._fresh(host, port)
        if known is None:
            with self._lock:  # those who wait share what the first one learns
                known = self._fresh(host, port)
                if known is None:
                    known = self._look_up(host, port)
                    self._known[host, port] = (self._clock() + _KNOWN_SECONDS, known)
        return known

    def forget(self, host: str, port: int) -> None:
        """Nobody answers there: it may have moved."""
        self._known.pop((host, port), None)

    def _fresh(self, host: str, port: int) -> _Addresses | None:
        until, addresses = self._known.get((host, port), (0.0, None))
        return addresses if self._clock() < until else None


class NeverAnswered(ConnectionError):
    """A connection broke that was new, or in the middle of a head: the upstream may have seen the request."""


class QuickConnection:
    """Mixed into urllib3's plain and TLS connections, before them. A kept connection that ended meanwhile
    breaks as `http.client` has it, a new one with NeverAnswered."""

    book: AddressBook
    sock: Any
    host: str
    port: int
    timeout: Any
    socket_options: Any
    response_class: Any = AnswerHead  # a proxy's answer to CONNECT is read by it as well
    _asked: tuple[str, str] = ("", "")
    _has_answered = False

    @property
    def is_connected(self) -> bool:
        """Without building a poll object in the event loop's way."""
        return self.sock is not None and not is_readable(self.sock.fileno())

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> None:
        """Head and body in one write, a large body in one of its own; a body that is not in memory piece by
        piece, by its `read`."""
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]  # of the connection it is mixed into
        self.sock.settimeout(self.timeout)
        self._asked = (method, url)
        head = _build_head(method, url, self._name, headers or {})
        if isinstance(body, bytes):
            for piece in (head + body,) if len(body) <= _MAX_JOINED_BYTES else (head, body):
                send_all(self.sock, piece)
            return
        self.sock.sendall(head)
        while piece := body.read():
            self.sock.sendall(piece)
            cooperate()

    def getresponse(self) -> Any:
        """The answer as urllib3 has it; its body is read from the socket (app.upstream.body)."""
        method, url = self._asked
        head = self.receive_head()
        return HTTPResponse(
            headers=HTTPHeaderDict(head.headers.items()),
            status=head.status,
            version=head.version,
            reason=head.reason,
            preload_content=False,
            decode_content=False,
            original_response=head,
            request_method=method,
            request_url=url,
        )

    def receive_head(self) -> Any:
        """A UsualHead or an AnswerHead."""
        self.sock.settimeout(self.timeout)
        return self._read_head(self._asked[0], self._receive_first())

    def _receive_first(self) -> bytes:
        """Bytes of the answer: from here on the upstream has seen what it was asked."""
        try:
            piece: bytes = self.sock.recv(_READ_BYTES)
            if not piece:
                raise RemoteDisconnected("The connection ended before the answer.")
        except ConnectionError as exc:
            if self._has_answered:
                raise
            raise NeverAnswered("The connection broke before its first answer.") from exc
        return piece

    def _read_head(self, method: str, piece: bytes) -> Any:
        head: Any = None if method == "HEAD" else read_usual_head(self.sock, piece)
        if head is None:
            head = AnswerHead(self.sock, method=method, received=piece)
            try:
                head.begin()
            except BaseException as exc:
                head.close()
                if isinstance(exc, ConnectionError):
                    raise NeverAnswered("The connection broke in the middle of a head.") from exc
                raise
        self._has_answered = True
        return head

    @property
    def _name(self) -> str:
        default = getattr(type(self), "default_port", None)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default else f"{host}:{self.port}"

    def _new_conn(self) -> socket.socket:
        """As urllib3's own, with addresses from the book."""
        self._has_answered = False
        try:
            return self._connect_to_any(self.book.find(self.host, self.port))
        except socket.gaierror as exc:
            raise NameResolutionError(self.host, self, exc) from exc  # type: ignore[arg-type]
        except TimeoutError as exc:
            self.book.forget(self.host, self.port)
            raise ConnectTimeoutError(self, "The connection took too long.") from exc
        except OSError as exc:
            self.book.forget(self.host, self.port)
            raise NewConnectionError(self, f"No connection: {exc}") from exc  # type: ignore[arg-type]

    def _connect_to_any(self, addresses: _Addresses) -> socket.socket:
        failure = OSError("the name has no address")
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self.timeout)
                sock.connect(address)
            except OSError as exc:
                failure = exc
                sock.close()
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure


def _build_head(method: str, url: str, host: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {url} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("A header of a call upstream holds a line break.")
    return (head + "\r\n\r\n").encode("latin-1")
