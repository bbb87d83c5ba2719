"""GET /metrics: for whoever runs the gateway, who holds METRICS_KEY. Without one there is none."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from app.catalogue.credential import METRICS_KEY_WANTED
from app.catalogue.path import NO_METRICS
from app.core.errors import CredentialsRejected, NotFound
from app.gateway import Gateway
from app.metrics.counters import Readings
from app.routes.auth import shows_metrics_key
from app.routes.services import services
from app.upstream.unknown_content import unknown_contents

bp = Blueprint("metrics", __name__)


@bp.before_request
def require_key() -> None:
    """Raises NotFound or CredentialsRejected."""
    if services().settings.metrics_key is None:
        raise NotFound(NO_METRICS)
    if not shows_metrics_key():
        raise CredentialsRejected(METRICS_KEY_WANTED)


@bp.get("/metrics")
def expose() -> Response:
    """In Prometheus's text format, or as OpenMetrics for those who accept that."""
    # Loaded by the first who asks: nobody else pays for it.
    from app.metrics.exposition import encode  # noqa: PLC0415

    known = services()
    body, content_type = encode(known.counters, _read(known), request.headers.get("Accept", ""))
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def _read(known: Gateway) -> Readings:
    return Readings(
        open_streams=known.active_requests.open_replies,
        queue_length=known.pool.queue_length,
        accounts=known.pool.count_states(),
        undeleted=known.ledger.count(),
        overdue=known.ledger.count_overdue(time.time()),
        state_in_memory=not known.state.is_kept,
        unknown_contents=unknown_contents,
    )
