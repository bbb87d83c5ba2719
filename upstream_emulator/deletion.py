"""Deleting conversations, in both eras (protocol notes 9). What it answers to a wrong id is a guess."""

from __future__ import annotations

from upstream_emulator.call import Call
from upstream_emulator.fault import is_fault

NOT_FOUND = 10003


def delete_2024(call: Call) -> None:
    """`POST backend-api/assistant/conversation/delete` for one conversation."""
    conversation_id = call.fields.get("conversation_id")
    _delete(call, [conversation_id])


def bulk_delete(call: Call) -> None:
    """`POST mainchat-api/conversation/bulk_delete` for one or many."""
    ids = call.fields.get("conversation_ids")
    _delete(call, ids if isinstance(ids, list) else [])


def _delete(call: Call, ids: list[object]) -> None:
    """Deletes what belongs to this account and this assistant; anything else is refused as a whole."""
    account = call.caller
    fault = account.next_deletions.popleft() if account.next_deletions else ""
    if is_fault(fault):
        call.fail(fault)
        return
    known = [one for one in ids if isinstance(one, str)]
    assistant_id = str(call.fields.get("assistant_id"))
    if len(known) == len(ids) and call.world.conversations.delete(known, account.name, assistant_id):
        call.succeed(None)
    else:
        call.world.record.refused_deletions += 1
        call.refuse(200, NOT_FOUND, "conversation not found")
