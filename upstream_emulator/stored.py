"""The stored messages of a conversation (protocol notes 0.2 row 6).

The shape is that which two programs read: `messages[]`, each with the question as `input` and the answer as
`output`, whose parts are those of frames. That a finished one says so in `status` is a guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

from upstream_emulator.call import Call
from upstream_emulator.frame import Json

KINDS = ("whole", "other", "unfinished", "unnamed")
BAD_REQUEST = 40001
_SHOWN_CHARS = 88


def list_messages(call: Call) -> None:
    """`GET mainchat-api/conversation/messages?assistant_id=...&conversation_id=...`."""
    wanted = {name: values[0] for name, values in parse_qs(call.request.query).items()}
    conversation_id = wanted.get("conversation_id", "")
    conversation = call.world.conversations.find(conversation_id, call.caller.name)
    stored = call.caller.stored_messages.get(conversation_id)
    if conversation is None or stored is None or conversation.assistant_id != wanted.get("assistant_id"):
        call.refuse(400, BAD_REQUEST, "bad request")
    else:
        call.succeed(stored)


def store(frames: Sequence[Json], question: str, kind: str) -> Json:
    """What is kept of an answer: all of it, or where it went wrong."""
    parts: dict[str, Json] = {}
    for frame in frames[: -2 if kind == "unfinished" else None]:
        for part in frame["parts"]:
            parts[part["logic_id"]] = part
    answer_id = frames[0]["id"] if kind != "unnamed" else "another"
    output = {
        "role": "assistant",
        "status": "init" if kind == "unfinished" else "finish",
        "parts": [_change(part) if kind == "other" else part for part in parts.values()],
    }
    asked = {"role": "user", "content": [{"type": "text", "text": question[-_SHOWN_CHARS:]}]}
    message = {"id": answer_id, "input": asked, "output": output}
    return {"conversation_id": frames[0]["conversation_id"], "messages": [message]}


def _change(part: Json) -> Json:
    """The same part in other words."""
    item = {
        name: f"不{value}" if name in ("text", "think") else value
        for name, value in part["content"][0].items()
    }
    return part | {"content": [item]}
