"""Whether bytes are text, in whatever encoding. Pure."""

from __future__ import annotations

import codecs
import re

# What no text holds: control characters apart from tabs, line ends, form feeds and escapes.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# A signature and the numbers behind it.
_SIGNED_BYTES = 24
# Of compressed or encrypted bytes every ninth is one.
_MAX_CONTROLS_UTF8 = 0.1
_MAX_CONTROLS = 0.02
_CONTROLS = re.compile(r"[\x00-\x07\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROLS_UTF16 = 0.01
_MIN_WRITTEN = 0.95
# Compiled where it is asked for: few files come so far, and it takes three milliseconds.
_WRITTEN = (
    r"[\b\t\n\f\r\x1b -~\xa0-\u02ff\u0370-\u052f\u0590-\u06ff\u0900-\u0e7f\u2010-\u206f\u2190-\u27bf"
    r"\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]"
)


def begins_as_text(head: bytes) -> bool:
    """Then no signature proves anything: those that are printable stand in texts about such files, too.

    A real file of theirs has a number with a zero, a version or a control character right behind it.
    """
    return not _BINARY.search(head[:_SIGNED_BYTES])


def is_text(head: bytes, *, says_text: bool) -> bool:
    """Under a text's name also with some control characters, as logs have them, or UTF-16 without a mark."""
    controls = len(_BINARY.findall(head))
    if controls == 0 or head.startswith(_BYTE_ORDER_MARKS):
        return True
    if not says_text:
        return False
    share = _MAX_CONTROLS_UTF8 if _is_utf8(head) else _MAX_CONTROLS
    return controls <= max(1, len(head) * share) or any(
        _is_utf16(head, encoding) for encoding in ("utf-16-le", "utf-16-be")
    )


def _is_utf8(head: bytes) -> bool:
    """The head may be cut inside a character."""
    try:
        head.decode()
    except UnicodeDecodeError as exc:
        return exc.reason == "unexpected end of data"
    return True


def _is_utf16(head: bytes, encoding: str) -> bool:
    """Whether these are characters that people write, and hardly a control: bytes by chance are not."""
    text = head[: len(head) & ~1].decode(encoding, "replace")
    return len(_CONTROLS.findall(text)) <= len(text) * _MAX_CONTROLS_UTF16 and len(
        re.findall(_WRITTEN, text)
    ) >= max(1, len(text) * _MIN_WRITTEN)
