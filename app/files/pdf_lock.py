"""Whether a PDF opens without a password (ISO 32000-2, 7.6.4; standard security handler, revisions 2 to 6).

Many a PDF is encrypted so that it may not be printed, and opens with the empty password: every reader opens
it, so it is not locked. What cannot be understood here counts as not locked; whoever reads it will say so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import BinaryIO, cast

from app.files.pdf_object import PdfDict, parse_object

_TRAILER_BYTES = 64 * 1024
_OBJECT_BYTES = 16 * 1024
_SLICE_BYTES = 1024 * 1024
_ENCRYPT = re.compile(rb"/Encrypt\s{0,9}(?:(\d{1,10})\s{1,9}(\d{1,5})\s{1,9}R|(?=<<))")
_ID = re.compile(rb"/ID\s{0,9}\[\s{0,9}(?=[<(])")
_START = re.compile(rb"startxref\s{1,9}(\d{1,15})")
_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


def needs_password(file: BinaryIO, size_bytes: int, *, give_way: Callable[[], None]) -> bool:
    """Whether this PDF is encrypted and the empty password does not open it. Reads it in slices."""
    for trailer in _read_trailers(file, size_bytes):
        found = _ENCRYPT.search(trailer)
        if found is None:
            continue
        handler = (
            parse_object(trailer[found.end() :])
            if found[1] is None
            else _find_object(file, found[1], found[2], give_way)
        )
        try:
            return isinstance(handler, dict) and not _opens(handler, _find_id(trailer))
        except (KeyError, TypeError, ValueError):
            return False
    return False


def _read_trailers(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Where the trailer's entries may stand: at the end, where the end points to, and at the beginning."""
    file.seek(max(0, size_bytes - _TRAILER_BYTES))
    tail = file.read(_TRAILER_BYTES)
    yield tail
    for place in [*[int(start) for start in _START.findall(tail)[-1:]], 0]:
        file.seek(min(place, size_bytes))
        yield file.read(_TRAILER_BYTES)


def _find_id(trailer: bytes) -> bytes:
    found = _ID.search(trailer)
    first = parse_object(trailer[found.end() :]) if found else None
    return first if isinstance(first, bytes) else b""


def _find_object(file: BinaryIO, number: bytes, generation: bytes, give_way: Callable[[], None]) -> object:
    """The last of that number: a file that was changed has the old ones still."""
    begins = re.compile(rb"(?<!\d)%b\s{1,9}%b\s{1,9}obj" % (number, generation))
    file.seek(0)
    place, read, rest = None, 0, b""
    while data := file.read(_SLICE_BYTES):
        data = rest + data
        for found in begins.finditer(data):
            place = read - len(rest) + found.end()
        read += len(data) - len(rest)
        rest = data[-64:]
        give_way()
    if place is None:
        return None
    file.seek(place)
    return parse_object(file.read(_OBJECT_BYTES))


def _opens(handler: PdfDict, file_id: bytes) -> bool:
    """Whether the empty password does. Raises KeyError, TypeError, ValueError for what is not understood."""
    revision = handler["R"]
    if handler["Filter"] != "Standard" or not isinstance(revision, int):
        return True
    user = cast(bytes, handler["U"])
    if revision >= 5:
        digest = _hash_slowly(user[32:40]) if revision == 6 else hashlib.sha256(user[32:40]).digest()
        return digest == user[:32]
    key = _derive_key(handler, revision, file_id)
    if revision == 2:
        return _rc4(key, _PADDING) == user
    checked = _md5(_PADDING + file_id)
    for turn in range(20):
        checked = _rc4(bytes([byte ^ turn for byte in key]), checked)
    return checked == user[:16]


def _derive_key(handler: PdfDict, revision: int, file_id: bytes) -> bytes:
    """Algorithm 2, of the empty password."""
    permissions = (cast(int, handler["P"]) & 0xFFFFFFFF).to_bytes(4, "little")
    seed = _PADDING + cast(bytes, handler["O"])[:32] + permissions + file_id
    if revision >= 4 and handler.get("EncryptMetadata") is False:
        seed += b"\xff\xff\xff\xff"
    digest = _md5(seed)
    if revision == 2:
        return digest[:5]
    size_bytes = 16 if handler.get("V") == 4 else cast(int, handler.get("Length", 40)) // 8
    for _ in range(50):
        digest = _md5(digest[:size_bytes])
    return digest[:size_bytes]


def _hash_slowly(salt: bytes) -> bytes:
    """Algorithm 2.B, of the empty password."""
    # Six megabytes, for what few PDFs need.
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.modes import CBC  # noqa: PLC0415

    digest = hashlib.sha256(salt).digest()
    turn, last = 0, 0
    while turn < 64 or last > turn - 32:
        cipher = Cipher(AES(digest[:16]), CBC(digest[16:32])).encryptor()
        coded = cipher.update(digest * 64)
        kind = ("sha256", "sha384", "sha512")[sum(coded[:16]) % 3]
        digest = hashlib.new(kind, coded).digest()
        turn, last = turn + 1, coded[-1]
    return digest[:32]


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i, byte in zip(range(256), cycle(key), strict=False):
        j = (j + state[i] + byte) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    coded = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        coded.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(coded)
