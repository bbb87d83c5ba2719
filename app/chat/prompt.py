"""Messages to prompt: the upstream reads one text, so a history is merged into it (protocol notes 3.5)."""

from __future__ import annotations

import re

from app.chat.attachment import describe
from app.errors import InvalidRequest, PromptTooLong
from app.openai.request import ContentPart, Message, RefusalPart, TextPart

_ROLE_MARKS = {
    "system": "[System]",
    "developer": "[System]",
    "user": "[User]",
    "assistant": "[Assistant]",
    "tool": "[Tool result]",
    "function": "[Tool result]",
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


def build_prompt(messages: list[Message], *, continues: bool, max_chars: int, has_files: bool = False) -> str:
    """The text to send. A continued conversation gets its new message alone; the upstream knows the others.

    With `has_files` the text may be empty: the files that go along say enough. Merged turns name them.
    Raises InvalidRequest where nothing is said, PromptTooLong beyond `max_chars`.
    """
    sent = messages[-1:] if continues else messages
    is_plain = continues or (len(sent) == 1 and sent[0].role == "user")
    prompt = _text_of(sent[0], names_files=not has_files) if is_plain else _merge(sent)
    if not has_files and not any(_text_of(message).strip() for message in sent):
        raise InvalidRequest("`messages` holds no text to answer.", param="messages")
    if len(prompt) > max_chars:
        raise PromptTooLong(
            f"The messages make a prompt of {len(prompt)} characters; at most {max_chars} are allowed.",
            param="messages",
        )
    return prompt


def choose_spoken(messages: list[Message]) -> list[Message]:
    """What the drawing assistant gets: the last thing that the user said, word for word.

    It draws what it reads, so a merged history would come into the picture; and it is asked as browsers ask,
    without the "please draw" that gateways of 2024 put before a prompt (docs/decisions/0008).
    """
    spoken = [message for message in messages if message.role == "user"]
    return spoken[-1:] or messages[-1:]


def has_history(messages: list[Message]) -> bool:
    """More than one message means that the client keeps the history itself."""
    return len(messages) > 1


def _merge(messages: list[Message]) -> str:
    turns = [f"{_mark_of(message)}\n{text}" for message in messages if (text := _text_of(message).strip())]
    return "\n\n".join((_OPENING, *turns, _CLOSING))


def _mark_of(message: Message) -> str:
    mark = _ROLE_MARKS[message.role]
    return f"{mark} {message.name}" if message.name and mark == "[Tool result]" else mark


def _text_of(message: Message, *, names_files: bool = True) -> str:
    content = message.content
    if content is None:
        text = message.refusal or ""
    elif isinstance(content, str):
        text = content
    else:
        text = "\n".join(
            [said for part in content if (said := _say(part, names_files=names_files)) is not None]
        )
    if message.role == "assistant":
        text = _clean(text) + _name_tool_calls(message)
    return text


def _say(part: ContentPart, *, names_files: bool) -> str | None:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, RefusalPart):
        return part.refusal
    return describe(part) if names_files else None


def _clean(text: str) -> str:
    """Links that only the answering conversation could open mislead the next one."""
    text = _PICTURE.sub("", text)
    text = _SANDBOX_LINK.sub(r"\1", text)
    return _SANDBOX_PATH.sub("", text)


def _name_tool_calls(message: Message) -> str:
    calls = [call.function for call in message.tool_calls or () if call.function is not None]
    return "".join(f"\n(called {call.name} with {call.arguments})" for call in calls)
