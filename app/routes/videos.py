"""POST /v1/videos/generations and GET /v1/videos/<id>"""

from __future__ import annotations

import time

from flask import Blueprint, Response, g

from app.formats.openai_media.video import encode_progress, encode_result, parse_video_request
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.services import services

bp = Blueprint("videos", __name__)
bp.before_request(require_caller)


@bp.post("/v1/videos/generations")
def create_video() -> Response:
    """Film, and answer when the video is there; with `async` as soon as it is ordered."""
    known = services()
    video_request = parse_video_request(read_body(known))
    g.request_log.begin_reply()
    video = known.video.film(video_request, g.caller)
    encode = encode_progress if video_request.is_async else encode_result
    return Response(encode(video, created=int(time.time())), content_type="application/json")


@bp.get("/v1/videos/<video_id>")
def get_video(video_id: str) -> Response:
    """How far a video is that was ordered with `async`."""
    video = services().video.find(video_id, g.caller)
    return Response(encode_progress(video, created=int(time.time())), content_type="application/json")
