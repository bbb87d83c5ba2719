"""The three calls that delete a conversation (protocol notes 0.2 row 12, 9). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.core.errors import (
    AccessRejected,
    AccountBlocked,
    ConversationNotFound,
    UpstreamInvalid,
    UpstreamThrottled,
)
from app.upstream.envelope import classify_answer, is_success

Calls = tuple[tuple[str, dict[str, object]], ...]
"""(path, body) of calls that mean the same, the newest first."""

IsGone = Callable[[int, Any], bool]
"""Whether a status and a document say that a call is no more, so that the next one is made."""

_BULK_PATH = "/chatglm/mainchat-api/conversation/bulk_delete"
_SINGLE_PATH = "/chatglm/mainchat-api/conversation/delete"
_OLD_PATH = "/chatglm/backend-api/assistant/conversation/delete"

# These say nothing about the call that was made: any other would meet the same, or has nothing to do.
_NOT_ABOUT_THE_CALL = (AccessRejected, AccountBlocked, ConversationNotFound, UpstreamThrottled)


def build_deletions(conversation_id: str, assistant_id: str) -> Calls:
    """Raises UpstreamInvalid without both ids: a bulk deletion that lacks one means the whole history."""
    if not conversation_id.strip() or not assistant_id.strip():
        raise UpstreamInvalid("A conversation without a name, or without its assistant's, is never deleted.")
    return (
        (_BULK_PATH, {"conversation_ids": [conversation_id], "assistant_id": assistant_id}),
        (_SINGLE_PATH, {"conversation_id": conversation_id}),
        (_OLD_PATH, {"conversation_id": conversation_id, "assistant_id": assistant_id}),
    )


def is_missing(status: int, _document: Any) -> bool:
    """The path is no more."""
    return status in (404, 405)


def is_dead_deletion(status: int, document: Any) -> bool:
    """A deletion that has died may also answer 400, or a refusal of its own; 40001 may mean either."""
    if not isinstance(document, dict) or status >= 500:
        return status in (400, 404, 405)
    is_done = status == 200 and is_success(document)
    return not is_done and not isinstance(classify_answer(status, document), _NOT_ABOUT_THE_CALL)
