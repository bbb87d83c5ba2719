"""What a user attaches: names, and whether the bytes are what they are said to be. Pure."""

from __future__ import annotations

import re
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any
from urllib.parse import unquote

import msgspec

from app.catalogue import file as says
from app.core.errors import InvalidFile
from app.files import media
from app.files.media import Media

_MAX_NAME_CHARS = 120
# Separators, quotes and control characters have no place in a name that goes into a header.
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\\"<>|:*?]")


class Claim(msgspec.Struct, frozen=True):
    """What is said about a file besides its bytes."""

    name: str = ""
    media_type: str = ""
    """Without parameters, in lower case; empty where nobody said."""
    is_promised: bool = False
    """The user gave the media type, not a web server, which knows less."""


def read_content_type(header: str) -> str:
    """The media type of a Content-Type header, empty where there is none that can be read."""
    media_type = header.partition(";")[0].strip().lower()
    return media_type if media.is_media_type(media_type) else ""


def read_disposition(header: str) -> str:
    """The file name in a Content-Disposition header, empty where there is none.

    An extended name wins over a plain one (RFC 6266).
    """
    message = Message()
    message["Content-Disposition"] = header[: _MAX_NAME_CHARS * 12].replace("\r", " ").replace("\n", " ")
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
    if len(cleaned) <= _MAX_NAME_CHARS:
        return cleaned
    extension = media.extension_of(cleaned)
    return f"{cleaned[: _MAX_NAME_CHARS - len(extension) - 1]}.{extension}"


def name_from_path(path: str) -> str:
    """The name that the path of a URL gives."""
    return unquote(path.rstrip("/").rpartition("/")[2], errors="replace")


def judge(claim: Claim, head: bytes, tail: bytes) -> tuple[str, Media]:
    """The name to go by and what the file is. Raises InvalidFile where it is not what it is said to be."""
    name = clean_name(claim.name)
    extension = media.extension_of(name) or media.extension_for(claim.media_type)
    says_text = media.says_text(extension, claim.media_type) and not media.says_document(extension)
    is_own_text = says_text and claim.is_promised
    found = media.recognise(head, tail, extension, says_text=says_text, is_own_text=is_own_text)
    if not found.is_readable:
        raise InvalidFile(
            _REFUSALS.get(found.type, says.UNREADABLE_KIND.fill(kind=says.name_kind(found.label)))
        )
    _check_claims(claim, extension, found)
    return _name_for(name, extension, found), found


def refuse_locked() -> InvalidFile:
    return InvalidFile(_REFUSALS[media.LOCKED.type])


def _check_claims(claim: Claim, extension: str, found: Media) -> None:
    named = media.extension_of(clean_name(claim.name))
    says_picture = media.says_picture(named) or media.media_type_says_picture(claim.media_type)
    # Tables that web applications give out are pages under the name of a workbook. A web server that was
    # asked for a document and sends a page has not got it.
    is_export = claim.is_promised and media.says_document(extension)
    if found is media.HTML and extension not in media.HTML.extensions and not is_export:
        raise InvalidFile(says.WEB_PAGE)
    if says_picture and not found.is_picture:
        raise InvalidFile(says.NO_PICTURE.fill(kind=says.name_kind(found.label)))
    promised = media.extension_for(claim.media_type) if claim.is_promised else ""
    if found.is_picture and (media.says_document(named) or media.says_document(promised)):
        raise InvalidFile(says.NO_DOCUMENT.fill(kind=says.name_kind(found.label)))


def _name_for(name: str, extension: str, found: Media) -> str:
    """The name with an extension that tells the truth."""
    if name and media.extension_of(name) in found.extensions:
        return name
    usual = extension if extension in found.extensions else found.extensions[0]
    stem = name.removesuffix(f".{name.rpartition('.')[2]}") if media.extension_of(name) else name
    return f"{stem or ('image' if found.is_picture else 'file')}.{usual}"


_REFUSALS = {
    media.EMPTY.type: says.EMPTY,
    media.LOCKED.type: says.LOCKED,
    media.SVG.type: says.SVG,
    media.UNKNOWN.type: says.UNKNOWN_KIND,
}
