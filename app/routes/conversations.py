"""GET /v1/conversations and DELETE /v1/conversations/<id>: what the caller left upstream."""

from __future__ import annotations

import threading
import time

from flask import Blueprint, Response, g, jsonify

from app.catalogue.path import NOT_YOUR_CONVERSATION
from app.conversations.ledger import Conversation
from app.core.errors import ConversationBusy, ConversationNotFound
from app.identifier import fold_id
from app.routes.auth import require_caller
from app.routes.services import services
from app.upstream.video import VIDEO_ASSISTANT

# An answer is stopped within 0.8 seconds (app/exchange/reply.py).
_FREE_SECONDS = 1.0
_PAUSE_SECONDS = 0.05

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
    _delete_soon(conversation)
    return jsonify(id=conversation.id, object="conversation.deleted", deleted=True)


def _delete_soon(conversation: Conversation) -> None:
    """An answer that ended early, at a call or a stop, is stopped upstream before its conversation is free:
    whoever has just heard its end need not ask twice. Raises as Cleaner.delete_now does."""
    ends_at = time.monotonic() + _FREE_SECONDS
    while True:
        try:
            services().cleaner.delete_now(conversation)
        except ConversationBusy:
            if time.monotonic() >= ends_at:
                raise
            threading.Event().wait(_PAUSE_SECONDS)
        else:
            return


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
