"""Failures as whole responses, each in the format of the path that was asked, or of who asks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import chain

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as PathNotFound

from app.catalogue.load import MISTAKE
from app.catalogue.message import Message, say_size
from app.catalogue.path import WRONG_METHOD
from app.catalogue.request import BODY_TOO_LARGE, BODY_TOO_LARGE_BY, UNREADABLE
from app.core import errors
from app.core.errors import GatewayError, InternalError
from app.formats.format import ErrorEncoder
from app.routes.missing import explain_missing, is_left_out, list_offered

log = logging.getLogger(__name__)


class FailurePages:
    """The last handlers of the application. `by_path` are encoders by beginning of the path.

    By path and not by blueprint: a path that no route has (404), or a method (405), belongs to none. Where no
    format owns the path, a header that only clients of one format send says which: `by_header`.
    """

    def __init__(
        self,
        by_path: Mapping[str, ErrorEncoder],
        by_header: Mapping[str, ErrorEncoder],
        otherwise: ErrorEncoder,
    ) -> None:
        self._by_path = by_path
        self._by_header = by_header
        self._otherwise = otherwise

    def install(self, app: Flask) -> None:
        app.register_error_handler(GatewayError, self.render_error)
        app.register_error_handler(HTTPException, self.render_http_error)
        app.register_error_handler(Exception, self.render_unexpected)

    def render_error(self, error: GatewayError) -> Response:
        """The failure as a whole response; it is also what the log will say of this request."""
        g.request_log.fail(error)
        response = Response(self._encode(error), status=error.status, content_type="application/json")
        if error.retry_after_seconds is not None:
            response.headers["Retry-After"] = str(error.whole_retry_seconds)
        if error.forbids_retry:
            response.headers["x-should-retry"] = "false"
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def render_http_error(self, exc: HTTPException) -> Response:
        """Flask's own refusals in the client's format."""
        if isinstance(exc, MethodNotAllowed) and is_left_out(request.path):
            exc = PathNotFound()
        response = self.render_error(_translate(exc))
        if isinstance(exc, ClientDisconnected):  # while it sent the body: nobody's mistake
            g.request_log.outcome = "client gone"
        if isinstance(exc, MethodNotAllowed) and exc.valid_methods:
            response.headers["Allow"] = ", ".join(exc.valid_methods)
        return response

    def render_unexpected(self, exc: Exception) -> Response:
        """A mistake of ours is logged here and told without details."""
        log.error("unexpected failure", exc_info=exc)
        return self.render_error(InternalError(MISTAKE))

    def _encode(self, error: GatewayError) -> bytes:
        by_path = (encode for prefix, encode in self._by_path.items() if request.path.startswith(prefix))
        by_header = (encode for name, encode in self._by_header.items() if name in request.headers)
        return next(chain(by_path, by_header), self._otherwise)(error, g.request_log.id)


def _translate(exc: HTTPException) -> GatewayError:
    if isinstance(exc, PathNotFound):
        return errors.NotFound(explain_missing(request.path, list_offered(current_app.url_map)))
    if isinstance(exc, MethodNotAllowed):
        methods = ", ".join(sorted({*(exc.valid_methods or ())} - {"HEAD", "OPTIONS"}))
        said = WRONG_METHOD.fill(path=request.path, methods=methods, method=request.method)
        return errors.MethodNotAllowed(said)
    if isinstance(exc, RequestEntityTooLarge):
        return errors.BodyTooLarge(_explain_size())
    return errors.InvalidRequest(UNREADABLE.fill(name=exc.name))


def _explain_size() -> Message:
    """How large the body is is known only where it was said, and nobody had to decode it."""
    allowed, sent = request.max_content_length or 0, request.content_length or 0
    if sent > allowed:
        return BODY_TOO_LARGE_BY.fill(size=say_size(allowed), sent=say_size(sent))
    return BODY_TOO_LARGE.fill(size=say_size(allowed))
