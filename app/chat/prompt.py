"""Turns to prompt: the upstream reads one text, so a history is merged into it (protocol notes 3.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.chat.attachment import describe
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import Part, TextPart, Turn

_ROLE_MARKS = {
    "system": "[System]",
    "user": "[User]",
    "assistant": "[Assistant]",
    "tool": "[Tool result]",
}
_CLOSING = "[Assistant]"
_OPENING = (
    "The conversation so far stands below, each turn after its mark. "
    "Reply to the last turn only, as the assistant, and write no marks.\n"
    "以下是按标记排列的对话，请以助手身份直接回复最后一条，不要输出标记。"
)

# Bounded and without overlap, so that no text makes them slow.
_PICTURE = re.compile(r"!\[[^\[\]\n]{0,300}\]\([^()\s]{0,2000}\)")
_SANDBOX_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\(sandbox:[^()\s]{0,2000}\)")
_SANDBOX_PATH = re.compile(r"(?:sandbox:)?/mnt/data/[^\s)\]\"'`]{1,2000}")


def build_prompt(turns: Sequence[Turn], *, continues: bool, max_chars: int, has_files: bool = False) -> str:
    """The text to send. A continued conversation gets its new turn alone; the upstream knows the others.

    With `has_files` the text may be empty: the files that go along say enough. Merged turns name them.
    Raises InvalidRequest where nothing is said, PromptTooLong beyond `max_chars`.
    """
    sent = turns[-1:] if continues else turns
    is_plain = continues or (len(sent) == 1 and sent[0].role == "user")
    prompt = _text_of(sent[0], names_files=not has_files) if is_plain else _merge(sent)
    if not has_files and not any(_text_of(turn).strip() for turn in sent):
        raise InvalidRequest("`messages` holds no text to answer.", param="messages")
    if len(prompt) > max_chars:
        raise PromptTooLong(
            f"The messages make a prompt of {len(prompt)} characters; at most {max_chars} are allowed.",
            param="messages",
        )
    return prompt


def choose_spoken(turns: Sequence[Turn]) -> Sequence[Turn]:
    """What the drawing assistant gets: the last thing that the user said, word for word.

    It draws what it reads, so a merged history would come into the picture; and it is asked as browsers ask,
    without the "please draw" that gateways of 2024 put before a prompt (docs/decisions/0008).
    """
    spoken = [turn for turn in turns if turn.role == "user"]
    return spoken[-1:] or turns[-1:]


def has_history(turns: Sequence[Turn]) -> bool:
    """More than one turn means that the client keeps the history itself."""
    return len(turns) > 1


def _merge(turns: Sequence[Turn]) -> str:
    said = [f"{_mark_of(turn)}\n{text}" for turn in turns if (text := _text_of(turn).strip())]
    return "\n\n".join((_OPENING, *said, _CLOSING))


def _mark_of(turn: Turn) -> str:
    mark = _ROLE_MARKS[turn.role]
    return f"{mark} {turn.name}" if turn.name and turn.role == "tool" else mark


def _text_of(turn: Turn, *, names_files: bool = True) -> str:
    said = [_say(part, names_files=names_files) for part in turn.parts]
    text = "\n".join([words for words in said if words is not None])
    if turn.role == "assistant":
        text = _clean(text) + _name_calls(turn)
    return text


def _say(part: Part, *, names_files: bool) -> str | None:
    if isinstance(part, TextPart):
        return part.text
    return describe(part) if names_files else None


def _clean(text: str) -> str:
    """Links that only the answering conversation could open mislead the next one."""
    text = _PICTURE.sub("", text)
    text = _SANDBOX_LINK.sub(r"\1", text)
    return _SANDBOX_PATH.sub("", text)


def _name_calls(turn: Turn) -> str:
    return "".join(f"\n(called {call.name} with {call.arguments})" for call in turn.calls)
