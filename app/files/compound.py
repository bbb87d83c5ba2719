"""Compound files (MS-CFB): what old Office documents, and locked new ones, lie in. Pure."""

from __future__ import annotations

import struct

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DIRECTORY_BYTES = 8192
"""So much is read of the directory: 64 entries, of which the telling ones are among the first."""

_SECTOR_SHIFTS = (9, 12)
# The main stream of each kind (MS-DOC, MS-XLS and its forerunner, MS-PPT), and what programs of WPS call it.
_STREAMS = (("WordDocument", "doc"), ("Workbook", "xls"), ("Book", "xls"), ("PowerPoint Document", "ppt"))
_OTHER_NAMES = {"wps": "doc", "wpt": "doc", "et": "xls", "ett": "xls", "dps": "ppt", "dpt": "ppt"}
_LOCKED = ("EncryptedPackage", "EncryptedSummary")
_STREAM_AT = 512
_WORD_FIB, _WORD_LOCKED_AT = b"\xec\xa5", 11
_BOF, _FILE_PASS = b"\x09\x08", b"\x2f\x00"


def find_directory(head: bytes) -> int | None:
    """Where in the file the directory begins (MS-CFB 2.2), None where this is no compound file."""
    if not head.startswith(MAGIC) or len(head) < _STREAM_AT:
        return None
    (shift,) = struct.unpack_from("<H", head, 30)
    (sector,) = struct.unpack_from("<I", head, 48)
    return (sector + 1) << shift if shift in _SECTOR_SHIFTS else None


def is_locked(head: bytes, directory: bytes) -> bool:
    """Whether a password is needed: new documents are wrapped, old ones say it in their first stream."""
    if any(_holds(directory, name) for name in _LOCKED):
        return True
    stream = head[_STREAM_AT:]
    if stream.startswith(_WORD_FIB):
        return len(stream) > _WORD_LOCKED_AT and bool(stream[_WORD_LOCKED_AT] & 1)
    if stream.startswith(_BOF) and len(stream) > 4:
        (size,) = struct.unpack_from("<H", stream, 2)
        return stream[4 + size :].startswith(_FILE_PASS)
    return False


def find_kind(directory: bytes, extension: str) -> str:
    """`doc`, `xls` or `ppt`: by the stream that is there, else by the name."""
    for name, kind in _STREAMS:
        if _holds(directory, name):
            return kind
    named = _OTHER_NAMES.get(extension, extension)
    return named if named in ("xls", "ppt") else "doc"


def _holds(directory: bytes, name: str) -> bool:
    """Whether an entry is called so: UTF-16 from the entry's beginning, closed by a zero (MS-CFB 2.6.1)."""
    return f"{name}\0".encode("utf-16-le") in directory
