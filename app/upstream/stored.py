"""The rest of an answer that was cut, from what the upstream has stored of its conversation (protocol notes
0.2 row 6). Pure.

What is stored is the answer from its start, so the texts that were said must stand in it, in their order:

    said, cut            stored                          it is
    "Good d"             "Good day"                      the rest: "ay"
    "Good day", "Bu"     "Good day", "But not here"      the rest: "t not here"
    "Good d"             "Good night", or nothing yet    another answer: this one stays cut
    "Good", "Bu"         "Good day", "But"               nobody can tell where "day" belongs: it stays cut

Only what says that it is finished counts: half of an answer is stored while it is made. Of the shape two
programs that read it tell: `messages[].output.parts[].content[]`, the parts being those of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from app.core.half_pair import replace_half_pairs
from app.identifier import fold_id
from app.upstream.frames import TEXT_FIELDS, ContentItem, Frame, Part, parse_frame
from app.upstream.joint import KnownText, Unjoinable

_PATH = "/chatglm/mainchat-api/conversation/messages"
# What stands between texts and says nothing by itself.
_SILENT_TYPES = frozenset({"tool_calls", "tool_result", "quote_result", "browser_result", "system_error", ""})
_KNOWN_TYPES = _SILENT_TYPES.union(TEXT_FIELDS)
_MAX_MESSAGES = 1000
_FINISHED = "finish"


def build_stored_path(conversation_id: str, assistant_id: str) -> str:
    """Where what is stored of a conversation is read."""
    return f"{_PATH}?{urlencode({'assistant_id': assistant_id, 'conversation_id': conversation_id})}"


def build_rest(
    stored: Any, known: Sequence[KnownText], *, conversation_id: str | None, answer_id: str | None
) -> Frame:
    """The frame that ends the cut answer, given what it had said. Raises Unjoinable."""
    frame = _read_output(_find_output(stored, conversation_id, answer_id))
    left = list(known)
    for number, part in enumerate(frame.parts or ()):
        _name_part(part, number, left)
        part.status = _FINISHED
    if left:
        raise Unjoinable
    frame.status, frame.conversation_id = _FINISHED, conversation_id
    return frame


def _find_output(stored: Any, conversation_id: str | None, answer_id: str | None) -> dict[str, Any]:
    """The one message that is the answer, by its id or for want of others; finished, as it says itself."""
    messages = stored.get("messages") if isinstance(stored, dict) else None
    if not isinstance(messages, list) or not 1 <= len(messages) <= _MAX_MESSAGES or answer_id is None:
        raise Unjoinable
    named = stored.get("conversation_id")
    if isinstance(named, str) and named and (fold_id(named) or named) != conversation_id:
        raise Unjoinable
    known = [message for message in messages if isinstance(message, dict)]
    found = [message for message in known if message.get("id") == answer_id]
    if not found and len(messages) == 1:
        found = known
    output = found[0].get("output") if len(found) == 1 else None
    if not isinstance(output, dict) or output.get("status", found[0].get("status")) != _FINISHED:
        raise Unjoinable
    return output


def _read_output(output: dict[str, Any]) -> Frame:
    """As a frame is read. An error in it, or what it does not say, is nobody's rest."""
    if output.get("last_error") or output.get("error"):
        raise Unjoinable
    try:
        return parse_frame(msgspec.json.encode({"parts": output.get("parts")}))
    except msgspec.MsgspecError as exc:
        raise Unjoinable from exc


def _name_part(part: Part, number: int, left: list[KnownText]) -> None:
    """Call a part's texts as the cut answer did; those that it had not begun get names of their own."""
    spoken = [item for item in part.content or () if _read_text(item)]
    if len(spoken) > 1 or any(item.type not in _KNOWN_TYPES for item in part.content or ()):
        raise Unjoinable
    if part.status not in (None, _FINISHED) or part.error:
        raise Unjoinable
    if not spoken:
        return
    (item,) = spoken
    if not left:
        part.logic_id, part.content = f"stored {number}", [item]
        return
    said, text = left.pop(0), _read_text(item)
    known = replace_half_pairs(said.text)  # as `stored` was read
    logic_id, index, kind = said.key
    is_last = not left
    if (
        kind != item.type
        or not text.startswith(known)
        or (text != known and (said.is_finished or not is_last))
    ):
        raise Unjoinable
    setattr(item, TEXT_FIELDS[item.type], said.text + text[len(known) :])
    part.logic_id, part.content = logic_id, [*[ContentItem() for _ in range(index)], item]


def _read_text(item: ContentItem) -> str:
    field = TEXT_FIELDS.get(item.type)
    return (getattr(item, field) if field else None) or ""
