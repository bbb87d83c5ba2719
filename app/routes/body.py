"""What the client sent, as bytes and no more than allowed.

In time as well: the server counts the bytes of a body as they come, and looks at the clock
(app/server/incoming.py).
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from flask import Request
from flask.globals import request_ctx
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from app.core.errors import InvalidRequest
from app.gateway import Gateway
from app.routes.holding import hold_body
from app.routes.services import services

SMALL_BODY_BYTES = 1024 * 1024
"""For requests that carry no files."""
# Smaller than what is mapped for itself (app/memory.py): such a piece takes the room of the one before.
_PIECE_BYTES = 64 * 1024


def read_body(known: Gateway, max_bytes: int | None = None) -> bytes:
    """The request's body.

    Raises RequestEntityTooLarge beyond `max_bytes` or GLM_MAX_BODY_BYTES, RequestTimeout beyond
    GLM_REQUEST_SECONDS, ClientDisconnected where the connection breaks, MalformedRequest where it is not
    framed as its head says, OutOfRoom where all requests together hold as much as they may,
    UnsupportedEncoding or InvalidRequest where its Content-Encoding is not undone here or is not what came.
    """
    request = request_ctx.request
    allowed = known.settings.max_body_bytes
    if max_bytes is not None:
        allowed = request.max_content_length = min(max_bytes, allowed)
    hold_body(request, known.bodies)
    size = request.content_length
    if size is None:
        body = request.get_data(cache=False)
        _look_for_more(request)
        return body
    if size > allowed:
        raise RequestEntityTooLarge
    try:
        return _read_pieces(request.environ["wsgi.input"], size)
    except OSError as exc:
        raise ClientDisconnected from exc


def _read_pieces(stream: BinaryIO, left_bytes: int) -> bytes:
    """Past `request.stream`, which copies each piece twice more, and `get_data`, which copies the whole."""
    body = io.BytesIO()  # a large one grows by moving pages, not bytes
    while left_bytes > 0 and (piece := stream.read(min(left_bytes, _PIECE_BYTES))):
        left_bytes -= body.write(piece)
    return body.getvalue()


def read_form() -> None:
    """Have the body read and parsed: fields into memory, files beyond a few 100 KB onto the disk.

    Raises as `read_body` does, and InvalidRequest for a part that says no name.
    """
    request = request_ctx.request
    hold_body(request, services().bodies)
    parts: list[MultiDict[str, Any]] = [request.form, request.files]
    _look_for_more(request)
    if any(name is None for part in parts for name in part):  # werkzeug's types say that it cannot be
        raise InvalidRequest("The form holds a part without a name.")


def _look_for_more(request: Request) -> None:
    """A chunked or decoded body is cut at the limit without a word; only who reads on hears of it."""
    if request.content_length is None:
        request.stream.read(1)
