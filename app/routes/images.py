"""POST /v1/images/generations"""

from __future__ import annotations

import time

from flask import Blueprint, Response, g

from app.openai.images import encode_images, parse_image_request
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.services import services

bp = Blueprint("images", __name__)
bp.before_request(require_caller)


@bp.post("/v1/images/generations")
def create_images() -> Response:
    """Draw, and answer when every picture is there."""
    image_request = parse_image_request(read_body())
    g.record.watch_client()
    pictures = services().images.draw(image_request, g.caller)
    return Response(encode_images(pictures, created=int(time.time())), content_type="application/json")
