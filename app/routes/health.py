"""GET /ping, /health/live, /health/ready: without credentials, and never asking the upstream."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.routes.services import services

bp = Blueprint("health", __name__)


@bp.get("/ping")
def ping() -> Response:
    return Response("pong", content_type="text/plain; charset=utf-8")


@bp.get("/health/live")
def live() -> Response:
    return jsonify(status="ok")


@bp.get("/health/ready")
def ready() -> Response:
    """503 while the gateway stops, or GLM_DRAIN_FILE says that it soon will.

    A state file that does not work is said and no reason to send nobody: the gateway answers from memory, and
    a restart, which balancers and probes might bring about, is what would lose something.
    """
    known = services()
    is_ready = known.active_requests.ready
    response = jsonify(
        status="ok" if is_ready else "draining", state="kept" if known.state.is_kept else "in memory"
    )
    response.status_code = 200 if is_ready else 503
    return response
