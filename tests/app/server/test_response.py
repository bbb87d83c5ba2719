"""Answers leave in as few writes as they can, and with every byte where it belongs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.server.response import DateClock, GatewayResponse, LastPiece


class Socket:
    """Notes what each write brought."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.takes_bytes = 1 << 20

    def send(self, data: bytes) -> int:
        self.writes.append(data[: self.takes_bytes])
        return len(self.writes[-1])

    def sendall(self, data: memoryview) -> None:
        self.writes.append(bytes(data))


def answer(
    status: str,
    headers: list[tuple[str, str]],
    pieces: list[bytes],
    *,
    method: str = "POST",
    version: Any = (1, 1),
    connection: Socket | None = None,
) -> list[bytes]:
    connection = connection or Socket()
    request = SimpleNamespace(method=method, version=version, should_close=lambda: False)
    response = GatewayResponse(request, connection, SimpleNamespace(protocol="http"))
    response.start_response(status, headers)
    for piece in pieces:
        response.write(piece)
    response.close()
    return connection.writes


def test_a_whole_answer_is_one_write() -> None:
    (write,) = answer("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")], [b"{}"])
    head, _, body = write.partition(b"\r\n\r\n")
    assert body == b"{}"
    assert head.split(b"\r\n")[0] == b"HTTP/1.1 200 OK"
    assert {b"Content-Type: application/json", b"Content-Length: 2", b"Connection: keep-alive"} < set(
        head.split(b"\r\n")
    )


def test_the_head_of_a_stream_leaves_with_its_first_piece() -> None:
    first, second, last = answer("200 OK", [("Content-Type", "text/event-stream")], [b"a" * 17, b"b"])
    head, _, body = first.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert (body, second, last) == (b"11\r\n" + b"a" * 17 + b"\r\n", b"1\r\nb\r\n", b"0\r\n\r\n")


def test_the_last_piece_of_a_stream_leaves_with_its_end() -> None:
    _, rest = answer("200 OK", [], [b"a", LastPiece(b"b")])
    assert rest == b"1\r\nb\r\n0\r\n\r\n"


@pytest.mark.parametrize("pieces", [[LastPiece(b"ab")], [b"a", LastPiece(b"b")], [b"ab", LastPiece()]])
def test_a_last_piece_is_lost_nowhere(pieces: list[bytes]) -> None:
    assert b"".join(answer("200 OK", [("Content-Length", "2")], pieces)).endswith(b"\r\n\r\nab")
    assert b"".join(answer("200 OK", [], pieces, version=(1, 0))).endswith(b"\r\n\r\nab")
    assert b"".join(answer("200 OK", [], pieces)).endswith(b"b\r\n0\r\n\r\n")


def test_empty_pieces_do_not_end_a_stream() -> None:
    _, second, third, last = answer("200 OK", [], [b"a", b"", b"b", b"", b"c"])
    assert (second, third, last) == (b"1\r\nb\r\n", b"1\r\nc\r\n", b"0\r\n\r\n")


def test_what_the_kernel_does_not_take_of_a_piece_at_once_follows() -> None:
    connection = Socket()
    connection.takes_bytes = 3
    writes = answer("200 OK", [], [b"a" * 30, b"b" * 30], connection=connection)
    assert b"".join(writes).endswith(b"1E\r\n" + b"a" * 30 + b"\r\n1E\r\n" + b"b" * 30 + b"\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("status", "headers", "pieces", "method"),
    [
        ("204 No Content", [], [], "POST"),
        ("200 OK", [("Content-Length", "2")], [b"{}"], "HEAD"),
        ("200 OK", [("Content-Length", "0")], [b""], "GET"),
        ("304 Not Modified", [], [b""], "GET"),
    ],
)
def test_an_answer_without_a_body_is_its_head(
    status: str, headers: list[tuple[str, str]], pieces: list[bytes], method: str
) -> None:
    (write,) = answer(status, headers, pieces, method=method)
    assert write.startswith(b"HTTP/1.1 " + status.encode())
    assert write.endswith(b"\r\n\r\n")
    assert write.count(b"\r\n\r\n") == 1


def test_an_empty_stream_is_framed_as_one() -> None:
    (write,) = answer("200 OK", [], [])
    assert write.endswith(b"\r\n\r\n0\r\n\r\n")


def test_a_head_does_not_wait_for_pieces_that_hold_nothing() -> None:
    writes = answer("200 OK", [], [b"", b"later"])
    assert writes[0].endswith(b"\r\n\r\n")
    assert writes[1:] == [b"5\r\nlater\r\n", b"0\r\n\r\n"]


def test_a_long_body_is_not_copied_for_its_head() -> None:
    body = b"x" * 100_000
    head, rest = answer("200 OK", [("Content-Length", str(len(body)))], [body])
    assert head.endswith(b"\r\n\r\n")
    assert rest is body


def test_nothing_is_framed_for_http_1_0() -> None:
    (write,) = answer("200 OK", [], [b"ab"], version=(1, 0))
    assert write.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"Connection: close\r\n" in write
    assert write.endswith(b"\r\n\r\nab")


def test_a_head_cannot_be_split() -> None:
    with pytest.raises(Exception, match="X-A"):
        answer("200 OK", [("X-A", "b\r\nX-B: c")], [])


def test_the_date_is_written_anew_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, now = DateClock(), [0.0]
    monkeypatch.setattr("app.server.response.time.time", lambda: now[0])
    assert clock.read() == "Thu, 01 Jan 1970 00:00:00 GMT"
    now[0] = 59.9
    assert clock.read() == "Thu, 01 Jan 1970 00:00:59 GMT"
