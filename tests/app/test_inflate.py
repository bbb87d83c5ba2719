"""gzip, zlib and bare deflate, whole and in any pieces; bombs come in pieces; damage is told."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inflate import PIECE_BYTES, DamagedStream, Inflater


def deflate_bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "two members": lambda data: gzip.compress(data[:3], mtime=0) + gzip.compress(data[3:], mtime=0),
    "zlib": zlib.compress,
    "bare": deflate_bare,
}


def inflate(data: bytes, step: int = 65536) -> bytes:
    inflater = Inflater()
    pieces = [p for n in range(0, len(data), step) for p in inflater.feed(data[n : n + step])]
    assert inflater.is_whole
    assert all(len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("kind", PACK)
@given(data=st.binary(max_size=300), step=st.integers(1, 400))
def test_what_was_packed_comes_out(kind: str, data: bytes, step: int) -> None:
    assert inflate(PACK[kind](data), step) == data


@pytest.mark.parametrize("behind", [b"\0", b"\0" * 500, b"x", b"\x1f"])
def test_what_stands_behind_the_end_is_passed_over(behind: bytes) -> None:
    assert inflate(gzip.compress(b"hello", mtime=0) + behind) == b"hello"


@pytest.mark.parametrize("kind", PACK)
def test_what_breaks_off_is_not_whole(kind: str) -> None:
    packed = PACK[kind](b"hello, hello, hello")
    for end in range(len(packed)):
        inflater = Inflater()
        said = b"".join(inflater.feed(packed[:end]))
        assert not inflater.is_whole or said == b"hel"  # the first of two members is whole


@pytest.mark.parametrize(
    "data",
    [b'{"model":"glm"}', b"\x1f\x8bhello", b"\xff" * 30, gzip.compress(b"a" * 99, mtime=0)[:-8] + bytes(8)],
)
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(DamagedStream):
        list(Inflater().feed(data))


def test_a_bomb_comes_piece_by_piece() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    pieces = Inflater().feed(bomb)
    assert sum(len(next(pieces)) for _ in range(10)) <= 10 * PIECE_BYTES
