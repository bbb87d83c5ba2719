"""POST /v1/images/generations and POST /v1/images/edits"""

from __future__ import annotations

import time
from collections.abc import Sequence

from flask import Blueprint, Response, g, request

from app.core.request import Attachment, DrawingRequest
from app.formats.openai_media.images import encode_images, parse_edit_fields, parse_image_request
from app.routes.auth import require_caller
from app.routes.body import SMALL_BODY_BYTES, read_body
from app.routes.form import read_picture
from app.routes.holding import hold_more
from app.routes.services import services

bp = Blueprint("images", __name__)
bp.before_request(require_caller)


@bp.post("/v1/images/generations")
def create_images() -> Response:
    """Draw, and answer when every picture is there."""
    return _draw(parse_image_request(read_body(services(), SMALL_BODY_BYTES)))


@bp.post("/v1/images/edits")
def edit_image() -> Response:
    """Draw after one picture and a prompt, sent as a form."""
    picture = read_picture("image", refused=("mask",))
    return _draw(parse_edit_fields(request.form), [picture])


def _draw(image_request: DrawingRequest, attachments: Sequence[Attachment] = ()) -> Response:
    g.request_log.begin_reply()
    pictures = services().images.draw(image_request, g.caller, attachments, hold=hold_more)
    return Response(encode_images(pictures, created=int(time.time())), content_type="application/json")
