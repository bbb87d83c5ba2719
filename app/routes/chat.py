"""POST /v1/chat/completions"""

from __future__ import annotations

from flask import Blueprint, Response

from app.formats.openai_chat.asked import parse_chat
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.progress import answer_as_asked
from app.routes.reply import max_text_chars
from app.routes.services import services

bp = Blueprint("chat", __name__)
bp.before_request(require_caller)


@bp.post("/v1/chat/completions")
def create_chat_completion() -> Response:
    """Answer a conversation, streamed or whole."""
    known = services()
    return answer_as_asked(known, [parse_chat(read_body(known), max_text_chars=max_text_chars(known))])
