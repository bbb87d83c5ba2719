"""The input of a Responses request as turns: messages, calls and results. Unknown types are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec

from app.core.errors import AnswerNotHeld, InvalidRequest
from app.core.request import Call, Role, TextPart, Turn
from app.core.tool import ToolKind
from app.formats.json_body import decode_value, retell_json
from app.formats.openai_responses.client_tool import CLIENT_TOOLS
from app.formats.openai_responses.content import MAX_PARTS, Parts, read_parts
from app.formats.openai_responses.identity import ResponseId, parse_item_id
from app.formats.openai_responses.settings_item import InputSettings
from app.hub import cooperate

_READ_AT_A_TIME_BYTES = 1024 * 1024
_NOTHING = msgspec.Raw(b"null")
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


class Kind(msgspec.Struct, frozen=True):
    """Messages need no type, nor do references."""

    type: str | None = None
    role: str | None = None
    id: Any = None


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


class ClientCall(msgspec.Struct, frozen=True):
    """Of a tool that clients know by its type: a shell's has an action, a patch is an operation."""

    action: msgspec.Raw = _NOTHING
    operation: msgspec.Raw = _NOTHING
    call_id: str | None = None
    id: str | None = None


class Result(msgspec.Struct, frozen=True):
    output: msgspec.Raw = _NOTHING
    call_id: str | None = None
    id: str | None = None
    status: Any = None


class Outcome(msgspec.Struct, frozen=True):
    """`exit` with its code, or `timeout`."""

    type: str = "exit"
    exit_code: int | None = None


class Written(msgspec.Struct, frozen=True):
    """What one command of a shell call wrote."""

    stdout: str | None = None
    stderr: str | None = None
    outcome: Outcome | None = None


_decode_kind = msgspec.json.Decoder(Kind).decode
_decode_message = msgspec.json.Decoder(Message).decode
_decode_function_call = msgspec.json.Decoder(FunctionCall).decode
_decode_custom_call = msgspec.json.Decoder(CustomCall).decode
_decode_client_call = msgspec.json.Decoder(ClientCall).decode
_decode_result = msgspec.json.Decoder(Result).decode
_decode_written = msgspec.json.Decoder(Annotated[list[Written], msgspec.Meta(max_length=MAX_PARTS)]).decode
_decode_output = msgspec.json.Decoder(str | Parts | None).decode


class Reference(msgspec.Struct, frozen=True):
    """An item that stands for one of an answer's: all that is new comes behind it."""

    response_id: ResponseId
    index: int


def find_reference(items: str | Sequence[msgspec.Raw]) -> Reference | None:
    """The last one, which says from which answer the client goes on. Raises AnswerNotHeld for no id of ours.

    Clients refer to what they believe is stored. The conversation knows that answer, and what was said before
    it: so the reference is worth as much as `previous_response_id`.
    """
    if isinstance(items, str):
        return None
    for index in range(len(items) - 1, -1, -1):
        place = f"input.{index}"
        item = decode_value(_decode_kind, items[index], place)
        if item.type == "item_reference" or (item.type is None and item.role is None and item.id):
            response_id = parse_item_id(item.id) if isinstance(item.id, str) else None
            if response_id is None:
                words = "Items are not stored here, and this names none of an answer: send the item itself."
                raise AnswerNotHeld(words, param=place)
            return Reference(response_id, index)
    return None


def build_turns(
    items: str | Sequence[msgspec.Raw], settings: InputSettings, reference: Reference | None = None
) -> tuple[Turn, ...]:
    """What was said, in order; what one answer said and called is one turn. Raises InvalidRequest.

    Of what stands before `reference` only the system's turns are said again. What says nothing is for
    `settings` to take.
    """
    if isinstance(items, str):
        return (Turn("user", (TextPart(items),)),)
    new_from = reference.index if reference else 0
    said = [
        turn for index, turn in _read_turns(items, settings) if index >= new_from or turn.role == "system"
    ]
    turns: list[Turn] = []
    for role, grouped in groupby(said, key=attrgetter("role")):
        run = list(grouped)
        turns.extend([_merge(run)] if role == "assistant" else run)
    return tuple(turns)


def _merge(answer: Sequence[Turn]) -> Turn:
    """In time that grows with what it holds."""
    parts = chain.from_iterable([turn.parts for turn in answer])
    calls = chain.from_iterable([turn.calls for turn in answer])
    return Turn("assistant", tuple(parts), calls=tuple(calls))


def _read_turns(items: Sequence[msgspec.Raw], settings: InputSettings) -> Iterator[tuple[int, Turn]]:
    """Each with the index of its item. Gives way between them."""
    read_bytes = 0
    for index, item in enumerate(items):
        place, data = f"input.{index}", bytes(item)
        read_bytes += len(data)
        if read_bytes > _READ_AT_A_TIME_BYTES:
            cooperate()
            read_bytes = 0
        kind = decode_value(_decode_kind, data, place)
        if kind.type is None and kind.role is None and kind.id is None:
            words = "An item needs a `type`, or a `role` where it is a message."
            raise InvalidRequest(words, param=place)
        if settings.take(kind.type, data, place):
            continue
        read = _READERS.get(kind.type or ("message" if kind.role else "item_reference"))
        if read is not None:
            yield index, read(data, place)


def _read_function_call(data: bytes, place: str) -> Turn:
    call = decode_value(_decode_function_call, data, place)
    return _call(call.call_id, _full_name(call.namespace, call.name), _write(call.arguments))


def _read_custom_call(data: bytes, place: str) -> Turn:
    call = decode_value(_decode_custom_call, data, place)
    name = _full_name(call.namespace, call.name)
    return _call(call.call_id, name, call.input, "custom")


def _read_client_call(data: bytes, place: str, *, name: str) -> Turn:
    call = decode_value(_decode_client_call, data, place)
    arguments = call.operation if bytes(call.action) == b"null" else call.action
    return _call(call.call_id or call.id, name, retell_json(arguments))


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
    has_failed = result.status == "failed"
    output = bytes(result.output)
    if output[:1] not in (b'"', b"[", b"n"):  # an object or a bare value: its JSON is what came out
        return Turn("tool", (TextPart(retell_json(output)),), call_id=call_id, has_failed=has_failed)
    read = decode_value(_decode_output, output, f"{place}.output")
    if read is None or isinstance(read, str):
        return Turn("tool", (TextPart(read),) if read else (), call_id=call_id, has_failed=has_failed)
    parts = tuple(read_parts(read, f"{place}.output", skips_unknown=True))
    return Turn("tool", parts, call_id=call_id, has_failed=has_failed)


def _read_shell_result(data: bytes, place: str) -> Turn:
    """What each command wrote, and how it ended, as text."""
    result = decode_value(_decode_result, data, place)
    if not bytes(result.output).startswith(b"["):
        return _read_result(data, place)
    written = decode_value(_decode_written, result.output, f"{place}.output")
    told = "\n".join([line for command in written for line in _tell_command(command)])
    return Turn("tool", (TextPart(told),) if told else (), call_id=result.call_id or result.id or "")


def _tell_command(command: Written) -> Iterator[str]:
    stdout, stderr, outcome = command.stdout, command.stderr, command.outcome
    if stdout:
        yield stdout.removesuffix("\n")
    if stderr:
        yield "stderr:\n" + stderr.removesuffix("\n")
    if outcome is not None:
        yield outcome.type if outcome.exit_code is None else f"exit code: {outcome.exit_code}"


_READERS: dict[str, Callable[[bytes, str], Turn]] = {
    "message": _read_message,
    "function_call": _read_function_call,
    "custom_tool_call": _read_custom_call,
    **{tool.call_type: partial(_read_client_call, name=tool.type) for tool in CLIENT_TOOLS.values()},
    "function_call_output": _read_result,
    "custom_tool_call_output": _read_result,
    "local_shell_call_output": _read_result,
    "shell_call_output": _read_shell_result,
    "apply_patch_call_output": _read_result,
}
"""By the type of an item. Thinking is not retold, nor are searches, whose pages an answer's text names."""
