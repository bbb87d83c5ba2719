"""GET /v1/conversations and DELETE /v1/conversations/<id>: what the caller left upstream."""

from __future__ import annotations

import time

from flask import Blueprint, Response, g, jsonify

from app.catalogue.path import NOT_YOUR_CONVERSATION
from app.conversations.ledger import Conversation
from app.core.errors import ConversationNotFound
from app.identifier import fold_id
from app.routes.auth import require_caller
from app.routes.services import services
from app.upstream.video import VIDEO_ASSISTANT

bp = Blueprint("conversations", __name__)
bp.before_request(require_caller)


@bp.get("/v1/conversations")
def list_conversations() -> Response:
    """The caller's conversations that can still be continued."""
    kept = services().ledger.list_kept(_own(), g.caller.id, time.time())
    spoken = [conversation for conversation in kept if conversation.assistant_id != VIDEO_ASSISTANT]
    return jsonify(object="list", data=[_describe(conversation) for conversation in spoken])


@bp.delete("/v1/conversations/<conversation_id>")
def delete_conversation(conversation_id: str) -> Response:
    """Delete one of them now."""
    conversation = find_own_conversation(conversation_id)
    if conversation is None:
        raise ConversationNotFound(NOT_YOUR_CONVERSATION, param="id")
    services().cleaner.delete_now(conversation)
    return jsonify(id=conversation.id, object="conversation.deleted", deleted=True)


def find_own_conversation(conversation_id: str) -> Conversation | None:
    """What the caller left upstream under this id."""
    conversation = services().ledger.get(fold_id(conversation_id) or "")
    if conversation is None or conversation.caller != g.caller.id or conversation.owner not in _own():
        return None
    return conversation


def _own() -> list[str]:
    return [account.owner for account in services().pool.get_or_add(g.caller.refresh_tokens)]


def _describe(conversation: Conversation) -> dict[str, object]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created": int(conversation.created),
        "last_used": int(conversation.last_used),
        "expires": int(conversation.due),
        "assistant_id": conversation.assistant_id,
    }
