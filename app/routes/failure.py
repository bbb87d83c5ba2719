"""Failures as whole responses, each in the format of the path that was asked."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as PathNotFound

from app.core import errors
from app.core.errors import GatewayError, InternalError
from app.formats.format import ErrorEncoder

log = logging.getLogger(__name__)


class FailurePages:
    """The last handlers of the application. `encoders` are by beginning of the path, the longest one counts.

    By path and not by blueprint: a path that no route has (404), or a method (405), belongs to none.
    """

    def __init__(self, encoders: Mapping[str, ErrorEncoder]) -> None:
        self._encoders = sorted(encoders.items(), key=lambda item: -len(item[0]))

    def install(self, app: Flask) -> None:
        app.register_error_handler(GatewayError, self.render_error)
        app.register_error_handler(HTTPException, self.render_http_error)
        app.register_error_handler(Exception, self.render_unexpected)

    def render_error(self, error: GatewayError) -> Response:
        """The failure as a whole response; it is also what the log will say of this request."""
        g.request_log.fail(error)
        response = Response(self._encode(error), status=error.status, content_type="application/json")
        if error.retry_after_seconds is not None:
            response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
        if not error.should_retry:
            response.headers["x-should-retry"] = "false"
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    def render_http_error(self, exc: HTTPException) -> Response:
        """Flask's own refusals in the client's format."""
        response = self.render_error(_translate(exc))
        if isinstance(exc, MethodNotAllowed) and exc.valid_methods:
            response.headers["Allow"] = ", ".join(exc.valid_methods)
        return response

    def render_unexpected(self, exc: Exception) -> Response:
        """A mistake of ours is logged here and told without details."""
        log.error("unexpected failure", exc_info=exc)
        return self.render_error(InternalError("The gateway made a mistake; its log says more."))

    def _encode(self, error: GatewayError) -> bytes:
        encoders = (encode for prefix, encode in self._encoders if request.path.startswith(prefix))
        return next(encoders)(error)


def _translate(exc: HTTPException) -> GatewayError:
    if isinstance(exc, PathNotFound):
        return errors.NotFound("There is nothing at this path. The API is under /v1, as OpenAI's.")
    if isinstance(exc, MethodNotAllowed):
        return errors.MethodNotAllowed("This path does not know this method.")
    if isinstance(exc, RequestEntityTooLarge):
        return errors.BodyTooLarge("The request body is larger than this path takes (GLM_MAX_BODY_BYTES).")
    return errors.InvalidRequest(f"The request could not be read: {exc.name}.")
