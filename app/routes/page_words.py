"""The page's words for errors: a module of JavaScript, made of the catalogue."""

from __future__ import annotations

import msgspec

from app.catalogue.code import CODES
from app.catalogue.message import Message


def build_error_words() -> bytes:
    """`ERRORS`: for each code its name, and sentences on what to do, each English and Chinese."""
    words = {code: [_pair(known.name), _pair(known.summary)] for code, known in CODES.items()}
    return b"export const ERRORS = " + msgspec.json.encode(words) + b";\n"


def _pair(message: Message) -> tuple[str, str]:
    return message.en, message.zh
