"""Framing in every cutting, and reading from real sockets without ever blocking."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import UpstreamInvalid
from app.upstream.body import BodyReader, ChunkedFraming, LengthFraming
from app.upstream.head import AnswerHead
from tests.app.upstream.hostile import LoopWatch
from tests.app.upstream.scripted import reset
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


@pytest.mark.parametrize(
    "data",
    [
        b"zz\r\n",
        b"\r\n\r\n",
        b"-1\r\nx",
        b"1" * 5000,
        b"1_0\r\n",
        b"0x5\r\n",
        b"+5\r\n",
        b" 5\r\n",
        b"5 5\r\n",
    ],
)
def test_broken_framing(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        ChunkedFraming().feed(data)


@pytest.mark.parametrize("tail", [b"xx", b"\n\r", b"\rx", b"\n5\r\n", b"zz\r\n", b"\r\nzz\r\n"])
def test_what_came_before_the_framing_broke_is_kept(tail: bytes) -> None:
    """In one read, and in every other cutting."""
    for pieces in cuttings(b"5\r\nhello" + tail, random.Random(3)):
        framing, body = ChunkedFraming(), b""
        try:
            for piece in pieces:
                body += framing.feed(piece)
                if framing.failure is not None:
                    raise framing.failure
        except UpstreamInvalid:
            pass
        else:
            pytest.fail(f"nobody minded {pieces}")
        assert body == b"hello"


@pytest.mark.parametrize("line", [b"5", b"5 ", b"5\t;x", b"5;a=b;c", b"05", b"0005"])
def test_sizes_that_are_read(line: bytes) -> None:
    assert ChunkedFraming().feed(line + b"\r\nhello\r\n") == b"hello"


def test_a_length_is_counted() -> None:
    framing = LengthFraming(5)
    assert (framing.feed(b"hel"), framing.complete) == (b"hel", False)
    assert (framing.feed(b"lo!"), framing.complete) == (b"lo", True)
    assert LengthFraming(0).complete
    assert not LengthFraming(None).complete


def test_a_line_end_may_be_cut_anywhere() -> None:
    framing = ChunkedFraming()
    assert framing.feed(b"2\r") == b""
    assert framing.feed(b"\nhi\r") == b"hi"
    assert framing.feed(b"\n0\r\n") == b""
    assert not framing.complete
    framing.feed(b"\r\n")
    assert framing.complete


def test_nothing_after_the_end_belongs_to_the_body() -> None:
    framing = ChunkedFraming()
    assert framing.feed(b"1\r\nx\r\n0\r\n\r\nHTTP/1.1 400") == b"x"
    assert framing.complete


def test_trailers_without_end_are_refused() -> None:
    framing = ChunkedFraming()
    framing.feed(b"0\r\n" + b"a: b\r\n" * 16_000)
    assert not framing.complete
    with pytest.raises(UpstreamInvalid):
        framing.feed(b"a: b\r\n" * 1000)


def test_a_trailer_without_end_is_refused() -> None:
    framing = ChunkedFraming()
    framing.feed(b"0\r\n" + b"x" * 4000)
    with pytest.raises(UpstreamInvalid):
        framing.feed(b"x" * 1000)


@given(st.binary(max_size=60), st.integers(0, 80), st.integers(1, 9))
def test_any_length_in_any_cutting(data: bytes, length: int, step: int) -> None:
    framing = LengthFraming(length)
    read = b"".join(framing.feed(data[i : i + step]) for i in range(0, len(data), step))
    assert (read, framing.complete) == (data[:length], len(data) >= length)


@given(st.binary(max_size=60), st.integers(1, 9))
def test_noise_is_refused_or_read_alike_in_any_cutting(noise: bytes, step: int) -> None:
    def read(pieces: list[bytes]) -> tuple[bytes, bool | None]:
        framing, body = ChunkedFraming(), b""
        try:
            for piece in pieces:
                body += framing.feed(piece)
        except UpstreamInvalid:
            return b"", None
        return body, framing.complete

    assert read([noise]) == read([noise[i : i + step] for i in range(0, len(noise), step)])


@contextmanager
def reading(head: bytes, first: bytes = b"") -> Iterator[tuple[BodyReader, socket.socket]]:
    """A reader of the response that `head` and `first` begin, and the socket that sends the rest."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + first)
    response = AnswerHead(ours)
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


def test_a_reset_is_an_error_and_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname(), timeout=5)
        upstream, _ = listener.accept()
    upstream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
    response = AnswerHead(ours)
    response.begin()
    reader = BodyReader(response)
    assert reader.read(5) == b"hi"
    reset(upstream)
    with pytest.raises(OSError, match="reset"):
        reader.read(5)
    assert not reader.complete
    reader.close()
    reader.close()
    ours.close()


def test_what_came_before_is_read_first_and_nothing_is_waited_for() -> None:
    with reading(b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\nzz\r\n") as (reader, _):
        assert reader.read(5) == b"hello"
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(UpstreamInvalid):
                reader.read(5)
        assert time.monotonic() - begun < 5


def test_broken_framing_on_the_wire() -> None:
    with (
        reading(b"Transfer-Encoding: chunked\r\n", b"hello\r\n") as (reader, _),
        pytest.raises(UpstreamInvalid),
    ):
        reader.read(5)


def test_an_empty_body() -> None:
    with reading(b"Content-Length: 0\r\n") as (reader, _):
        assert reader.read(5) == b""
        assert reader.complete


def test_a_chunk_header_alone_is_not_the_end() -> None:
    with reading(b"Transfer-Encoding: chunked\r\n", b"2\r\n") as (reader, upstream):
        assert reader.read(0.01) is None
        upstream.sendall(b"hi\r\n")
        assert reader.read(5) == b"hi"


def test_many_small_chunks_are_read_in_turns() -> None:
    chunks = b"1\r\nx\r\n" * 2000
    framing = ChunkedFraming()
    assert framing.feed(chunks) == b"x" * 256
    with reading(b"Transfer-Encoding: chunked\r\n") as (reader, upstream), LoopWatch(0) as watch:
        upstream.sendall(chunks + b"0\r\n\r\n")
        pieces = [*iter(lambda: reader.read(5) or b"", b"")]
    assert b"".join(pieces) == b"x" * 2000
    assert reader.complete
    assert max(map(len, pieces)) <= 256
    assert watch.turns >= len(pieces)


FRAMING_ALONE = [b"1;" + b"x" * 4000, b"1\r\n \r\n0\r\na: b\r\n"]


@pytest.mark.parametrize("begin", FRAMING_ALONE, ids=["size line", "trailer"])
def test_bytes_that_only_frame_are_silence(begin: bytes) -> None:
    """Else a caller would never come to look at its own clocks."""
    with reading(b"Transfer-Encoding: chunked\r\n", begin) as (reader, upstream):
        done = threading.Event()

        def trickle() -> None:
            for _ in range(3000):
                if done.wait(0.01):
                    return
                upstream.sendall(b"x")
            upstream.close()

        thread = threading.Thread(target=trickle)
        thread.start()
        assert reader.read(5 if begin[:3] == b"1\r\n" else 0.1) in (b" ", None)
        assert reader.read(0.1) is None
        done.set()
        thread.join()


def test_other_greenlets_run_while_a_body_is_silent() -> None:
    ran: list[int] = []
    gevent.spawn_later(0.01, ran.append, 1)
    with reading(b"Transfer-Encoding: chunked\r\n") as (reader, _):
        assert reader.read(0.1) is None
    assert ran == [1]
