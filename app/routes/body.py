"""What the client sent, as bytes and no more than allowed."""

from __future__ import annotations

from flask import request


def read_body() -> bytes:
    """The request's body. Raises RequestEntityTooLarge beyond GLM_MAX_BODY_BYTES."""
    body = request.get_data(cache=False)
    if request.content_length is None:
        # A chunked body is cut at the limit without a word; only who reads on hears of it.
        request.stream.read(1)
    return body
