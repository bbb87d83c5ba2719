"""What a user attaches: data: URLs, names, and whether the bytes are what they are said to be. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from app.errors import InvalidFile, InvalidFileUrl
from app.files import media
from app.files.media import Media

_MOST_NAME_CHARS = 120
_MOST_HEADER_CHARS = 512
_SLICE_CHARS = 256 * 1024  # a multiple of four, so that every slice of base64 stands alone
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
# Separators, quotes and control characters have no place in a name that goes into a header.
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\\"<>|:*?]")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said about a file besides its bytes."""

    name: str = ""
    media_type: str = ""
    """Without parameters, in lower case; empty where nobody said."""
    is_promised: bool = False
    """The user gave the media type, not a web server, which knows less."""


@dataclass(frozen=True, slots=True)
class DataUrl:
    """A data: URL (RFC 2397), not decoded yet."""

    media_type: str
    is_base64: bool
    url: str
    start: int
    """Where the payload begins: it may be large, and is not copied before it must be."""

    def decode(self) -> Iterator[bytes]:
        """The bytes, piece by piece, so that they need not be held twice. Raises InvalidFile."""
        if not self.is_base64:
            yield unquote_to_bytes(self.url[self.start :])
            return
        text, position, is_clean = self.url, self.start, False
        while position < len(text):
            piece = text[position : position + _SLICE_CHARS]
            try:
                yield base64.b64decode(piece + "=" * (-len(piece) % 4), validate=True)
            except ValueError:
                if is_clean:
                    raise InvalidFile("The base64 of this data: URL is damaged.") from None
                # What was decoded so far ended between two groups, so that the rest stands alone.
                text, position, is_clean = _clean_base64(text[position:]), 0, True
            else:
                position += _SLICE_CHARS


def parse_data_url(url: str) -> DataUrl:
    """Raises InvalidFileUrl where this is no data: URL."""
    comma = url.find(",", 0, _MOST_HEADER_CHARS)
    if url[:5].lower() != "data:" or comma < 0:
        raise InvalidFileUrl("A data: URL must look like data:image/png;base64,....")
    media_type, *parameters = [part.strip().lower() for part in url[5:comma].split(";")]
    if media_type and not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidFileUrl("The data: URL names no media type that can be read.")
    return DataUrl(media_type, "base64" in parameters, url, comma + 1)


def _clean_base64(text: str) -> str:
    """Without what some clients leave in: line ends, percent signs, the alphabet for URLs."""
    return "".join(unquote(text).split()).replace("-", "+").replace("_", "/")


def read_content_type(header: str) -> str:
    """The media type of a Content-Type header, empty where there is none that can be read."""
    media_type = header.partition(";")[0].strip().lower()
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else ""


def read_disposition(header: str) -> str:
    """The file name in a Content-Disposition header, empty where there is none.

    An extended name wins over a plain one (RFC 6266).
    """
    message = Message()
    message["Content-Disposition"] = header[: _MOST_NAME_CHARS * 12].replace("\r", " ").replace("\n", " ")
    # The values of extended parameters are tuples.
    parameters: list[tuple[str, Any]] = message.get_params([], "content-disposition")
    names = [value for key, value in parameters if key == "filename"]
    extended = [collapse_rfc2231_value(value) for value in names if isinstance(value, tuple)]
    plain = [mend_header(value) for value in names if isinstance(value, str)]
    return next(iter(extended + plain), "")


def mend_header(text: str) -> str:
    """Servers send UTF-8 where only ASCII is allowed, and readers of headers take it for Latin-1."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def clean_name(name: str) -> str:
    """A name that is safe in a header and on a disk; empty where nothing is left."""
    last = re.split(r"[/\\]", name)[-1].encode("utf-8", "ignore").decode("utf-8")
    cleaned = " ".join(_NOT_IN_NAMES.sub(" ", last).split()).strip(". ")
    if len(cleaned) <= _MOST_NAME_CHARS:
        return cleaned
    extension = media.extension_of(cleaned)
    return f"{cleaned[: _MOST_NAME_CHARS - len(extension) - 1]}.{extension}"


def name_from_path(path: str) -> str:
    """The name that the path of a URL gives."""
    return unquote(path.rstrip("/").rpartition("/")[2], errors="replace")


def judge(claim: Claim, head: bytes, tail: bytes) -> tuple[str, Media]:
    """The name to go by and what the file is. Raises InvalidFile where it is not what it is said to be."""
    name = clean_name(claim.name)
    extension = media.extension_of(name) or media.extension_for(claim.media_type)
    found = media.recognise(head, tail, extension)
    if not found.is_readable:
        raise InvalidFile(
            _REFUSALS.get(found.type, f"This is a {found.label}, which cannot be read. {_READABLE}")
        )
    _check_claims(claim, extension, found)
    return _name_for(name, extension, found), found


def _check_claims(claim: Claim, extension: str, found: Media) -> None:
    named = media.extension_of(clean_name(claim.name))
    says_picture = media.says_picture(named) or media.media_type_says_picture(claim.media_type)
    if found is media.HTML and extension not in media.HTML.extensions:
        raise InvalidFile("This is a web page, not a picture or document.")
    if says_picture and not found.is_picture:
        raise InvalidFile(f"The file is said to be a picture, but it is a {found.label}.")
    promised = media.extension_for(claim.media_type) if claim.is_promised else ""
    if found.is_picture and (media.says_document(named) or media.says_document(promised)):
        raise InvalidFile(f"The file is said to be a document, but it is a {found.label}.")


def _name_for(name: str, extension: str, found: Media) -> str:
    """The name with an extension that tells the truth."""
    if name and media.extension_of(name) in found.extensions:
        return name
    usual = extension if extension in found.extensions else found.extensions[0]
    stem = name.removesuffix(f".{name.rpartition('.')[2]}") if media.extension_of(name) else name
    return f"{stem or ('image' if found.is_picture else 'file')}.{usual}"


_READABLE = (
    "Pictures may be PNG, JPEG, GIF, WebP or BMP; documents PDF, Word, Excel, PowerPoint, RTF, EPUB or text."
)
_REFUSALS = {
    media.EMPTY.type: "The file is empty.",
    media.SVG.type: "SVG drawings cannot be read. Send the picture as PNG or JPEG.",
    media.UNKNOWN.type: f"This is no picture and no document that can be read. {_READABLE}",
}
