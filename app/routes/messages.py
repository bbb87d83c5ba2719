"""POST /v1/messages and /v1/messages/count_tokens: Anthropic's way to ask.

What reads and writes it is loaded by the first who asks in this way (docs/decisions/0018).
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.core.size import measure_question
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.holding import hold_more
from app.routes.progress import answer_as_asked
from app.routes.reply import max_text_chars
from app.routes.services import services

bp = Blueprint("messages", __name__)
bp.before_request(require_caller)


@bp.post("/v1/messages")
def create_message() -> Response:
    """Answer a conversation, streamed or whole."""
    from app.formats.anthropic_messages.asked import parse_message  # noqa: PLC0415

    known = services()
    return answer_as_asked(known, [parse_message(read_body(known), max_text_chars=max_text_chars(known))])


@bp.post("/v1/messages/count_tokens")
def count_tokens() -> Response:
    """How long the prompt of such a request would be; no account is asked."""
    from app.formats.anthropic_messages.asked import parse_counted  # noqa: PLC0415

    known = services()
    question = parse_counted(read_body(known), max_text_chars=max_text_chars(known))
    hold_more(measure_question(question))
    return jsonify(input_tokens=known.chat.count_tokens(question))
