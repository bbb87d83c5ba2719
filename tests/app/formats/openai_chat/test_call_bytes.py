"""Calls as OpenAI's clients get them, byte for byte, and the fold of the same events."""

from __future__ import annotations

import json
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from app.core.event import ReplyEvent, ReplyFinished, TextDelta, ToolCalled, UpstreamCall
from app.core.usage import TokenEstimate, Usage
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder, CompletionFolder

HEAD = ReplyHead("x", "glm", 1)
READ = ToolCalled("call_1", "read_file", '{"path":"a\u2028"}')
PATCH = ToolCalled("call_2", "patch", "+a\n", "custom")
ENDED = ReplyFinished("tool_calls")


def stream(*events: ReplyEvent, uses_functions: bool = False) -> list[Any]:
    """The choices of all chunks."""
    encoder = ChunkEncoder(HEAD, Usage(TokenEstimate()), include_usage=False, uses_functions=uses_functions)
    data = encoder.start() + encoder.encode(events)
    assert b"\xe2\x80\xa8" not in data
    documents = [json.loads(event[6:]) for event in data.split(b"\n\n")[:-2]]
    for document in documents:
        if b'"custom"' not in json.dumps(document).encode():  # known in whole answers alone
            ChatCompletionChunk.model_validate(document)
    return [document["choices"][0] for document in documents]


def fold(*events: ReplyEvent, uses_functions: bool = False) -> Any:
    folder = CompletionFolder(HEAD, Usage(TokenEstimate()), uses_functions=uses_functions)
    folder.add(events)
    document = json.loads(folder.encode())
    ChatCompletion.model_validate(document)
    return document


FUNCTION = {"name": "read_file", "arguments": '{"path":"a\u2028"}'}
FUNCTION_CALL = {"id": "call_1", "type": "function", "function": FUNCTION}
CUSTOM_CALL = {"id": "call_2", "type": "custom", "custom": {"name": "patch", "input": "+a\n"}}


def test_a_call_is_one_delta_with_everything() -> None:
    (_, text, first, second, end) = stream(TextDelta("Hm."), READ, UpstreamCall("finish", ""), PATCH, ENDED)
    assert text["delta"] == {"content": "Hm."}
    assert first["delta"] == {"tool_calls": [{"index": 0, **FUNCTION_CALL}]}
    assert second["delta"] == {"tool_calls": [{"index": 1, **CUSTOM_CALL}]}
    assert (end["delta"], end["finish_reason"]) == ({}, "tool_calls")


def test_a_whole_answer_of_calls_has_no_content() -> None:
    document = fold(READ, PATCH, ENDED)
    (choice,) = document["choices"]
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [FUNCTION_CALL, CUSTOM_CALL]
    assert choice["finish_reason"] == "tool_calls"
    assert document["usage"]["completion_tokens"] > 0


def test_text_before_calls_is_kept_and_answers_without_calls_are_as_before() -> None:
    assert fold(TextDelta("Hm."), READ, ENDED)["choices"][0]["message"]["content"] == "Hm."
    (choice,) = fold(TextDelta("Hm."), ReplyFinished("stop"))["choices"]
    assert "tool_calls" not in choice["message"]
    assert fold(ReplyFinished("stop"))["choices"][0]["message"]["content"] == ""


def test_requests_of_2023_know_calls_by_another_name() -> None:
    (_, called, end) = stream(READ, ENDED, uses_functions=True)
    assert called["delta"] == {"function_call": FUNCTION}
    assert end["finish_reason"] == "function_call"
    (choice,) = fold(READ, ENDED, uses_functions=True)["choices"]
    assert choice["message"]["function_call"] == FUNCTION
    assert choice["finish_reason"] == "function_call"
