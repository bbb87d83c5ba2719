"""POST /v1/responses and DELETE /v1/responses/<id>: OpenAI Responses. No answer is stored.

What reads and writes them is loaded by the first who asks in this way (docs/decisions/0018).
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.catalogue.path import NO_RESPONSE, NOT_STORED
from app.core.errors import NotFound
from app.routes.auth import require_caller
from app.routes.body import read_body
from app.routes.conversations import find_own_conversation
from app.routes.reply import answer_question, max_text_chars
from app.routes.services import services

bp = Blueprint("responses", __name__)
bp.before_request(require_caller)


@bp.post("/v1/responses")
def create_response() -> Response:
    """Answer an input, streamed or whole."""
    from app.formats.openai_responses.asked import parse_response  # noqa: PLC0415

    known = services()
    return answer_question(known, parse_response(read_body(known), max_text_chars=max_text_chars(known)))


@bp.delete("/v1/responses/<response_id>")
def delete_response(response_id: str) -> Response:
    """Delete the conversation that the response is of, now: every answer of it goes with it."""
    from app.formats.openai_responses.identity import parse_response_id  # noqa: PLC0415

    named = parse_response_id(response_id)
    conversation = find_own_conversation(named.conversation) if named else None
    if conversation is None or named is None or named.turn > conversation.turns + 1:
        raise NotFound(NO_RESPONSE.fill(response_id=response_id[:100]), param="response_id")
    services().cleaner.delete_now(conversation)
    return jsonify(id=response_id, object="response", deleted=True)


@bp.get("/v1/responses/<response_id>")
@bp.get("/v1/responses/<response_id>/input_items")
@bp.post("/v1/responses/<response_id>/cancel")
def find_response(response_id: str) -> Response:
    """Nothing is stored that could be shown, listed or cancelled."""
    raise NotFound(NOT_STORED.fill(response_id=response_id[:100]), param="response_id")
