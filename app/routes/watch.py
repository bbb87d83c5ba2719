"""GET /v1/watch: the caller's own requests of the last hour, and what changes from now on, as events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
from flask import Blueprint, Response, g

from app.caller_stats import BUCKET_SECONDS, History
from app.formats.openai_chat.encoder import HEARTBEAT
from app.routes.auth import authenticate_watcher
from app.routes.reply import STREAM_HEADERS
from app.routes.services import services

bp = Blueprint("watch", __name__)
bp.before_request(authenticate_watcher)

_LOOK_SECONDS = 1.0
_LOOKS_PER_HEARTBEAT = 5
_MAX_SECONDS = 6 * 3600.0

_encode = msgspec.json.Encoder().encode


@bp.get("/v1/watch")
def watch() -> Response:
    """The first event tells the whole hour, later ones the half minutes that changed."""
    known, caller = services(), g.caller
    history, ended = known.caller_stats.of(caller.queue), known.watches.enter()
    g.request_log.on_close(lambda: known.watches.leave(ended))

    def is_over() -> bool:
        return ended.is_set() or known.active_requests.stopping

    events = _relay(history, lambda: known.pool.waiting(caller.queue), is_over, ended)
    return Response(events, content_type="text/event-stream; charset=utf-8", headers=STREAM_HEADERS)


def _relay(
    history: History, count_queued: Callable[[], int], is_over: Callable[[], bool], ended: threading.Event
) -> Iterator[bytes]:
    """Looks once a second, as nothing tells; a heartbeat now and then finds out who has gone."""
    ticket, seen = history.take_ticket(), (-1, -1)
    told_at, ends_at, looks = 0.0, time.monotonic() + _MAX_SECONDS, 0
    while history.is_valid(ticket) and not is_over() and time.monotonic() < ends_at:
        now, queued = time.time(), count_queued()
        if (history.version, queued) != seen:
            seen = (history.version, queued)
            yield _encode_event(history, queued, told_at)
            told_at = now
        elif looks % _LOOKS_PER_HEARTBEAT == 0:
            yield HEARTBEAT
        looks += 1
        ended.wait(_LOOK_SECONDS)


def _encode_event(history: History, queued: int, since: float) -> bytes:
    view = {
        "object": "watch",
        "bucket_seconds": BUCKET_SECONDS,
        "open": history.open,
        "queued": queued,
        "buckets": history.describe(since),
    }
    return b"data: " + _encode(view) + b"\n\n"
