"""Old Office documents by the stream that they hold, and those that a password locks."""

from __future__ import annotations

import base64
import struct

import pytest

from app.core.errors import InvalidFile
from app.files.fetch import Fetcher, FetchPolicy


def compound(*streams: str, first: bytes = b"", sector: int = 9) -> bytes:
    """A compound file with streams of these names; its directory lies far from both ends."""
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    place = 400_000 // (1 << sector)
    struct.pack_into("<H", head, 30, sector)
    struct.pack_into("<I", head, 48, place - 1)
    body = bytearray(800_000)
    body[:512] = head
    body[512 : 512 + len(first)] = first
    for number, name in enumerate(("Root Entry", *streams)):
        entry = name.encode("utf-16-le")
        at = (place << sector) + 128 * number
        body[at : at + len(entry)] = entry
    return bytes(body)


def attach(data: bytes, name: str) -> tuple[str, str]:
    url = f"data:;base64,{base64.b64encode(data).decode()}"
    file = Fetcher(FetchPolicy(10_000_000, 5.0, frozenset())).fetch(url, name=name)
    file.close()
    return file.name, file.media_type


@pytest.mark.parametrize("sector", [9, 12])
@pytest.mark.parametrize(
    ("stream", "name", "goes_by", "media_type"),
    [
        ("Workbook", "table.et", "table.xls", "application/vnd.ms-excel"),
        ("Book", "table", "table.xls", "application/vnd.ms-excel"),
        ("WordDocument", "letter.wps", "letter.doc", "application/msword"),
        ("PowerPoint Document", "talk.doc", "talk.ppt", "application/vnd.ms-powerpoint"),
        ("Something", "table.et", "table.xls", "application/vnd.ms-excel"),
    ],
)
def test_the_stream_says_what_it_is(
    stream: str, name: str, goes_by: str, media_type: str, sector: int
) -> None:
    assert attach(compound(stream, sector=sector), name) == (goes_by, media_type)


@pytest.mark.parametrize(
    "data",
    [
        compound("EncryptionInfo", "EncryptedPackage"),
        compound("PowerPoint Document", "EncryptedSummary"),
        compound("WordDocument", first=b"\xec\xa5\xc1\0" + bytes(6) + b"\0\x01"),
        compound("Workbook", first=b"\x09\x08\x10\0" + bytes(16) + b"\x2f\0\x36\0"),
    ],
)
@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.doc", "a.txt"])
def test_a_password_is_told_of(data: bytes, name: str) -> None:
    with pytest.raises(InvalidFile, match="locked by a password"):
        attach(data, name)


def test_a_directory_outside_the_file_does_no_harm() -> None:
    head = bytearray(compound("WordDocument")[:600])
    struct.pack_into("<I", head, 48, 0xFFFFFFF0)
    assert attach(bytes(head), "a.xls") == ("a.xls", "application/vnd.ms-excel")
