"""How calls leave: addresses asked for once, head and body in one piece, nothing smuggled into a head."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from app.upstream.body import BodyReader
from app.upstream.connection import AddressBook, QuickConnection, _build_head
from tests.clock import Clock
from tests.eventually import eventually

LOOPBACK = (socket.AF_INET, socket.SOCK_STREAM, 6, "")


class Directory:
    """A name service that counts."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.addresses = addresses
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[tuple[Any, ...]]:
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(*LOOPBACK, address) for address in self.addresses]


Connection: Any = type("Connection", (QuickConnection, HTTPConnection), {})


def connect(directory: Directory, port: int = 80) -> Any:
    connection = Connection("upstream.test", port, timeout=2)
    connection.book = AddressBook(directory)
    return connection


def read_body(answer: Any) -> bytes | None:
    body = BodyReader(answer._original_response)
    try:
        return body.read(1.0)
    finally:
        body.close()


def test_a_name_is_asked_for_once_a_minute() -> None:
    clock, directory = Clock(1000.0), Directory(("127.0.0.1", 1))
    book = AddressBook(directory, clock)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: book.find("upstream.test", 1), range(50)))
    assert found == [[(*LOOPBACK, ("127.0.0.1", 1))]] * 50
    assert directory.asked == 1
    clock.now += 61
    book.find("upstream.test", 1)
    book.find("other.test", 1)
    assert directory.asked == 3


def test_a_failed_look_up_is_not_kept() -> None:
    directory = Directory()
    book = AddressBook(directory)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            book.find("upstream.test", 1)
    assert directory.asked == 2


def test_head_and_body_leave_in_one_piece() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = connect(Directory(("127.0.0.1", port)), port)
        connection.request("POST", "/path", b"body", {"A": "1", "Content-Length": "4"})
        peer, _ = server.accept()
        expected = (
            f"POST /path HTTP/1.1\r\nHost: upstream.test:{port}\r\nA: 1\r\nContent-Length: 4\r\n\r\nbody"
        )
        assert peer.recv(65536).decode() == expected
        peer.sendall(b"HTTP/1.1 201 Created\r\nB: 2\r\nContent-Length: 2\r\n\r\nok")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["b"], read_body(answer)) == (201, "2", b"ok")
        assert connection.is_connected
        peer.close()
        eventually(lambda: not connection.is_connected)
        connection.close()


def test_a_large_body_is_not_copied_behind_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr("app.upstream.connection.send_all", lambda _, data: written.append(data))
    body = b"x" * 100_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = connect(Directory(("127.0.0.1", port)), port)
        connection.request("POST", "/", body, {"Content-Length": "100000"})
        connection.close()
    head, sent = written
    assert head.endswith(b"\r\nContent-Length: 100000\r\n\r\n")
    assert sent is body


def test_a_body_that_is_not_in_memory_leaves_in_pieces() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = connect(Directory(("127.0.0.1", port)), port)
        connection.request("POST", "/", BytesIO(b"body"), {"Content-Length": "4"})
        peer, _ = server.accept()
        got = b""
        while not got.endswith(b"\r\n\r\nbody"):
            got += peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert connection.getresponse().status == 200
        peer.close()
        connection.close()


def test_an_answer_that_closes_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        connection = connect(Directory(("127.0.0.1", port)), port)
        connection.request("POST", "/", b"", {})
        peer, _ = server.accept()
        peer.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        answer = connection.getresponse()
        assert answer._original_response.will_close
        assert read_body(answer) == b"ok"
        peer.close()
        connection.close()


def test_the_next_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        directory = Directory(closed.getsockname(), server.getsockname())
        connection = connect(directory)
        connection.connect()
        assert connection.sock.getpeername() == server.getsockname()
        assert connection.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()


def test_where_nobody_answers_is_asked_for_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        directory = Directory(closed.getsockname())
        connection = connect(directory)
        for _ in range(2):
            with pytest.raises(NewConnectionError):
                connection.connect()
    assert directory.asked == 2


def test_failures_are_urllib3s() -> None:
    with pytest.raises(NameResolutionError):
        connect(Directory()).connect()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        held = [socket.socket() for _ in range(8)]
        for one in held:  # the backlog is full: the next one is not answered
            one.setblocking(False)
            one.connect_ex(server.getsockname())
        connection = connect(Directory(server.getsockname()))
        connection.timeout = 0.05
        with pytest.raises(ConnectTimeoutError):
            connection.connect()
        for one in held:
            one.close()


@pytest.mark.parametrize("value", ["a\r\nB: 2", "a\nb", "a\rb", "a\r\n\r\nGET / HTTP/1.1"])
def test_nothing_is_smuggled_into_a_head(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        _build_head("POST", "/", "upstream.test", {"A": value})
    with pytest.raises(ValueError, match="line break"):
        _build_head("POST", "/", "upstream.test", {value: "1"})


@pytest.mark.parametrize(
    ("host", "port", "name"),
    [("a.test", 80, "a.test"), ("a.test", 8080, "a.test:8080"), ("::1", 80, "[::1]"), ("::1", 1, "[::1]:1")],
)
def test_the_name_of_the_host(host: str, port: int, name: str) -> None:
    assert Connection(host, port)._name == name
