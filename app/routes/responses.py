"""Replies and failures as Flask responses."""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterator

from flask import Response, g
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as PathNotFound

from app import errors
from app.core.usage import Usage
from app.errors import GatewayError, InternalError
from app.exchange.reply import Reply
from app.formats.format import Asked, Encoder, ReplyHead
from app.formats.openai_error import encode_error
from app.routes.journal import Record

log = logging.getLogger(__name__)

STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def own_reply(reply: Reply, record: Record) -> None:
    """From here on the end of the request closes the reply."""
    record.on_close(lambda: _close(reply, record))
    record.account = reply.account


def stream_reply(reply: Reply, asked: Asked, record: Record) -> Response:
    """The reply as server-sent events."""
    encoder = asked.build_encoder(_head(reply, asked), Usage(reply.prompt, reasoning=reply.hidden))
    return Response(
        _relay(reply, encoder, record),
        content_type="text/event-stream; charset=utf-8",
        headers=STREAM_HEADERS,
    )


def whole_reply(reply: Reply, asked: Asked, record: Record) -> Response:
    """The reply as one completion; its account is free when this returns or raises."""
    folder = asked.build_folder(_head(reply, asked), Usage(reply.prompt, reasoning=reply.hidden))
    try:
        while not reply.finished:
            events = reply.read()
            if events:
                record.mark_first_delta()
                folder.add(events)
    finally:
        record.give_back(lambda: _close(reply, record))
    return Response(folder.encode(), content_type="application/json")


def render_error(error: GatewayError) -> Response:
    """The failure as a whole response; it is also what the log will say of this request."""
    g.record.outcome = error.code
    response = Response(encode_error(error), status=error.status, content_type="application/json")
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def render_http_error(exc: HTTPException) -> Response:
    """Flask's own refusals in OpenAI's shape."""
    response = render_error(_translate(exc))
    if isinstance(exc, MethodNotAllowed) and exc.valid_methods:
        response.headers["Allow"] = ", ".join(exc.valid_methods)
    return response


def render_unexpected(exc: Exception) -> Response:
    """The last handler: a mistake of ours is logged here and told without details."""
    log.error("unexpected failure", exc_info=exc)
    return render_error(InternalError("The gateway made a mistake; its log says more."))


def _relay(reply: Reply, encoder: Encoder, record: Record) -> Iterator[bytes]:
    """The body of a stream. Everything it holds is owned, and closed, by the reply."""
    yield encoder.start()
    try:
        while not reply.finished:
            events = reply.read()
            if events is None:
                yield encoder.heartbeat()
            elif events:
                record.mark_first_delta()
                yield encoder.encode(events)
    except GatewayError as error:
        record.outcome = error.code
        yield encoder.error(error)
    except Exception as exc:
        log.error("unexpected failure in a stream", exc_info=exc)
        record.outcome = InternalError.code
        yield encoder.error(InternalError("The gateway made a mistake; its log says more."))


def _close(reply: Reply, record: Record) -> None:
    """Idempotent, as the reply's own `close` is."""
    if record.outcome is None and not reply.finished:
        record.outcome = "client gone"
    record.chunks = reply.frames
    reply.close()


def _head(reply: Reply, asked: Asked) -> ReplyHead:
    """Clients keep the id to continue; an upstream that names no conversation still needs one."""
    name = reply.conversation_id or f"chatcmpl-{uuid.uuid4().hex}"
    return ReplyHead(id=name, model=asked.question.model, created=int(time.time()))


def _translate(exc: HTTPException) -> GatewayError:
    if isinstance(exc, PathNotFound):
        return errors.NotFound("There is nothing at this path. The API is under /v1, as OpenAI's.")
    if isinstance(exc, MethodNotAllowed):
        return errors.MethodNotAllowed("This path does not know this method.")
    if isinstance(exc, RequestEntityTooLarge):
        return errors.BodyTooLarge("The request body is larger than this path takes (GLM_MAX_BODY_BYTES).")
    return errors.InvalidRequest(f"The request could not be read: {exc.name}.")
