"""One state file, one gateway, by whatever names the two of them know it.

Without SQLite: gunicorn's master, which stays as large as it has once been, asks before anything starts.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

# Far behind the bytes that SQLite locks, and behind any data: the lock says only who has the file.
_LOCKED_BYTE = 2**62
# Of the open file, not of the process: closing another handle of the same file does not end it, as it ends
# the older kind, SQLite's. Linux has it, and macOS where Python names it.
_SET_LOCK: int | None = getattr(fcntl, "F_OFD_SETLK", None)


MEMORY = ":memory:"
"""The path that names no file."""


class StateInUse(Exception):
    """Another process holds the state file."""


class StateLock:
    """Holds `<file>.lock` beside the file until `close`; `cover` holds the file itself as well.

    The one beside is what older versions know, and works on any file system. The other one also meets a
    gateway that came by a hard link, or by a mount of the file alone.
    """

    def __init__(self, path: Path) -> None:
        """`path` is resolved already. Raises StateInUse, or OSError where nothing can be written there."""
        self._path = path
        self._covered: dict[tuple[int, int], int] = {}
        self._beside = path.with_name(path.name + ".lock").open("ab")
        try:
            fcntl.flock(self._beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._beside.close()
            raise self._in_use() from None

    def cover(self) -> None:
        """Hold the file that lies there now, which is made where there is none, for its owner alone.

        Call while SQLite does not have it open: a handle that is closed takes SQLite's locks with it.
        Raises StateInUse, or OSError where the file cannot be written.
        """
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(PermissionError):  # somebody else's file that we may write
            self._path.chmod(0o600)
        status = os.fstat(handle)
        file = (status.st_dev, status.st_ino)
        if file in self._covered:
            os.close(handle)
            return
        try:
            _lock_byte(handle)
        except BlockingIOError:
            os.close(handle)
            raise self._in_use() from None
        self._covered[file] = handle

    def close(self) -> None:
        """Idempotent. Call when SQLite has closed the file."""
        while self._covered:
            os.close(self._covered.popitem()[1])
        self._beside.close()

    def _in_use(self) -> StateInUse:
        return StateInUse(
            f"GLM_STATE_PATH {self._path} is in use by another gateway. Give each its own file: "
            "two that share accounts would answer twice at a time on one of them."
        )


def check_free(path: str) -> None:
    """Raises StateInUse where another process has the file now. Makes nothing, and opens no database."""
    file = Path(path).resolve()
    if path != MEMORY and file.with_name(file.name + ".lock").exists():
        with suppress(OSError):  # the gateway goes on without
            StateLock(file).close()


def _lock_byte(handle: int) -> None:
    """Raises BlockingIOError where somebody else has it; a file system without such locks is left at that."""
    if _SET_LOCK is None:
        return
    # struct flock: kind, origin, first byte, how many, and a process id that has to be 0.
    wanted = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, _LOCKED_BYTE, 1, 0)
    try:
        fcntl.fcntl(handle, _SET_LOCK, wanted)
    except OSError as exc:
        if exc.errno in (errno.EAGAIN, errno.EACCES):
            raise BlockingIOError from exc
