"""JSON bodies: typed values out, or InvalidRequest that names the place."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from app.catalogue.request import NOT_JSON, NOT_UTF8
from app.core.errors import InvalidRequest
from app.core.half_pair import mend_half_pairs
from app.formats.json_scan import JsonScan
from app.hub import cooperate

MAX_TEXT_CHARS = 4_000_000
# What this little decodes to takes 16 ms and 25 MB at worst.
_SMALL_BODY_BYTES = 1024 * 1024
_MAX_QUOTED_CHARS = 200
_PATH = re.compile(r" - at `(?:key in )?\$([^`]*)`$")

_T = TypeVar("_T")


def decode_body(
    decode: Callable[[Any], _T],
    body: bytes,
    *,
    max_text_chars: int = MAX_TEXT_CHARS,
    text_place: str = "messages",
) -> _T:
    """Read a JSON body, whose text stands in `text_place`. Raises InvalidRequest, naming the place as OpenAI.

    Gives way while it looks over a large one, and once it is decoded, which is bounded, files aside.
    A byte order mark before it, which some editors and shells leave, is ignored (RFC 8259, 8.1); half a
    surrogate pair is read as U+FFFD.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    if len(body) <= min(_SMALL_BODY_BYTES, max_text_chars):
        return _decode(decode, body)
    scan = JsonScan(body, max_text_chars, text_place)
    for _ in scan.steps():
        cooperate()
    decoded = _decode(decode, scan.trim())
    cooperate()
    return decoded


def _decode(decode: Callable[[Any], _T], body: bytes) -> _T:
    try:
        return decode_value(decode, body)
    except InvalidRequest:
        mended = mend_half_pairs(body, cooperate)
        if mended is None:
            raise
    return decode_value(decode, mended)


def decode_value(decode: Callable[[Any], _T], value: bytes | bytearray | msgspec.Raw, place: str = "") -> _T:
    """Read the value that stands at `place`, the whole body without one. Raises InvalidRequest."""
    try:
        return decode(value)
    except msgspec.ValidationError as exc:
        raise _invalid(str(exc), place) from None
    except UnicodeDecodeError as exc:
        raise InvalidRequest(NOT_UTF8.fill(byte=exc.object[exc.start])) from None
    except msgspec.DecodeError as exc:
        raise InvalidRequest(NOT_JSON.fill(problem=exc)) from None
    except RecursionError:
        raise InvalidRequest("The request body is nested too deeply.") from None


def retell_json(value: bytes | msgspec.Raw) -> str:
    """The JSON as the client wrote it. Raises InvalidRequest: what nothing decoded need not be UTF-8."""
    return decode_value(_read_utf8, value)


def _read_utf8(value: bytes | msgspec.Raw) -> str:
    return bytes(value).decode()


def _invalid(words: str, place: str) -> InvalidRequest:
    """Say in OpenAI's terms what msgspec found: "Expected `str`, got `int` - at `$.messages[0].role`"."""
    found = _PATH.search(words)
    path = found.group(1) if found else ""
    param = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", f"{place}{path}").strip(".") or None
    what = words[: found.start()] if found else words
    if len(what) > _MAX_QUOTED_CHARS:
        what = f"{what[:_MAX_QUOTED_CHARS]}..."
    missing = re.search(r"missing required field `(\w+)`", what)
    if missing:
        param = ".".join(filter(None, (param, missing.group(1))))
        what = "This field is required"
    return InvalidRequest(f"Invalid value for `{param}`: {what}." if param else f"{what}.", param=param)
