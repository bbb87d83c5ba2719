"""POST /v1/chat/completions"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, g

from app.core.size import measure_question
from app.formats.openai_chat.asked import parse_chat
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.holding import hold_more, release_body
from app.routes.reply import own_reply, stream_reply, whole_reply
from app.routes.services import services

bp = Blueprint("chat", __name__)
bp.before_request(require_caller)

TEXT_PER_PROMPT = 4
"""Of what is sent, not everything comes into the prompt; beyond so many times its bound nothing is read."""


@bp.post("/v1/chat/completions")
def create_chat_completion() -> Response:
    """Answer a conversation, streamed or whole."""
    known = services()
    asked = parse_chat(read_body(), max_text_chars=TEXT_PER_PROMPT * known.settings.max_prompt_chars)
    hold_more(measure_question(asked.question))
    g.request_log.begin_reply()
    reply = known.chat.open(asked.question, g.caller)
    own_reply(reply, g.request_log)
    has_tools = bool(asked.question.tools)
    asked = replace(asked, question=asked.question.forget_turns())
    if not has_tools:  # with tools the answer is compared to what was asked, to its end
        release_body()
    render = stream_reply if asked.stream else whole_reply
    return render(reply, asked, g.request_log)
