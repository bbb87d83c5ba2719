"""The client that the tests of the wire lean on tells whole answers from broken ones."""

from __future__ import annotations

import socket

import pytest

from tests.loopback import LoopbackServer
from tests.raw_client import RawClient, open_chat

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SIZED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n"


class TalkingServer(LoopbackServer):
    """Says the same to everybody, byte by byte, and hangs up; `heard` is what the last one sent."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data
        self.heard = b""

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            self.heard = connection.recv(65_536)
            for position in range(len(self._data)):
                connection.sendall(self._data[position : position + 1])
            connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize(
    ("data", "status", "pieces", "is_whole"),
    [
        (SIZED + b"abc", 404, [b"abc"], True),
        (SIZED + b"ab", 404, [], False),
        (CHUNKED + b"2\r\n\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", 200, [b"\r\n", b"0123456789"], True),
        (CHUNKED + b"1\r\na\r\n0\r\n", 200, [b"a"], False),
        (CHUNKED + b"1\r\na\r\n", 200, [b"a"], False),
        (CHUNKED + b"2\r\na", 200, [], False),
    ],
)
def test_whole_and_broken_answers(data: bytes, status: int, pieces: list[bytes], *, is_whole: bool) -> None:
    with TalkingServer(data) as server, RawClient(f"http://127.0.0.1:{server.port}") as client:
        client.send_request("GET", "/", {})
        answer = client.read_answer()
    assert (answer.status, answer.pieces, answer.is_whole) == (status, pieces, is_whole)


def test_a_broken_head_is_no_answer() -> None:
    with TalkingServer(SIZED[:20]) as server, RawClient(f"http://127.0.0.1:{server.port}") as client:
        client.send_request("GET", "/", {})
        with pytest.raises(ConnectionError, match="inside a head"):
            client.read_head()


def test_what_came_is_kept_until_it_is_taken() -> None:
    with TalkingServer(SIZED + b"abc") as server, RawClient(f"http://127.0.0.1:{server.port}") as client:
        client.send_request("GET", "/", {})
        assert client.read_until(b"Not Found").startswith(b"HTTP/1.1 404 ")
        assert client.read_answer().body == b"abc"
        assert client.read_to_end() == b""
        client.send_request("GET", "/", {})
        assert client.read_to_end() == SIZED + b"abc", "on a new connection"
        assert server.connections == 2


def test_half_a_request() -> None:
    with TalkingServer(b"") as server:
        url = f"http://127.0.0.1:{server.port}"
        with open_chat(url, "key", "你好", stream=True, send_bytes=30) as client:
            assert client.read_to_end() == b""
    assert server.heard == b"POST /v1/chat/completions HTTP/1.1\r\n"[:30]
