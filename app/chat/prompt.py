"""Messages to prompt: the upstream reads one text, so a history is merged into it (protocol notes 3.5)."""

from __future__ import annotations

import re

from app.errors import InvalidRequest, PromptTooLong, UnsupportedValue
from app.openai.request import FilePart, ImagePart, Message, RefusalPart, TextPart

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


def build_prompt(messages: list[Message], *, continues: bool, max_chars: int) -> str:
    """The text to send. A continued conversation gets its new message alone; the upstream knows the others.

    Raises InvalidRequest where nothing is said, PromptTooLong beyond `max_chars`.
    """
    sent = messages[-1:] if continues else messages
    _refuse_attachments(messages)
    if not any(_text_of(message).strip() for message in sent):
        raise InvalidRequest("`messages` holds no text to answer.", param="messages")
    is_plain = continues or (len(sent) == 1 and sent[0].role == "user")
    prompt = _text_of(sent[0]) if is_plain else _merge(sent)
    if len(prompt) > max_chars:
        raise PromptTooLong(
            f"The messages make a prompt of {len(prompt)} characters; at most {max_chars} are allowed.",
            param="messages",
        )
    return prompt


def has_history(messages: list[Message]) -> bool:
    """More than one message means that the client keeps the history itself."""
    return len(messages) > 1


def _merge(messages: list[Message]) -> str:
    turns = [f"{_mark_of(message)}\n{text}" for message in messages if (text := _text_of(message).strip())]
    return "\n\n".join((_OPENING, *turns, _CLOSING))


def _mark_of(message: Message) -> str:
    mark = _ROLE_MARKS[message.role]
    return f"{mark} {message.name}" if message.name and mark == "[Tool result]" else mark


def _text_of(message: Message) -> str:
    content = message.content
    if content is None:
        text = message.refusal or ""
    elif isinstance(content, str):
        text = content
    else:
        text = "\n".join([_say(part) for part in content])
    if message.role == "assistant":
        text = _clean(text) + _name_tool_calls(message)
    return text


def _say(part: object) -> str:
    if isinstance(part, TextPart):
        return part.text
    if isinstance(part, RefusalPart):
        return part.refusal
    return "[image]" if isinstance(part, ImagePart) else f"[file {_name_of(part)}]"


def _name_of(part: object) -> str:
    named = part.file.filename if isinstance(part, FilePart) and part.file is not None else None
    return named or "without a name"


def _clean(text: str) -> str:
    """Links that only the answering conversation could open mislead the next one."""
    text = _PICTURE.sub("", text)
    text = _SANDBOX_LINK.sub(r"\1", text)
    return _SANDBOX_PATH.sub("", text)


def _name_tool_calls(message: Message) -> str:
    calls = [call.function for call in message.tool_calls or () if call.function is not None]
    return "".join(f"\n(called {call.name} with {call.arguments})" for call in calls)


def _refuse_attachments(messages: list[Message]) -> None:
    """Files and pictures cannot be read yet; pretending would be worse. Earlier ones are only named."""
    content = messages[-1].content
    for index, part in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(part, (TextPart, RefusalPart)):
            raise UnsupportedValue(
                "Files, pictures and audio are not supported yet.",
                param=f"messages.{len(messages) - 1}.content.{index}",
            )
