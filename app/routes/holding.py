"""What a request holds of its body, counted against what all of them may hold together (app/budget.py)."""

from __future__ import annotations

from typing import Any

from flask import Request, g
from flask.globals import app_ctx

from app.budget import Budget, Share
from app.routes.content_coding import undo_content_coding


class _CountedInput:
    """The `wsgi.input` of one request; each byte that is read is taken from the budget."""

    def __init__(self, stream: Any, share: Share) -> None:
        self._stream = stream
        self._share = share

    def read(self, size: int = -1) -> bytes:
        return self._count(self._stream.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._count(self._stream.readline(size))

    def _count(self, data: bytes) -> bytes:
        self._share.take(len(data))
        return data


def hold_body(request: Request, bodies: Budget) -> None:
    """Count what is read of the body of `request` from now on, until `release_body` or the request's end.

    Reading raises OutOfRoom then, and what `undo_content_coding` says: a compressed body counts as what it
    is decoded. Raises UnsupportedEncoding.
    """
    undo_content_coding(request)
    held = app_ctx.g
    share = held.body_share = bodies.open()
    held.request_log.on_close(share.close)
    environ = request.environ
    environ["wsgi.input"] = _CountedInput(environ["wsgi.input"], share)


def hold_more(size_bytes: int) -> None:
    """So many bytes were made of the body. Raises OutOfRoom."""
    g.body_share.take(size_bytes)


def release_body() -> None:
    """Nothing of the body is held any more. Idempotent."""
    g.body_share.close()
