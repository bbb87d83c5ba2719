"""JSON that no line splitter can cut, as events of a stream need it."""

from __future__ import annotations

import msgspec

encode_json = msgspec.json.Encoder().encode

# Legal in JSON, but some clients cut lines there.
_LINE_BREAKERS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


def encode_text(text: str) -> bytes:
    """`text` as a JSON string."""
    try:
        encoded = encode_json(text)
    except UnicodeEncodeError:  # half of a surrogate pair whose other half never came
        encoded = encode_json(text.encode("utf-8", "replace").decode())
    return encoded if text.isascii() else escape_lines(encoded)


def escape_lines(encoded: bytes) -> bytes:
    """`encoded`, which is JSON, without the characters that only some take for the end of a line."""
    if b"\xe2\x80" in encoded or b"\xc2\x85" in encoded:
        for breaker, escape in _LINE_BREAKERS:
            encoded = encoded.replace(breaker, escape)
    return encoded
