"""POST /v1/chat/completions"""

from __future__ import annotations

from flask import Blueprint, Response

from app.formats.openai_chat.asked import AskedChat, parse_chat
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.progress import answer_with_progress
from app.routes.reply import answer_question, max_text_chars

bp = Blueprint("chat", __name__)
bp.before_request(require_caller)


@bp.post("/v1/chat/completions")
def create_chat_completion() -> Response:
    """Answer a conversation, streamed or whole."""
    return _answer([parse_chat(read_body(), max_text_chars=max_text_chars())])


def _answer(asked: list[AskedChat]) -> Response:
    """Takes the one out, so that nobody but the answer holds texts that may be large."""
    answer = answer_with_progress if asked[0].progress else answer_question
    return answer(asked.pop())
