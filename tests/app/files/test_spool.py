"""Spools share one room: beyond it, or where the disk would be full, it is 503, and all is given back."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.errors import FileTooLarge, InternalError, OutOfRoom
from app.files.spool import Spool, SpoolRoom

MEBIBYTE = 1024 * 1024


@pytest.fixture
def room() -> Iterator[SpoolRoom]:
    room = SpoolRoom(max_bytes=1000)
    yield room
    assert room.budget.held_bytes == 0


def test_they_fill_the_room_together(room: SpoolRoom) -> None:
    first, second = Spool(800, room), Spool(800, room)
    first.write(b"x" * 700)
    second.write(b"x" * 300)
    with pytest.raises(OutOfRoom, match="GLM_SPOOL_MAX_BYTES") as raised:
        second.write(b"x")
    assert (raised.value.status, raised.value.retry_after_seconds) == (503, 5)
    first.close()
    second.write(b"x" * 400)
    second.close()
    second.close()


def test_what_is_too_large_alone_takes_no_room(room: SpoolRoom) -> None:
    alone = Spool(10, room)
    with pytest.raises(FileTooLarge):
        alone.write(b"x" * 11)
    assert room.budget.held_bytes == 0
    alone.close()


def disk(*, free: int, size: int) -> Any:
    return SimpleNamespace(f_frsize=4096, f_blocks=size // 4096, f_bavail=free // 4096)


@pytest.mark.parametrize(
    ("free", "size", "fits"),
    [
        (MEBIBYTE, 6 * MEBIBYTE, True),
        (MEBIBYTE // 2, 6 * MEBIBYTE, False),
        (300 * MEBIBYTE, 10_000 * MEBIBYTE, True),
        (255 * MEBIBYTE, 10_000 * MEBIBYTE, False),
        (0, 0, True),  # a disk that does not tell
    ],
)
def test_a_part_of_the_disk_stays_free(
    room: SpoolRoom, monkeypatch: pytest.MonkeyPatch, free: int, size: int, fits: bool
) -> None:
    monkeypatch.setattr(os, "fstatvfs", lambda _: disk(free=free, size=size))
    one = Spool(1000, room)
    if fits:
        one.write(b"x" * 100)
    else:
        with pytest.raises(OutOfRoom, match="disk"):
            one.write(b"x" * 100)
    one.close()


class BrokenFile:
    """A file of a disk that fails in the named moment."""

    def __init__(self, moment: str, number: int) -> None:
        self._moment, self._number = moment, number
        self.closed = False

    def _act(self, moment: str) -> None:
        if moment == self._moment:
            raise OSError(self._number, os.strerror(self._number))

    def fileno(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self._act("write")

    def flush(self) -> None:
        self._act("flush")

    def close(self) -> None:
        self.closed = True
        self._act("close")


@pytest.mark.parametrize("moment", ["write", "flush", "close"])
@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, OutOfRoom), (errno.EIO, InternalError)])
def test_a_disk_that_fails(
    room: SpoolRoom, monkeypatch: pytest.MonkeyPatch, moment: str, number: int, error: type[Exception]
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: BrokenFile(moment, number))
    one = Spool(1000, room)
    if moment == "close":
        one.write(b"x")
        one.finish()
    else:
        with pytest.raises(error):
            write_all(one)
    one.close()
    assert one.file.closed


def write_all(one: Spool) -> None:
    one.write(b"x")
    one.finish()
