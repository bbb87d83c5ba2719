"""Bodies: what is refused is refused without a byte of it, and what follows is known to be no request."""

from __future__ import annotations

import itertools
import traceback

import pytest

from app.server.body import MAX_DRAINED_BYTES, RequestBody
from app.server.error import MalformedRequest
from app.server.incoming import FairShare
from tests.app.server.conftest import Parse, ScriptedClient

SECRET = b"MY-SECRET-DIARY"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def with_length(count: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % count


def open_body(parse: Parse, data: bytes | ScriptedClient) -> RequestBody:
    body = next(parse(data)).body
    assert isinstance(body, RequestBody)
    return body


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (with_length(5) + b"hello", b"hello"),
        (with_length(0), b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (CHUNKED + b"1\r\nh\r\n4;name=value\r\nello\r\n0\r\nTrailer-Field: x\r\n\r\n", b"hello"),
    ],
)
def test_good_bodies(parse: Parse, data: bytes, body: bytes) -> None:
    pieces = [data[n : n + 3] for n in range(0, len(data), 3)]
    for client in (ScriptedClient([data]), ScriptedClient(pieces)):
        found = open_body(parse, client)
        assert found.read() == body
        assert found.read(1) == b""
        assert (found.left_bytes, found.must_close(), found.failed) == (0, False, False)


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b'{"messages": "' + SECRET + b'"}',
        CHUNKED + SECRET + b"\r\n",
        CHUNKED + b"5\r\nhello" + SECRET,
        CHUNKED + b"5;" + SECRET + b" \x00\r\nhello\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\n" + SECRET + b"\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: " + SECRET + b"\r\n\r\n",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        with_length(100) + SECRET,
    ],
)
def test_a_body_that_is_not_framed_as_it_says(parse: Parse, data: bytes) -> None:
    body = open_body(parse, data)
    with pytest.raises(MalformedRequest) as raised:
        body.read()
    assert SECRET.decode() not in "".join(traceback.format_exception(raised.value))
    assert body.failed
    assert body.must_close()


@pytest.mark.parametrize("endless", [b"1;" + b"x" * 500, b"1", b"x: y\r\n"])
def test_chunk_lines_and_trailers_are_bounded(parse: Parse, endless: bytes) -> None:
    begin = b"0\r\n" if endless.endswith(b"\n") else b""
    client = ScriptedClient(itertools.chain([CHUNKED + begin], itertools.repeat(endless)))
    body = open_body(parse, client)
    with pytest.raises(MalformedRequest):
        body.read()
    assert client.received < 20_000


def test_very_many_very_small_chunks_are_refused(parse: Parse) -> None:
    client = ScriptedClient(itertools.chain([CHUNKED], itertools.repeat(b"1\r\nx\r\n" * 1000)))
    with pytest.raises(MalformedRequest, match="too small"):
        open_body(parse, client).read()
    assert client.received < 110_000


def test_an_encoder_that_sends_every_token_of_json_is_not(parse: Parse) -> None:
    tokens = [
        b"{",
        b'"role"',
        b": ",
        b'"user"',
        b", ",
        b'"content"',
        b": ",
        b'"' + b"word " * 5 + b'"',
        b"}",
        b", ",
    ]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(token), token) for token in tokens)
    client = ScriptedClient([CHUNKED, *[chunks] * 5000, b"0\r\n\r\n"])
    assert len(open_body(parse, client).read()) == 5000 * sum(map(len, tokens))


def test_others_get_their_turn_between_chunks_that_are_there_already(parse: Parse) -> None:
    """One `recv` brings them all, and reading each takes its time."""
    client = ScriptedClient([CHUNKED + b"4\r\nxxxx\r\n" * 1000 + b"0\r\n\r\n"])
    body = open_body(parse, client)
    cooperate, now = client.cooperate, client.clock

    def tick() -> float:
        client.now += 0.00005
        return now()

    body.reader._share._clock = tick
    body.reader._share._give_way = cooperate
    assert len(body.read()) == 4000
    assert client.turns >= 10


@pytest.mark.parametrize(
    ("data", "closes"),
    [
        (with_length(MAX_DRAINED_BYTES), False),
        (with_length(MAX_DRAINED_BYTES + 1), True),
        (CHUNKED, True),
        (with_length(5).replace(b"Host", b"Expect: 100-continue\r\nHost"), True),
        (with_length(0), False),
    ],
)
def test_an_answer_to_an_unread_body_says_whether_it_is_the_last(
    parse: Parse, data: bytes, *, closes: bool
) -> None:
    request = next(parse(ScriptedClient([data])))
    assert request.should_close() is closes


def test_a_small_unread_body_is_read_and_the_next_request_found(parse: Parse) -> None:
    second = b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
    parser = parse(with_length(60_000) + b"x" * 60_000 + second)
    assert next(parser).path == "/"
    assert next(parser).path == "/second"


@pytest.mark.parametrize("data", [with_length(60_000) + b"x" * 100, with_length(60_000)])
def test_an_unread_body_that_does_not_come_ends_the_connection(parse: Parse, data: bytes) -> None:
    parser = parse(data)
    next(parser)
    with pytest.raises(StopIteration):
        next(parser)


def test_an_unread_body_that_is_large_ends_the_connection(parse: Parse) -> None:
    client = ScriptedClient([with_length(10_000_000), *[b"x" * 8192] * 1000])
    parser = parse(client)
    next(parser)
    with pytest.raises(StopIteration):
        next(parser)
    assert client.received < 200_000


LARGE = b"x" * (4 * 1024 * 1024)


@pytest.mark.parametrize(
    "data", [with_length(len(LARGE)) + LARGE, CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE)]
)
def test_others_get_their_turn_while_a_large_body_is_read(parse: Parse, data: bytes) -> None:
    """All of it is there at once, and asked for in usual pieces: no more is received with a turn."""
    client = ScriptedClient([data])
    body = open_body(parse, client)
    while body.read(FairShare.MAX_BYTES):
        pass
    assert client.turns >= len(LARGE) // FairShare.MAX_BYTES - 2  # the first came with the head
