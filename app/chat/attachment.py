"""What the last user turn carries besides text, and what earlier ones carried. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.core.request import Attachment, FilePart, Turn
from app.files.attachment import clean_name, name_from_path
from app.files.media import extension_of

_MAX_NAMED_URL_CHARS = 8192


def find_attachments(
    turns: Sequence[Turn], *, continues: bool, are_all_new: bool = False, max_earlier: int = 0
) -> list[Attachment]:
    """Those of the last user turn and of the results behind the last answer, in order.

    Those of earlier user turns come before them, up to `max_earlier` in all, the newest where there are more.
    What is wrong with those does not matter.

    What a user says right behind results comes with them, and the turn that they serve stands further up. A
    continued conversation has only what is new: the last turn, or all of them. Raises what is wrong with a
    part of the user's that cannot be attached; in a result, which no user can change, it is only named.
    """
    if are_all_new:
        return _attach_all(turns)
    found: list[Turn] = []
    has_answer = False
    for turn, before in zip(reversed(turns), [*reversed(turns[:-1]), None], strict=True):
        if continues and found and turn.role != "tool":
            break
        if turn.role == "user" or (turn.role == "tool" and not has_answer):
            found.append(turn)
        if turn.role == "user" and (before is None or before.role != "tool"):
            break
        has_answer = has_answer or turn.role == "assistant"
    last = _attach_all(found[::-1])
    earlier = [] if continues else [turn for turn in turns if turn.role == "user" and turn not in found]
    return [*_attach_earlier(earlier, max_earlier - len(last)), *last]


def _attach_earlier(turns: Sequence[Turn], max_count: int) -> list[Attachment]:
    if not turns or max_count <= 0:
        return []
    parts = [
        part for turn in turns for part in turn.parts if isinstance(part, FilePart) and not part.unusable
    ]
    kept = parts[max(0, len(parts) - max_count) :]
    return [Attachment(part.url, part.name, part.place, is_optional=True) for part in kept]


def _attach_all(turns: Sequence[Turn]) -> list[Attachment]:
    return [
        _attach(part)
        for turn in turns
        for part in turn.parts
        if isinstance(part, FilePart) and not (turn.role == "tool" and part.unusable)
    ]


def _attach(part: FilePart) -> Attachment:
    if part.unusable is not None:
        raise part.unusable
    return Attachment(part.url, part.name, part.place)


def describe(part: FilePart) -> str:
    """How a merged prompt speaks of an attachment: [image cat.png], [file report.pdf], [sound]."""
    name = _name_of(part)
    if part.kind == "file":
        return f"[file {name or 'without a name'}]"
    return f"[{part.kind} {name}]" if name else f"[{part.kind}]"


def _name_of(part: FilePart) -> str:
    """The name a user would know it by; empty where neither the user nor the address gives one."""
    if part.name:
        return clean_name(part.name)
    if part.url[:5].lower() == "data:" or len(part.url) > _MAX_NAMED_URL_CHARS:
        return ""
    path = re.split(r"[?#]", part.url, maxsplit=1)[0].partition("://")[2].partition("/")[2]
    name = clean_name(name_from_path(path))
    return name if extension_of(name) else ""
