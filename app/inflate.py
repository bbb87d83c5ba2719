"""Undoing gzip and deflate in pieces of bounded size, so that whoever counts stops a bomb early. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE_BYTES = 65536
INFLATED_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
"""The content codings (RFC 9110 8.4.1) that an `Inflater` takes, whichever of them was named."""

_ANY_ZLIB_HEADER = 32 + zlib.MAX_WBITS  # gzip and zlib alike
_GZIP_MAGIC = b"\x1f\x8b"


class DamagedStream(ValueError):
    """The bytes are no gzip or deflate."""


class Inflater:
    """gzip of any number of members (RFC 1952 2.2), zlib, and the bare deflate that some send by its name.

    What is sent is believed, not what is said: a stream is known by its first two bytes. What stands behind
    the end and begins no other member is passed over, as browsers do.
    """

    def __init__(self) -> None:
        self._inflater: zlib._Decompress | None = None
        self._begin = b""
        self._is_over = False

    @property
    def is_whole(self) -> bool:
        """Whether the end was reached; another member may follow."""
        return self._inflater is not None and self._inflater.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most PIECE_BYTES, some empty: the caller may give way after each.

        Raises DamagedStream.
        """
        while data and not self._is_over:
            inflater = self._inflater
            if inflater is None or inflater.eof:
                data = self._begin_member(data)
                continue
            try:
                piece = inflater.decompress(data, PIECE_BYTES)
            except zlib.error as exc:
                raise DamagedStream from exc
            data = inflater.unused_data or inflater.unconsumed_tail
            yield piece

    def _begin_member(self, data: bytes) -> bytes:
        """What is to be fed to the member that begins here; empty while its kind is not known."""
        start, self._begin = self._begin + data, b""
        if len(start) < len(_GZIP_MAGIC):
            self._begin = start
            return b""
        is_gzip = start.startswith(_GZIP_MAGIC)
        if self._inflater is not None and not is_gzip:
            self._is_over = True
            return b""
        is_bare = not is_gzip and not _is_zlib_header(start)
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if is_bare else _ANY_ZLIB_HEADER)
        return start


def _is_zlib_header(start: bytes) -> bool:
    """RFC 1950 2.2: the method is deflate, and both bytes together are a multiple of 31."""
    return start[0] & 0x0F == 8 and int.from_bytes(start[:2]) % 31 == 0
