"""Deleting conversations by each of the three calls (protocol notes 9, 0.2 row 12).

What is answered to a wrong id is a guess. A bulk deletion without ids, or without its assistant, deletes
everything, as the real one does.
"""

from __future__ import annotations

from upstream_emulator.call import Call
from upstream_emulator.fault import is_fault

NOT_FOUND = 10003


def delete_2024(call: Call) -> None:
    """`POST backend-api/assistant/conversation/delete` for one conversation."""
    conversation_id = call.fields.get("conversation_id")
    _delete(call, [conversation_id], call.fields.get("assistant_id"))


def delete_one(call: Call) -> None:
    """`POST mainchat-api/conversation/delete` for one conversation, which needs no assistant."""
    conversation_id = call.fields.get("conversation_id")
    found = call.world.conversations.find(str(conversation_id), call.caller.name)
    assistant_id = call.fields.get("assistant_id", found.assistant_id if found else None)
    _delete(call, [conversation_id], assistant_id)


def bulk_delete(call: Call) -> None:
    """`POST mainchat-api/conversation/bulk_delete` for one or many."""
    ids, assistant_id = call.fields.get("conversation_ids"), call.fields.get("assistant_id")
    if isinstance(ids, list) and ids and assistant_id:
        _delete(call, ids, assistant_id)
    else:
        call.world.record.wiped += call.world.conversations.delete_all(call.caller.name)
        call.succeed(None)


def _delete(call: Call, ids: list[object], assistant_id: object) -> None:
    """Deletes what belongs to this account and this assistant; anything else is refused as a whole."""
    account = call.caller
    fault = account.next_deletions.popleft() if account.next_deletions else ""
    if is_fault(fault):
        call.fail(fault)
        return
    known = [one for one in ids if isinstance(one, str)]
    if len(known) == len(ids) and call.world.conversations.delete(known, account.name, str(assistant_id)):
        call.succeed(None)
    else:
        call.world.record.refused_deletions += 1
        call.refuse(200, NOT_FOUND, "conversation not found")
