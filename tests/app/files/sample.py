"""Files of every kind, as small as they can be while their headers are true."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib


def png(width: int = 3, height: int = 2) -> bytes:
    """A real picture where it is small, the header of one where it is huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = (
        zlib.compress(b"".join(b"\0" + b"\x10\x20\x30" * width for _ in range(height)))
        if width < 999
        else b""
    )
    parts = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_part(kind, data) for kind, data in parts)


def _png_part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int = 3, height: int = 2, *, before: bytes = b"") -> bytes:
    """`before`: segments that stand before the one with the size."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8" + before + jpeg_segment(0xC2, frame) + b"\xff\xda\x00\x02pixels\xff\xd9"


def jpeg_segment(marker: int, data: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def gif(width: int = 3, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def bmp(width: int = 3, height: int = 2) -> bytes:
    return b"BM" + struct.pack("<IIIIii", 100, 0, 54, 40, width, height) + b"\0" * 30


def old_bmp(width: int = 3, height: int = 2) -> bytes:
    return b"BM" + struct.pack("<IIIIHH", 100, 0, 26, 12, width, height) + b"\0" * 30


def webp(width: int = 3, height: int = 2) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + _three(width) + _three(height)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossy_webp(width: int = 3, height: int = 2) -> bytes:
    body = b"VP8 " + struct.pack("<I", 10) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lossless_webp(width: int = 3, height: int = 2) -> bytes:
    body = b"VP8L" + struct.pack("<IB", 10, 0x2F) + struct.pack("<I", (width - 1) | (height - 1) << 14)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _three(number: int) -> bytes:
    return (number - 1).to_bytes(3, "little")


def packed(*names: str) -> bytes:
    """A zip archive with files of these names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 3000)
    return buffer.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n"
# As programs write them: a comment of high bytes, and soon a compressed stream.
USUAL_PDF = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Length 256 >>\nstream\n" + bytes(range(256)) * 9
SVG = b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
HTML = b"\n<!DOCTYPE html><html><head><title>404</title></head></html>"
DOCX = packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
