"""Undoing a Content-Encoding that nobody asked for, in pieces of bounded size. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from app.catalogue.file import COMPRESSED_BREAKS_OFF, COMPRESSED_DAMAGED, COMPRESSED_UNASKED
from app.core.errors import FileUnavailable
from app.inflate import INFLATED_CODINGS, DamagedStream, Inflater


class Decoder(Protocol):
    """Bytes as they came in, bytes as they were meant out."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> None:
        """Raises FileUnavailable where the end is missing."""


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None:
        return


class _Inflate:
    """One piece at a time, so that whoever counts can stop a bomb before it is large."""

    def __init__(self) -> None:
        self._inflater = Inflater()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            yield from self._inflater.feed(data)
        except DamagedStream as exc:
            raise FileUnavailable(COMPRESSED_DAMAGED) from exc

    def finish(self) -> None:
        if not self._inflater.is_whole:
            raise FileUnavailable(COMPRESSED_BREAKS_OFF)


def build_decoder(encoding: str) -> Decoder:
    """For the value of a Content-Encoding header. Raises FileUnavailable for what is not undone here."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Identity()
    if name in INFLATED_CODINGS:
        return _Inflate()
    raise FileUnavailable(COMPRESSED_UNASKED)
