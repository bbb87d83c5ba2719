"""The input of a Responses request as turns: messages, calls and results; anything else is skipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call, Role, TextPart, Turn
from app.core.tool import ToolKind
from app.formats.json_body import decode_value
from app.formats.openai_responses.content import Parts, read_parts

_NOTHING = msgspec.Raw(b"null")
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


class Kind(msgspec.Struct, frozen=True):
    """Messages need no type."""

    type: str | None = None
    role: str | None = None


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | Parts | None = None


class FunctionCall(msgspec.Struct, frozen=True):
    """`arguments` is JSON as text; some clients send the object itself."""

    name: str = ""
    arguments: str | dict[str, Any] | None = ""
    call_id: str | None = None
    namespace: str | None = None


class CustomCall(msgspec.Struct, frozen=True):
    name: str = ""
    input: str = ""
    call_id: str | None = None
    namespace: str | None = None


class ShellCall(msgspec.Struct, frozen=True):
    action: msgspec.Raw = _NOTHING
    call_id: str | None = None
    id: str | None = None


class Result(msgspec.Struct, frozen=True):
    output: msgspec.Raw = _NOTHING
    call_id: str | None = None
    id: str | None = None


_decode_kind = msgspec.json.Decoder(Kind).decode
_decode_message = msgspec.json.Decoder(Message).decode
_decode_function_call = msgspec.json.Decoder(FunctionCall).decode
_decode_custom_call = msgspec.json.Decoder(CustomCall).decode
_decode_shell_call = msgspec.json.Decoder(ShellCall).decode
_decode_result = msgspec.json.Decoder(Result).decode
_decode_output = msgspec.json.Decoder(str | Parts | None).decode


def build_turns(items: str | Sequence[msgspec.Raw]) -> tuple[Turn, ...]:
    """What was said, in order; what one answer said and called is one turn. Raises InvalidRequest."""
    if isinstance(items, str):
        return (Turn("user", (TextPart(items),)),)
    turns: list[Turn] = []
    for turn in _read_turns(items):
        previous = turns[-1] if turns else None
        if previous is not None and previous.role == turn.role == "assistant":
            turns[-1] = Turn("assistant", previous.parts + turn.parts, calls=previous.calls + turn.calls)
        else:
            turns.append(turn)
    return tuple(turns)


def _read_turns(items: Sequence[msgspec.Raw]) -> Iterator[Turn]:
    for index, item in enumerate(items):
        place, data = f"input.{index}", bytes(item)
        kind = decode_value(_decode_kind, data, place)
        if kind.type is None and kind.role is None:
            words = "An item needs a `type`, or a `role` where it is a message."
            raise InvalidRequest(words, param=place)
        read = _READERS.get(kind.type or "message")
        if read is not None:
            yield read(data, place)


def _read_function_call(data: bytes, place: str) -> Turn:
    call = decode_value(_decode_function_call, data, place)
    return _call(call.call_id, _full_name(call.namespace, call.name), _write(call.arguments))


def _read_custom_call(data: bytes, place: str) -> Turn:
    call = decode_value(_decode_custom_call, data, place)
    name = _full_name(call.namespace, call.name)
    return _call(call.call_id, name, call.input, "custom")


def _read_shell_call(data: bytes, place: str) -> Turn:
    call = decode_value(_decode_shell_call, data, place)
    return _call(call.call_id or call.id, "local_shell", bytes(call.action).decode())


def _refuse_reference(data: bytes, place: str) -> Turn:
    words = "Items are not stored here: send the item itself, or go on with `previous_response_id`."
    raise UnsupportedValue(words, param=place)


def _call(call_id: str | None, name: str, arguments: str, kind: ToolKind = "function") -> Turn:
    return Turn("assistant", (), calls=(Call(call_id or "", name, arguments, kind),))


def _full_name(namespace: str | None, name: str) -> str:
    return f"{namespace}__{name}" if namespace else name


def _write(arguments: str | dict[str, Any] | None) -> str:
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()


def _read_message(data: bytes, place: str) -> Turn:
    message = decode_value(_decode_message, data, place)
    role, content = _ROLES[message.role], message.content
    if content is None or isinstance(content, str):
        return Turn(role, (TextPart(content),) if content else ())
    parts = tuple(read_parts(content, f"{place}.content", skips_unknown=role == "assistant"))
    return Turn(role, parts)


def _read_result(data: bytes, place: str) -> Turn:
    result = decode_value(_decode_result, data, place)
    call_id = result.call_id or result.id or ""
    output = bytes(result.output)
    if output[:1] not in (b'"', b"[", b"n"):  # an object or a bare value: its JSON is what came out
        return Turn("tool", (TextPart(output.decode()),), call_id=call_id)
    read = decode_value(_decode_output, output, f"{place}.output")
    if read is None or isinstance(read, str):
        return Turn("tool", (TextPart(read),) if read else (), call_id=call_id)
    return Turn("tool", tuple(read_parts(read, f"{place}.output", skips_unknown=True)), call_id=call_id)


_READERS = {
    "message": _read_message,
    "function_call": _read_function_call,
    "custom_tool_call": _read_custom_call,
    "local_shell_call": _read_shell_call,
    "function_call_output": _read_result,
    "custom_tool_call_output": _read_result,
    "local_shell_call_output": _read_result,
    "item_reference": _refuse_reference,
}
"""By the type of an item. Thinking is not retold, nor are searches, whose pages an answer's text names."""
