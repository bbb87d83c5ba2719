"""The request parser: whole, byte by byte, and what it refuses."""

from __future__ import annotations

import itertools
import random

import pytest

from upstream_emulator import request as module
from upstream_emulator.request import BadRequest, Request, RequestParser

PLAIN = b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-Empty:\r\n\r\n"
WITH_BODY = b"POST /x HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\nhello"
CHUNKED = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;name=value\r\nlo\r\n0\r\n\r\n"
ALL = PLAIN + b"\r\n" + WITH_BODY + CHUNKED + PLAIN


def parse(*pieces: bytes) -> list[Request]:
    parser, found = RequestParser(), []
    for piece in pieces:
        parser.feed(piece)
        while (request := parser.next_request()) is not None:
            found.append(request)
    return found


def test_requests_one_after_the_other() -> None:
    first, second, third, fourth = parse(ALL)
    assert (first.method, first.path, first.headers) == ("GET", "/a/b", {"host": "x", "x-empty": ""})
    assert (second.method, second.body) == ("POST", b"hello")
    assert third.body == b"hello"
    assert fourth == first


def test_any_cut_gives_the_same() -> None:
    whole = parse(ALL)
    assert parse(*(ALL[index : index + 1] for index in range(len(ALL)))) == whole
    dice = random.Random(1)
    for _ in range(50):
        cuts = [0, *sorted(dice.choices(range(len(ALL)), k=6)), len(ALL)]
        assert parse(*(ALL[start:end] for start, end in itertools.pairwise(cuts))) == whole


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", 400),
        (b"G\x00T / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 505),
        (b"GET / HTTP/2\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 300, 400),
        (b"GET / HTTP/1.1\r\n" + b"x" * 70_000, 431),
    ],
)
def test_what_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(data)
    assert caught.value.status == status


def test_a_chunked_body_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY_BYTES", 4)
    with pytest.raises(BadRequest) as caught:
        parse(CHUNKED)
    assert caught.value.status == 413


def test_waiting_for_a_continue() -> None:
    parser = RequestParser()
    seen = []
    for piece in (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", b"a", b"b"):
        parser.feed(piece)
        request = parser.next_request()
        seen.append((request.body if request else None, parser.awaits_continue))
    assert seen == [(None, True), (None, False), (b"ab", False)]


@pytest.mark.parametrize(
    ("value", "bearer"),
    [
        ("Bearer x", "x"),
        ("bearer  x ", "x"),
        ("Basic x", ""),
        ("Bearer", ""),
        ("", ""),
        ("Bearer a b", "a b"),
    ],
)
def test_the_bearer(value: str, bearer: str) -> None:
    assert Request("GET", "/", {"authorization": value}, b"").bearer == bearer


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_no_json_is_none(body: bytes) -> None:
    assert Request("POST", "/", {}, body).json() is None
