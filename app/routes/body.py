"""What the client sent, as bytes and no more than allowed."""

from __future__ import annotations

import socket

from flask import request

from app.errors import RequestTimeout
from app.hub import Deadline
from app.routes.services import services


def read_body() -> bytes:
    """The request's body. Raises RequestEntityTooLarge beyond GLM_MAX_BODY_BYTES, RequestTimeout."""
    late = RequestTimeout("The body of the request did not arrive in time (GLM_REQUEST_SECONDS).")
    try:
        with Deadline(services().settings.request_seconds, late):
            return _read()
    except RequestTimeout:
        _read_no_more()
        raise


def _read() -> bytes:
    body = request.get_data(cache=False)
    if request.content_length is None:
        # A chunked body is cut at the limit without a word; only who reads on hears of it.
        request.stream.read(1)
    return body


def _read_no_more() -> None:
    """Else the server would wait for the rest of this body before it looks for another request."""
    client = request.environ.get("gunicorn.socket")
    if client is not None:
        client.shutdown(socket.SHUT_RD)
