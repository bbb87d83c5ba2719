"""Heads as servers write them are read as `http.client` reads them; all others are left to it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.upstream.head import AnswerHead, UsualHead, read_usual_head

USUAL = [
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nConnection: keep-alive\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 10\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nA: 1\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
    b"HTTP/1.1 401 \r\ncontent-length:0\r\n\r\n",
    b"HTTP/1.1 502\r\nX-Empty:\r\nX-Tab:\t a\r\nContent-Length: 007\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 999 Ours: all\r\nSet-Cookie: a=b; path=/\r\nContent-Length: 1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
]
UNUSUAL = [
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\t\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nA: \xe5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: a\rb\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"<html>",
]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5.0)
    with ours, theirs:
        yield ours, theirs


def describe(head: UsualHead | AnswerHead) -> tuple[object, ...]:
    return (
        head.status,
        head.version,
        head.reason,
        list(head.headers.items()),
        head.chunked,
        head.length,
        head.will_close,
        head.take_buffered(),
    )


def read_slowly(data: bytes) -> tuple[object, ...]:
    """What `http.client` makes of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5.0)
        theirs.shutdown(socket.SHUT_WR)
        head = AnswerHead(ours, received=data)
        try:
            head.begin()
            return describe(head)
        finally:
            head.close()


@pytest.mark.parametrize("data", USUAL)
def test_a_usual_head_is_read_as_http_client_reads_it(
    pair: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    head = read_usual_head(pair[0], data)
    assert head is not None
    assert describe(head) == read_slowly(data)


@pytest.mark.parametrize("data", UNUSUAL)
def test_an_unusual_one_is_left_to_http_client(
    pair: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    assert read_usual_head(pair[0], data) is None


NAMES = ["Content-Length", "content-length", "Transfer-Encoding", "Connection", "A", "x-b", "A ", "", "Ä"]
VALUES = [
    "",
    "0",
    "7",
    "+7",
    "chunked",
    "CHUNKED",
    "close",
    "keep-alive, Close",
    " x ",
    "\t",
    "a\rb",
    "ä",
    "a: b",
]
FIELDS = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES), st.sampled_from(["\r\n", "\n", "\r\n "]))


@given(
    st.sampled_from(["HTTP/1.1 200 OK", "HTTP/1.1 204", "HTTP/1.0 200 OK", "HTTP/1.1 500  a "]),
    st.lists(FIELDS),
)
def test_whatever_is_read_quickly_is_read_the_same(line: str, fields: list[tuple[str, str, str]]) -> None:
    text = f"{line}\r\n" + "".join(f"{name}: {value}{end}" for name, value, end in fields) + "\r\nbody"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        head = read_usual_head(ours, text.encode("latin-1"))
        if head is not None:
            assert describe(head) == read_slowly(text.encode("latin-1"))


def test_no_head_takes_long_to_be_told_from_a_usual_one(pair: tuple[socket.socket, socket.socket]) -> None:
    """The pattern never goes back, else each of these would take minutes."""
    for rest in (b"A: 1\r\n" * 10_000, b"a" * 60_000, b"A:" + b" " * 60_000, b"A:\r\n" * 20_000 + b"A"):
        assert read_usual_head(pair[0], b"HTTP/1.1 200 OK\r\n" + rest) is None


def test_a_head_in_two_pieces_goes_on_where_the_first_ended(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(b"-Length: 2\r\n\r\nhi")
    head = AnswerHead(ours, received=b"HTTP/1.1 200 OK\r\nContent")
    head.begin()
    assert (head.status, head.length, head.take_buffered()) == (200, 2, b"hi")
    head.close()


def test_a_head_that_breaks_off_is_none(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.shutdown(socket.SHUT_WR)
    head = AnswerHead(ours, received=b"HTTP")
    with pytest.raises(http.client.HTTPException):
        head.begin()
    head.close()


@pytest.mark.parametrize("size", [1, 8_000, 8_192, 9_000, 65_000])
@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 9_000 + b"\r\nX-Long: z\r\n",
    ],
    ids=["cookies", "hints", "long"],
)
def test_all_that_came_along_with_an_unusual_head_is_handed_on(
    pair: tuple[socket.socket, socket.socket], before: bytes, size: int
) -> None:
    body = bytes(range(256)) * 256
    head = AnswerHead(pair[0], received=before + b"Content-Length: %d\r\n\r\n" % size + body[:size])
    with closing(head):
        head.begin()
        assert (head.length, head.take_buffered()) == (size, body[:size])
