"""A file on its way through: its bytes lie in an unlinked temporary file, so that nothing can stay behind."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import tempfile
from typing import BinaryIO

from app.budget import RETRY_SECONDS, Budget
from app.catalogue import load
from app.catalogue.file import OVER_LIMIT
from app.catalogue.message import say_size
from app.core.errors import FileTooLarge, GatewayError, InternalError, OutOfRoom

log = logging.getLogger(__name__)

# What stays free: the state file lies on the same disk, and must always find room.
_MAX_FREE_BYTES = 256 * 1024 * 1024
_FREE_PART = 10


class SpoolRoom:
    """Where spools lie, and how much all of them may take together. A part of the disk stays free."""

    def __init__(self, directory: str | None = None, max_bytes: int = 1024 * 1024 * 1024) -> None:
        """`directory` None is the system's own place for such files."""
        self.directory = directory
        self.budget = Budget(max_bytes, _refuse_more)

    def check_disk(self, fd: int, size_bytes: int) -> None:
        """Raises OutOfRoom where so many bytes would not leave enough of the disk that `fd` lies on."""
        disk = os.fstatvfs(fd)
        kept_free = min(_MAX_FREE_BYTES, disk.f_blocks * disk.f_frsize // _FREE_PART)
        if disk.f_blocks and disk.f_bavail * disk.f_frsize - size_bytes < kept_free:
            raise _disk_is_full()


class Spool:
    """Takes bytes up to a limit; memory does not grow with them. Whoever made it closes it."""

    def __init__(self, max_bytes: int, room: SpoolRoom) -> None:
        """Raises OutOfRoom or InternalError where there is no file to be had."""
        self._max_bytes = max_bytes
        self._room = room
        self._share = room.budget.open()
        self.file: BinaryIO = _open_unlinked(room.directory)
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __repr__(self) -> str:
        return f"<Spool {self.size_bytes} bytes {'closed' if self.file.closed else 'open'}>"

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Raises FileTooLarge beyond the limit, OutOfRoom where there is no room for more at the moment."""
        self.size_bytes += len(data)
        if self.size_bytes > self._max_bytes:
            raise build_too_large(self._max_bytes)
        self._share.take(len(data))
        self._room.check_disk(self.file.fileno(), len(data))
        self._digest.update(data)
        try:
            self.file.write(data)
        except OSError as exc:
            raise _no_room(exc) from exc

    def finish(self) -> None:
        """Everything is written. Raises as `write` does."""
        try:
            self.file.flush()
        except OSError as exc:
            raise _no_room(exc) from exc

    def close(self) -> None:
        """Idempotent; the bytes are gone with it."""
        self._share.close()
        try:
            self.file.close()
        except OSError as exc:  # what was still to be written did not fit; it is closed all the same
            log.warning("an attached file could not be written to its end: %s", exc.strerror)


def _open_unlinked(directory: str | None) -> BinaryIO:
    try:
        return tempfile.TemporaryFile(dir=directory)
    except OSError as exc:
        raise _no_room(exc) from exc


def _no_room(exc: OSError) -> GatewayError:
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return _disk_is_full()
    log.error("no room for attached files: %s", exc.strerror)
    return InternalError(load.NO_ROOM_FOR_FILES)


def _disk_is_full() -> OutOfRoom:
    return OutOfRoom(
        load.DISK_FULL,
        retry_after_seconds=RETRY_SECONDS,
    )


def _refuse_more(max_bytes: int) -> OutOfRoom:
    return OutOfRoom(
        load.SPOOL_FULL.fill(max_bytes=max_bytes),
        retry_after_seconds=RETRY_SECONDS,
    )


def build_too_large(max_bytes: int) -> FileTooLarge:
    return FileTooLarge(OVER_LIMIT.fill(max_bytes=max_bytes, size=say_size(max_bytes)))


class SpooledFile:
    """A file that was fetched and looked at. Whoever fetched it closes it; reads start at the beginning."""

    __slots__ = ("_spool", "height", "media_type", "name", "width")

    def __init__(self, spool: Spool, name: str, media_type: str, size: tuple[int, int] | None) -> None:
        """`size` is the width and height of a picture, None for a document."""
        self._spool = spool
        self.name = name
        self.media_type = media_type
        self.width, self.height = size or (0, 0)

    def __repr__(self) -> str:
        return f"<SpooledFile {self.media_type} {self._spool!r}>"

    @property
    def is_picture(self) -> bool:
        return self.width > 0

    @property
    def size_bytes(self) -> int:
        return self._spool.size_bytes

    @property
    def sha256(self) -> str:
        return self._spool.sha256

    def open(self) -> BinaryIO:
        """The one handle, at its beginning; it is not the caller's to close."""
        self._spool.file.seek(0)
        return self._spool.file

    def close(self) -> None:
        """Idempotent."""
        self._spool.close()
