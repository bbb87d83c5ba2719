"""Replies as Flask responses."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from functools import partial

from flask import Response
from flask.globals import app_ctx

from app.budget import Share
from app.catalogue.load import MISTAKE
from app.core.errors import GatewayError, InternalError
from app.core.size import measure_question
from app.core.usage import Usage
from app.exchange.reply import Reply
from app.formats.format import Asked, Encoder, Folder, ReplyHead
from app.gateway import Gateway
from app.server.request_log import RequestLog
from app.server.response import LastPiece

log = logging.getLogger(__name__)

STREAM_HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


TEXT_PER_PROMPT = 4
"""Of what is sent, not everything comes into the prompt; beyond so many times its bound nothing is read."""


def max_text_chars(known: Gateway) -> int:
    """How much text a body may hold that asks a question."""
    return TEXT_PER_PROMPT * known.settings.max_prompt_chars


def answer_question(known: Gateway, asked: Asked) -> Response:
    """The answer in the format in which it was `asked`, streamed or whole. Pass what nobody else holds."""
    held = app_ctx.g
    request_log: RequestLog = held.request_log
    body_share: Share = held.body_share
    body_share.take(measure_question(asked.question))
    request_log.begin_reply()
    reply = known.chat.open(asked.question, held.caller)
    request_log.on_close(partial(close_reply, reply, request_log))
    request_log.account = reply.account
    head, usage = build_head(reply, asked), Usage(reply.prompt, reasoning=reply.hidden)
    render = (
        partial(_stream_reply, reply, asked.build_encoder(head, usage))
        if asked.stream
        else partial(_fold_reply, reply, asked.build_folder(head, usage))
    )
    has_tools = bool(asked.question.tools)
    del asked  # its texts may be large, and the answer may take long
    if not has_tools:  # with tools the answer is compared to what was asked, to its end
        body_share.close()
    return render(request_log)


def _stream_reply(reply: Reply, encoder: Encoder, request_log: RequestLog) -> Response:
    """The reply as server-sent events."""
    return build_stream(relay_reply(reply, encoder, request_log, encoder.start()))


class _EventStream(Response):
    """Its pieces are bytes already."""

    response: Iterator[bytes]

    def iter_encoded(self) -> Iterator[bytes]:
        return self.response


def build_stream(pieces: Iterator[bytes]) -> Response:
    """Server-sent events as they come."""
    return _EventStream(
        pieces,
        content_type="text/event-stream; charset=utf-8",
        headers=STREAM_HEADERS,
    )


def _fold_reply(reply: Reply, folder: Folder, request_log: RequestLog) -> Response:
    """The reply as one body; its account is free when this returns or raises."""
    reply.expect_whole()
    try:
        while not reply.finished:
            events = reply.read()
            if events:
                request_log.first_delta_at = request_log.first_delta_at or time.monotonic()
                folder.add(events)
    finally:
        request_log.give_back(lambda: close_reply(reply, request_log))
    return Response(folder.encode(), content_type="application/json")


def relay_reply(
    reply: Reply, encoder: Encoder, request_log: RequestLog, beginning: bytes = b""
) -> Iterator[bytes]:
    """The body of a stream. Everything it holds is owned, and closed, by the reply.

    `beginning` leaves with the first of the answer, at once where that is still to come.
    """
    if beginning and not reply.has_come:
        yield beginning
        beginning = b""
    try:
        is_last = False
        while not is_last:
            events, is_last = reply.read(), reply.finished
            if events is None:
                yield encoder.heartbeat()
            elif events:
                request_log.first_delta_at = request_log.first_delta_at or time.monotonic()
                piece, beginning = beginning + encoder.encode(events), b""
                yield LastPiece(piece) if is_last else piece
    except Exception as exc:  # noqa: BLE001 - whatever it is, the client is told that the stream failed
        yield LastPiece(beginning + encode_failure(exc, encoder, request_log))


def encode_failure(exc: Exception, encoder: Encoder, request_log: RequestLog) -> bytes:
    """The last event of a stream that `exc` ends."""
    if not isinstance(exc, GatewayError):
        log.error("unexpected failure in a stream", exc_info=exc)
        exc = InternalError(MISTAKE)
    request_log.fail(exc)
    return encoder.error(exc)


def close_reply(reply: Reply, request_log: RequestLog) -> None:
    """Idempotent, as the reply's own `close` is."""
    if request_log.outcome is None and not reply.finished:
        request_log.outcome = "client gone"
    request_log.frames = reply.frames
    request_log.model = reply.model
    reply.close()


def build_head(reply: Reply, asked: Asked) -> ReplyHead:
    """Clients keep the id to continue; an upstream that names no conversation still needs one."""
    name, model = reply.conversation_id or uuid.uuid4().hex, asked.question.model
    return ReplyHead(name, model, int(time.time()), served_by=reply.model, turn=reply.turn)
