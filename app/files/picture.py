"""Width and height of a picture from its header alone: nothing is decoded, so nothing can blow up. Pure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO

from app.catalogue.file import PICTURE_DAMAGED, PICTURE_TOO_LARGE
from app.core.errors import InvalidFile

# Far beyond every camera, far below what kills a decoder: 120 million pixels take half a gigabyte there.
MAX_PIXELS = 120_000_000
MAX_SIDE_PIXELS = 32_767
_MAX_JPEG_SEGMENTS = 1000
_MAX_FILL_BYTES = 64
_HEAD_BYTES = 64

Size = tuple[int, int]


def measure_picture(media_type: str, file: BinaryIO) -> Size:
    """Width and height in pixels. Raises InvalidFile where they are missing, zero, or beyond the limits."""
    file.seek(0)
    try:
        size = _READERS[media_type](file)
    except (struct.error, IndexError):
        size = None
    if size is None or min(size) < 1:
        raise InvalidFile(PICTURE_DAMAGED)
    width, height = size
    if max(size) > MAX_SIDE_PIXELS or width * height > MAX_PIXELS:
        raise InvalidFile(
            PICTURE_TOO_LARGE.fill(
                width=width, height=height, max_pixels=MAX_PIXELS, max_side=MAX_SIDE_PIXELS
            )
        )
    return size


def _read_png(file: BinaryIO) -> Size | None:
    head = file.read(_HEAD_BYTES)
    if head[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _read_gif(file: BinaryIO) -> Size:
    width, height = struct.unpack_from("<HH", file.read(_HEAD_BYTES), 6)
    return width, height


def _read_bmp(file: BinaryIO) -> Size:
    head = file.read(_HEAD_BYTES)
    (header_bytes,) = struct.unpack_from("<I", head, 14)
    if header_bytes == 12:
        width, height = struct.unpack_from("<HH", head, 18)
    else:
        width, height = struct.unpack_from("<ii", head, 18)
    return abs(width), abs(height)  # a negative height only says which row comes first


def _read_webp(file: BinaryIO) -> Size | None:
    head = file.read(_HEAD_BYTES)
    kind = head[12:16]
    if kind == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L" and head[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _read_jpeg(file: BinaryIO) -> Size | None:
    """Walk from segment to segment until the one that begins the frame; thumbnails inside are passed over."""
    file.seek(2)
    for _ in range(_MAX_JPEG_SEGMENTS):
        marker = _read_marker(file)
        if marker is None:
            return None
        if 0xD0 <= marker <= 0xD7 or marker == 0x01:
            continue  # these stand alone
        (length,) = struct.unpack(">H", file.read(2))
        if _begins_frame(marker):
            height, width = struct.unpack_from(">HH", file.read(5), 1)
            return width, height
        file.seek(length - 2, 1)
    return None


def _read_marker(file: BinaryIO) -> int | None:
    """The next marker; None where there is none, or the picture data begins, which it must not yet."""
    if file.read(1) != b"\xff":
        return None
    byte = b"\xff"
    for _ in range(_MAX_FILL_BYTES):
        byte = file.read(1)
        if byte != b"\xff":
            break
    return None if byte in (b"", b"\x00", b"\xd9", b"\xda", b"\xff") else byte[0]


def _begins_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)


_READERS: dict[str, Callable[[BinaryIO], Size | None]] = {
    "image/png": _read_png,
    "image/jpeg": _read_jpeg,
    "image/gif": _read_gif,
    "image/bmp": _read_bmp,
    "image/webp": _read_webp,
}
