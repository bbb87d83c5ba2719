"""GET /ping, /health/live, /health/ready: without credentials, and never asking the upstream."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

bp = Blueprint("health", __name__)


@bp.get("/ping")
def ping() -> Response:
    return Response("pong", content_type="text/plain; charset=utf-8")


@bp.get("/health/live")
def live() -> Response:
    return jsonify(status="ok")


@bp.get("/health/ready")
def ready() -> Response:
    return jsonify(status="ok")
