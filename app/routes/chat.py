"""POST /v1/chat/completions"""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.formats.openai_chat.asked import parse_chat
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.responses import own_reply, stream_reply, whole_reply
from app.routes.services import services

bp = Blueprint("chat", __name__)
bp.before_request(require_caller)


@bp.post("/v1/chat/completions")
def create_chat_completion() -> Response:
    """Answer a conversation, streamed or whole."""
    asked = parse_chat(read_body())
    g.record.watch_client()
    reply = services().chat.open(asked.question, g.caller)
    own_reply(reply, g.record)
    render = stream_reply if asked.stream else whole_reply
    return render(reply, asked, g.record)
