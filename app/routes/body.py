"""What the client sent, as bytes and no more than allowed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TypeVar

from flask import request

from app.errors import RequestTimeout
from app.hub import Deadline
from app.routes.services import services

_T = TypeVar("_T")


def read_body() -> bytes:
    """The request's body. Raises RequestEntityTooLarge beyond GLM_MAX_BODY_BYTES, RequestTimeout."""
    return _read_in_time(lambda: request.get_data(cache=False))


def read_form() -> None:
    """Have the body read and parsed: fields into memory, files beyond a few 100 KB onto the disk.

    Raises as `read_body` does.
    """
    _read_in_time(lambda: request.files)


def _read_in_time(read: Callable[[], _T]) -> _T:
    late = RequestTimeout("The body of the request did not arrive in time (GLM_REQUEST_SECONDS).")
    try:
        with Deadline(services().settings.request_seconds, late):
            found = read()
            if request.content_length is None:
                # A chunked body is cut at the limit without a word; only who reads on hears of it.
                request.stream.read(1)
            return found
    except RequestTimeout:
        _read_no_more()
        raise


def _read_no_more() -> None:
    """Else the server would wait for the rest of this body before it looks for another request."""
    client = request.environ.get("gunicorn.socket")
    if client is not None:
        client.shutdown(socket.SHUT_RD)
