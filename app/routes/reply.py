"""Replies as Flask responses."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator

from flask import Response

from app.core.errors import GatewayError, InternalError
from app.core.usage import Usage
from app.exchange.reply import Reply
from app.formats.format import Asked, Encoder, ReplyHead
from app.server.request_log import RequestLog

log = logging.getLogger(__name__)

STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


def own_reply(reply: Reply, request_log: RequestLog) -> None:
    """From here on the end of the request closes the reply."""
    request_log.on_close(lambda: _close(reply, request_log))
    request_log.account = reply.account


def stream_reply(reply: Reply, asked: Asked, request_log: RequestLog) -> Response:
    """The reply as server-sent events."""
    encoder = asked.build_encoder(_head(reply, asked), Usage(reply.prompt, reasoning=reply.hidden))
    return Response(
        _relay(reply, encoder, request_log),
        content_type="text/event-stream; charset=utf-8",
        headers=STREAM_HEADERS,
    )


def whole_reply(reply: Reply, asked: Asked, request_log: RequestLog) -> Response:
    """The reply as one completion; its account is free when this returns or raises."""
    folder = asked.build_folder(_head(reply, asked), Usage(reply.prompt, reasoning=reply.hidden))
    try:
        while not reply.finished:
            events = reply.read()
            if events:
                request_log.mark_first_delta()
                folder.add(events)
    finally:
        request_log.give_back(lambda: _close(reply, request_log))
    return Response(folder.encode(), content_type="application/json")


def _relay(reply: Reply, encoder: Encoder, request_log: RequestLog) -> Iterator[bytes]:
    """The body of a stream. Everything it holds is owned, and closed, by the reply."""
    yield encoder.start()
    try:
        while not reply.finished:
            events = reply.read()
            if events is None:
                yield encoder.heartbeat()
            elif events:
                request_log.mark_first_delta()
                yield encoder.encode(events)
    except GatewayError as error:
        request_log.outcome = error.code
        yield encoder.error(error)
    except Exception as exc:
        log.error("unexpected failure in a stream", exc_info=exc)
        request_log.outcome = InternalError.code
        yield encoder.error(InternalError("The gateway made a mistake; its log says more."))


def _close(reply: Reply, request_log: RequestLog) -> None:
    """Idempotent, as the reply's own `close` is."""
    if request_log.outcome is None and not reply.finished:
        request_log.outcome = "client gone"
    request_log.frames = reply.frames
    request_log.model = reply.model
    reply.close()


def _head(reply: Reply, asked: Asked) -> ReplyHead:
    """Clients keep the id to continue; an upstream that names no conversation still needs one."""
    name = reply.conversation_id or f"chatcmpl-{uuid.uuid4().hex}"
    model = asked.question.model
    return ReplyHead(id=name, model=model, created=int(time.time()), served_by=reply.model)
