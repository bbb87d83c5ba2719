"""Framing in every cutting, and reading from real sockets without ever blocking."""

from __future__ import annotations

import http.client
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UpstreamInvalid
from app.upstream.body import BodyReader, ChunkedFraming, LengthFraming
from tests.fixture_table import cuttings

CHUNKED = b"5\r\nhello\r\n1;name=value\r\n,\r\n6\r\n world\r\n0\r\nTrailer: x\r\n\r\n"


def test_chunks_in_every_cutting() -> None:
    for pieces in cuttings(CHUNKED, random.Random(3)):
        framing = ChunkedFraming()
        assert b"".join(framing.feed(piece) for piece in pieces) == b"hello, world"
        assert framing.complete


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 50))
def test_any_chunks_in_any_cutting(chunks: list[bytes], step: int) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    framing = ChunkedFraming()
    read = b"".join(framing.feed(data[i : i + step]) for i in range(0, len(data), step))
    assert (read, framing.complete) == (b"".join(chunks), True)


@pytest.mark.parametrize("data", [b"zz\r\n", b"\r\n\r\n", b"-1\r\nx", b"1" * 5000])
def test_broken_framing(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        ChunkedFraming().feed(data)


def test_a_length_is_counted() -> None:
    framing = LengthFraming(5)
    assert (framing.feed(b"hel"), framing.complete) == (b"hel", False)
    assert (framing.feed(b"lo!"), framing.complete) == (b"lo", True)
    assert LengthFraming(0).complete
    assert not LengthFraming(None).complete


@contextmanager
def reading(head: bytes, first: bytes = b"") -> Iterator[tuple[BodyReader, socket.socket]]:
    """A reader of the response that `head` and `first` begin, and the socket that sends the rest."""
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + first)
    response = http.client.HTTPResponse(ours)
    response.begin()
    reader = BodyReader(response)
    try:
        yield reader, theirs
    finally:
        reader.close()
        ours.close()
        theirs.close()


def test_bytes_that_came_with_the_head_are_not_waited_for() -> None:
    with reading(b"Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\n0\r\n\r\n") as (reader, _):
        assert reader.read(5) == b"hi"
        assert reader.read(5) == b""
        assert reader.complete


def test_silence_is_not_the_end() -> None:
    with reading(b"Transfer-Encoding: chunked\r\n") as (reader, upstream):
        assert reader.read(0.01) is None
        upstream.sendall(b"2\r\nhi\r")
        assert reader.read(5) == b"hi"
        assert reader.read(0.01) is None
        upstream.sendall(b"\n0\r\n\r\n")
        assert reader.read(5) == b""


def test_a_cut_body_is_not_complete() -> None:
    with reading(b"Transfer-Encoding: chunked\r\n", b"9\r\ncut") as (reader, upstream):
        assert reader.read(5) == b"cut"
        upstream.close()
        assert reader.read(5) == b""
        assert not reader.complete


def test_a_body_that_ends_with_the_connection() -> None:
    with reading(b"Connection: close\r\n", b"one") as (reader, upstream):
        assert reader.read(5) == b"one"
        upstream.sendall(b"two")
        assert reader.read(5) == b"two"
        upstream.close()
        assert reader.read(5) == b""


def test_a_body_with_a_length() -> None:
    with reading(b"Content-Length: 4\r\n", b"ab") as (reader, upstream):
        assert reader.read(5) == b"ab"
        upstream.sendall(b"cd")
        assert reader.read(5) == b"cd"
        assert reader.complete
