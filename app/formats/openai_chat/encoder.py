"""Reply events out: as chunks of a stream, or folded into one completion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from app.core.errors import GatewayError
from app.core.event import (
    CitedText,
    FinishReason,
    ImageAdded,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)
from app.core.usage import Usage
from app.core.wait import Wait
from app.formats.format import ReplyHead
from app.formats.json_text import encode_json, encode_text, escape_lines
from app.formats.openai_error import encode_error_event

HEARTBEAT = b": ping\n\n"
"""A comment: keeps proxies from closing a silent stream, and clients do not see it."""

_Rare = CitedText | ImageAdded | ThoughtText


def build_usage(usage: Usage) -> dict[str, object]:
    """OpenAI's `usage`."""
    completion = usage.completion_tokens
    return {
        "prompt_tokens": usage.prompt.tokens,
        "completion_tokens": completion,
        "total_tokens": usage.prompt.tokens + completion,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning.tokens},
    }


def _build_fingerprint(head: ReplyHead) -> dict[str, object]:
    """OpenAI's word for which backend answered; nothing where nobody knows."""
    return {} if head.served_by is None else {"system_fingerprint": head.served_by}


class _Notes:
    """Counts text that is no plain delta as it passes, and notes where citations stand."""

    __slots__ = ("_thought_chars", "_usage", "annotations")

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._thought_chars = 0  # of thinking inside of the text: counted as thinking, not as text
        self.annotations: list[dict[str, object]] = []
        """In OpenAI's shape; places are counted in characters (code points) of the message's content."""

    def add(self, event: _Rare) -> None:
        match event:
            case ThoughtText():
                self._thought_chars += len(event.text)
                self._usage.reasoning.add(event.text)
            case CitedText():
                start = self._usage.text.chars + self._thought_chars
                place = {"start_index": start, "end_index": start + len(event.text)}
                citation = {"url": event.url, "title": event.title, **place}
                self.annotations.append({"type": "url_citation", "url_citation": citation})
                self._usage.text.add(event.text)
            case ImageAdded():
                self._usage.text.add(event.text)
            case _:
                assert_never(event)


def _build_call(event: ToolCalled, usage: Usage) -> dict[str, object]:
    """An entry of `tool_calls`; what it holds counts as text."""
    usage.text.add(event.name)
    usage.text.add(event.arguments)
    name = f"{event.namespace}__{event.name}" if event.namespace else event.name
    if event.kind == "custom":
        return {"id": event.id, "type": "custom", "custom": {"name": name, "input": event.arguments}}
    return {"id": event.id, "type": "function", "function": {"name": name, "arguments": event.arguments}}


def _name_reason(reason: FinishReason, *, is_old: bool) -> str:
    """OpenAI's word; requests of 2023 know calls by another one."""
    return "function_call" if is_old and reason == "tool_calls" else reason


class ChunkEncoder:
    """Encodes one answer as `chat.completion.chunk` events, from an envelope that is made once."""

    def __init__(
        self, head: ReplyHead, usage: Usage, *, include_usage: bool, uses_functions: bool = False
    ) -> None:
        """`uses_functions`: the request speaks of `functions`, as they did before `tools`."""
        self._usage = usage
        self._include_usage = include_usage
        self._uses_functions = uses_functions
        self._calls = 0
        self._notes = _Notes(usage)
        self._envelope = {
            "id": head.id,
            "object": "chat.completion.chunk",
            "created": head.created,
            "model": head.model,
        } | _build_fingerprint(head)
        nothing = b',"usage":null}\n\n' if include_usage else b"}\n\n"
        envelope = escape_lines(encode_json(self._envelope))[:-1]
        opening = b"data: " + envelope + b',"choices":[{"index":0,"delta":{'
        self._content = opening + b'"content":'
        self._reasoning = opening + b'"reasoning_content":'
        self._function_call = opening + b'"function_call":'
        self._tool_calls = opening + b'"tool_calls":'
        self._tail = b'},"finish_reason":null}]' + nothing
        self._role = opening + b'"role":"assistant","content":""' + self._tail
        self._opening = opening
        self._finish = b'},"finish_reason":'
        self._finish_tail = b"}]" + nothing

    def start(self) -> bytes:
        """The first chunk, with the role."""
        return self._role

    def heartbeat(self) -> bytes:
        return HEARTBEAT

    def error(self, error: GatewayError) -> bytes:
        return encode_error_event(error)

    def begin_answer(self, head: ReplyHead, usage: Usage) -> ChunkEncoder:
        return ChunkEncoder(
            head, usage, include_usage=self._include_usage, uses_functions=self._uses_functions
        )

    def encode_wait(self, wait: Wait, words: str) -> bytes:
        """As thinking, which clients show, and beside it for programs that tell the one from the other."""
        numbers = {name: value for name in ("number", "count") if (value := getattr(wait, name))}
        told = {"reasoning_content": words, "progress": {"kind": wait.kind, **numbers}}
        return self._opening + escape_lines(encode_json(told))[1:-1] + self._tail

    def encode(self, events: Iterable[ReplyEvent]) -> bytes:
        """The chunks of these events as one piece to write; empty where they say nothing to the client."""
        chunks = []
        for event in events:
            if type(event) is TextDelta:  # these come by the thousand
                self._usage.text.add(event.text)
                chunks.append(self._content + encode_text(event.text) + self._tail)
            else:
                chunks.append(self._encode_other(event))
        return b"".join(chunks)

    def _encode_other(self, event: ReplyEvent) -> bytes:
        match event:
            case ReasoningDelta():
                self._usage.reasoning.add(event.text)
                return self._reasoning + encode_text(event.text) + self._tail
            case CitedText() | ImageAdded() | ThoughtText():
                self._notes.add(event)
                return self._content + encode_text(event.text) + self._tail
            case ToolCalled():
                return self._encode_call(event)
            case ReplyFinished():
                return self._encode_finish(event.reason)
            case TextDelta() | ReplyStarted() | UpstreamCall() | PagesFound():
                return b""
            case _:
                assert_never(event)

    def _encode_call(self, event: ToolCalled) -> bytes:
        """The whole call in one delta: no client has to put arguments together."""
        call = _build_call(event, self._usage)
        if self._uses_functions:
            return self._function_call + escape_lines(encode_json(call["function"])) + self._tail
        call = {"index": self._calls, **call}
        self._calls += 1
        return self._tool_calls + escape_lines(encode_json([call])) + self._tail

    def _encode_finish(self, reason: FinishReason) -> bytes:
        annotations = self._notes.annotations
        noted = b'"annotations":' + escape_lines(encode_json(annotations)) if annotations else b""
        word = encode_json(_name_reason(reason, is_old=self._uses_functions))
        chunks = [self._opening, noted, self._finish, word, self._finish_tail]
        if self._include_usage:
            final = self._envelope | {"choices": [], "usage": build_usage(self._usage)}
            chunks.append(b"data: " + escape_lines(encode_json(final)) + b"\n\n")
        chunks.append(b"data: [DONE]\n\n")
        return b"".join(chunks)


class CompletionFolder:
    """Folds the same events into one `chat.completion`."""

    def __init__(self, head: ReplyHead, usage: Usage, *, uses_functions: bool = False) -> None:
        """`uses_functions` as in ChunkEncoder."""
        self._head = head
        self._usage = usage
        self._uses_functions = uses_functions
        self._calls: list[dict[str, object]] = []
        self._notes = _Notes(usage)
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._reason: FinishReason = "stop"

    def add(self, events: Iterable[ReplyEvent]) -> None:
        for event in events:
            if type(event) is TextDelta:  # as in ChunkEncoder
                self._usage.text.add(event.text)
                self._text.append(event.text)
                continue
            match event:
                case ReasoningDelta():
                    self._reasoning.append(event.text)
                case CitedText() | ImageAdded() | ThoughtText():
                    self._notes.add(event)
                    self._text.append(event.text)
                case ToolCalled():
                    self._calls.append(_build_call(event, self._usage))
                case ReplyFinished():
                    self._reason = event.reason
                case ReplyStarted() | UpstreamCall() | PagesFound():
                    pass
                case _:
                    assert_never(event)

    def encode(self) -> bytes:
        text, reasoning = "".join(self._text), "".join(self._reasoning)
        self._usage.reasoning.add(reasoning)
        message: dict[str, object] = {
            "role": "assistant",
            "content": None if self._calls and not text else text,
            "refusal": None,
            "annotations": self._notes.annotations,
        }
        if reasoning:
            message["reasoning_content"] = reasoning
        if self._calls and self._uses_functions:
            message["function_call"] = self._calls[0]["function"]
        elif self._calls:
            message["tool_calls"] = self._calls
        reason = _name_reason(self._reason, is_old=self._uses_functions)
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reason}
        return encode_json(
            {
                "id": self._head.id,
                "object": "chat.completion",
                "created": self._head.created,
                "model": self._head.model,
                **_build_fingerprint(self._head),
                "choices": [choice],
                "usage": build_usage(self._usage),
            }
        )
