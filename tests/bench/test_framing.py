"""The end of a response is noticed, however its bytes are cut; nothing else passes for it."""

from __future__ import annotations

import pytest

from bench.framing import BrokenResponse, EndFinder, parse_response

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n0\n\n\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
SIZED = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"


@pytest.mark.parametrize("raw", [CHUNKED, EMPTY, SIZED])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_last_byte_is_noticed(raw: bytes, size: int) -> None:
    finder = EndFinder()
    verdicts = [finder.feed(raw[start : start + size]) for start in range(0, len(raw), size)]
    assert verdicts[-1]
    assert not any(verdicts[:-1])
    assert finder.closes == (raw is SIZED)


def test_without_a_length_the_connection_is_the_end() -> None:
    finder = EndFinder()
    assert not finder.feed(b"HTTP/1.1 200 OK\r\n\r\nall\r\n0\r\n\r\n")
    assert finder.ends_with_connection


def test_a_piece_has_the_time_of_its_last_byte() -> None:
    reads = [(number, CHUNKED[number : number + 1]) for number in range(len(CHUNKED))]
    response = parse_response(reads)
    assert response.status == 200
    assert response.body == b"hello0\n\n"
    last_bytes = [CHUNKED.index(b"hello") + 4, CHUNKED.index(b"3\r\n0") + 5]
    assert [moment for moment, _ in response.pieces] == last_bytes


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200", CHUNKED[:-8], b"nonsense\r\n\r\n"])
def test_half_a_response_is_broken(raw: bytes) -> None:
    with pytest.raises(BrokenResponse):
        parse_response([(1, raw)])
