"""GET /openapi.json: what this gateway understands, for programs that want to know."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response

bp = Blueprint("description", __name__)

_DOCUMENT = Path(__file__).with_name("openapi.json").read_bytes()


@bp.get("/openapi.json")
def describe() -> Response:
    return Response(_DOCUMENT, content_type="application/json")
