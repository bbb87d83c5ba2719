"""POST /page/picture: a picture that an answer links to, as the page itself loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, g, request

from app.catalogue.credential import STRANGE_PAGE
from app.catalogue.file import NO_PICTURE_THERE, PICTURE_OVER_LIMIT
from app.core.errors import FileTooLarge, InvalidFile, InvalidRequest, KeyForbidden, PromptTooLong
from app.files.spool import SpooledFile
from app.formats.json_body import decode_body
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.holding import release_body
from app.routes.rebinding import may_be_rebound
from app.routes.services import services

bp = Blueprint("picture", __name__)
bp.before_request(require_caller)

_MAX_BYTES = 20 * 1024 * 1024
_PIECE_BYTES = 65536
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class _Wanted(msgspec.Struct):
    url: str


_decode_wanted = msgspec.json.Decoder(_Wanted).decode


@bp.post("/page/picture")
def fetch_picture() -> Response:
    """The bytes of one picture, fetched as safely as what users attach or as what the upstream drew."""
    _check_origin()
    file = _fetch(_parse_url(read_body(services())))
    release_body()
    response = Response(_read(file), content_type=file.media_type, headers=_HEADERS)
    response.content_length = file.size_bytes
    response.call_on_close(file.close)
    return response


def _check_origin() -> None:
    """A gateway key is a secret that no strange page has; a refresh token can be made up."""
    origin = request.headers.get("Origin")
    if g.caller.key is None and origin is not None and may_be_rebound(origin):
        raise KeyForbidden(STRANGE_PAGE)


def _fetch(url: str) -> SpooledFile:
    """A picture that is not too large; whoever gets it closes it."""
    g.request_log.begin_reply()
    known = services()
    fetcher = known.pictures if known.pictures.is_at_home(url) else known.fetcher
    file = fetcher.fetch(url, param="url")
    try:
        if not file.is_picture:
            raise InvalidFile(NO_PICTURE_THERE, param="url")
        if file.size_bytes > _MAX_BYTES:
            raise FileTooLarge(PICTURE_OVER_LIMIT.fill(max_bytes=_MAX_BYTES), param="url")
    except InvalidFile:
        file.close()
        raise
    return file


def _parse_url(body: bytes) -> str:
    try:
        return decode_body(_decode_wanted, body).url
    except PromptTooLong:
        raise
    except InvalidRequest:
        raise InvalidRequest('Send {"url": "<address of a picture>"} as JSON.', param="url") from None


def _read(file: SpooledFile) -> Iterator[bytes]:
    """Piece by piece from the disk: a client that reads slowly holds no memory."""
    handle = file.open()
    while piece := handle.read(_PIECE_BYTES):
        yield piece
