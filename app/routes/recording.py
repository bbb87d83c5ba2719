"""POST /v1/recording: what an account answers to one small question, as shapes, for an admin key."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.routes.auth import require_caller
from app.routes.services import services

bp = Blueprint("recording", __name__)
bp.before_request(require_caller)

_FILE_NAME = "glm-api-recording.jsonl"


@bp.post("/v1/recording")
def record() -> Response:
    """A file to read and hand on; nothing of it stays here."""
    g.request_log.begin_reply()
    text = services().recorder.record(g.caller)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{_FILE_NAME}"'}
    return Response(text, content_type="text/plain; charset=utf-8", headers=headers)
