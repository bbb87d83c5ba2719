"""POST /page/picture: a picture that an answer links to, as the page itself loads nothing from elsewhere."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from app.errors import FileTooLarge, InvalidFile, InvalidRequest
from app.files.spool import SpooledFile
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.services import services

bp = Blueprint("picture", __name__)
bp.before_request(require_caller)

_MOST_BYTES = 20 * 1024 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class _Wanted(msgspec.Struct):
    url: str


@bp.post("/page/picture")
def fetch_picture() -> Response:
    """The bytes of one picture, fetched as safely as what users attach or as what the upstream drew."""
    url = _parse_url(read_body())
    g.record.watch_client()
    known = services()
    fetcher = known.pictures if known.pictures.is_at_home(url) else known.fetcher
    file = fetcher.fetch(url, param="url")
    try:
        content = _read(file)
    finally:
        file.close()
    return Response(content, content_type=file.media_type, headers=_HEADERS)


def _parse_url(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Wanted).url
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest('Send {"url": "<address of a picture>"} as JSON.', param="url") from None


def _read(file: SpooledFile) -> bytes:
    if not file.is_picture:
        raise InvalidFile("There is no picture at this address.", param="url")
    if file.size_bytes > _MOST_BYTES:
        raise FileTooLarge(f"The picture is larger than {_MOST_BYTES} bytes.", param="url")
    return file.open().read()
