"""A file on its way through: its bytes lie in an unlinked temporary file, so that nothing can stay behind."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from typing import BinaryIO

from app.errors import FileTooLarge, InternalError

log = logging.getLogger(__name__)


class Spool:
    """Takes bytes up to a limit; memory does not grow with them. Whoever made it closes it."""

    def __init__(self, most_bytes: int, directory: str | None = None) -> None:
        """`directory` is where the file lies, None for the system's own place for such files."""
        self._most_bytes = most_bytes
        self.file: BinaryIO = _open_unlinked(directory)
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def __repr__(self) -> str:
        return f"<Spool {self.size_bytes} bytes {'closed' if self.file.closed else 'open'}>"

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Raises FileTooLarge beyond the limit."""
        self.size_bytes += len(data)
        if self.size_bytes > self._most_bytes:
            raise FileTooLarge(
                f"The file is larger than {self._most_bytes} bytes, which is as much as is allowed."
            )
        self._digest.update(data)
        try:
            self.file.write(data)
        except OSError as exc:
            raise _no_room(exc) from exc

    def close(self) -> None:
        """Idempotent; the bytes are gone with it."""
        self.file.close()


def _open_unlinked(directory: str | None) -> BinaryIO:
    try:
        return tempfile.TemporaryFile(dir=directory)
    except OSError as exc:
        raise _no_room(exc) from exc


def _no_room(exc: OSError) -> InternalError:
    log.error("no room for attached files: %s", exc.strerror)
    return InternalError("The gateway has no room for files; its log says more.")


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
