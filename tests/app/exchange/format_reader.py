"""What a client of each format has in the end, streamed and whole, in the same terms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app.formats.anthropic_messages.asked import parse_message
from app.formats.format import Asked
from app.formats.openai_chat.asked import parse_chat
from app.formats.openai_responses.asked import parse_response

Calls = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """`finish` is chat's word for it; `error` is the code of the failure."""

    text: str = ""
    calls: Calls = ()
    finish: str | None = "stop"
    error: str | None = None
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """`read_stream` is told whether the answer failed; it checks that exactly one event ends the stream."""

    asked: Asked
    read_stream: Callable[[bytes, bool], Heard]
    read_whole: Callable[[bytes], Heard]
    knows_custom_tools: bool = True


def _parse_events(data: bytes) -> list[dict[str, Any]]:
    *events, rest = data.decode().split("\n\n")
    assert rest == ""
    return [json.loads(event.partition("data: ")[2]) for event in events]


def _read_chat_stream(data: bytes, has_failed: bool) -> Heard:
    assert data.count(b"data: [DONE]\n\n") == (not has_failed)
    *documents, last = _parse_events(data.removesuffix(b"data: [DONE]\n\n"))
    heard: dict[str, list[Any]] = {"content": [], "reasoning_content": [], "tool_calls": []}
    if has_failed:
        last.pop("error")
    else:
        documents.append(last)
    choices = [document["choices"][0] for document in documents]
    for choice in choices:
        for key, value in choice["delta"].items():
            heard.get(key, []).append(value)
    finishes = [choice["finish_reason"] for choice in choices]
    assert not any(finishes[:-1]), "something behind the end"
    assert bool(finishes[-1]) == (not has_failed)
    calls = [call for calls in heard["tool_calls"] for call in calls]
    assert [call["index"] for call in calls] == list(range(len(calls)))
    text, thinking = "".join(heard["content"]), "".join(heard["reasoning_content"])
    return Heard(text, tuple(map(_read_chat_call, calls)), finishes[-1], thinking=thinking)


def _read_chat_call(call: dict[str, Any]) -> tuple[str, str]:
    assert call["id"].startswith("call_")
    if call["type"] == "custom":
        return call["custom"]["name"], call["custom"]["input"]
    return call["function"]["name"], call["function"]["arguments"]


def _read_chat(body: bytes) -> Heard:
    (choice,) = json.loads(body)["choices"]
    message = choice["message"]
    calls = tuple(map(_read_chat_call, message.get("tool_calls") or ()))
    thinking = message.get("reasoning_content") or ""
    return Heard(message["content"] or "", calls, choice["finish_reason"], thinking=thinking)


_ENDS = {
    "completed": None,
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def _read_response_stream(data: bytes, has_failed: bool) -> Heard:
    events = _parse_events(data)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    ends = [event for event in events if event["type"] in _RESPONSE_ENDS]
    assert ends == events[-1:]
    assert (events[-1]["type"] == "response.failed") == has_failed
    heard = _read_response_object(events[-1]["response"])
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    thought = "response.reasoning_summary_text.delta"
    thinking = "".join(event["delta"] for event in events if event["type"] == thought)
    if has_failed:  # what was open stays open
        return replace(heard, text=text, thinking=thinking)
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    assert (text, thinking) == (heard.text, heard.thinking)
    return heard


_RESPONSE_ENDS = ("response.completed", "response.incomplete", "response.failed")


def _read_response(body: bytes) -> Heard:
    return _read_response_object(json.loads(body))


def _read_response_object(response: dict[str, Any]) -> Heard:
    text, thinking = [], []
    calls = []
    for item in response["output"]:
        match item["type"]:
            case "message":
                text += [part["text"] for part in item["content"]]
            case "reasoning":
                thinking += [part["text"] for part in item["summary"]]
            case "function_call":
                calls.append((item["name"], item["arguments"]))
            case "custom_tool_call":
                calls.append((item["name"], item["input"]))
            case other:
                raise AssertionError(other)
    finish = "tool_calls" if calls else "stop"
    if response["status"] == "incomplete":
        finish = str(_ENDS[response["incomplete_details"]["reason"]])
    return Heard("".join(text), tuple(calls), finish, thinking="".join(thinking))


def _read_message_stream(data: bytes, has_failed: bool) -> Heard:
    first, *events = _parse_events(data)
    assert first["type"] == "message_start"
    assert [event["type"] for event in events if event["type"] in ("message_stop", "error")] == [
        events[-1]["type"]
    ]
    assert (events[-1]["type"] == "error") == has_failed
    blocks: list[dict[str, Any]] = []
    finish = None
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append(event["content_block"])
            case "content_block_delta":
                assert event["index"] == len(blocks) - 1
                _grow_block(blocks[-1], event["delta"])
            case "message_delta":
                finish = _ENDS[event["delta"]["stop_reason"]]
    return _read_blocks(blocks, finish)


def _grow_block(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "input_json_delta":
        block["input"] = json.loads(delta["partial_json"])
    elif delta["type"] in ("text_delta", "thinking_delta"):
        kind = delta["type"].removesuffix("_delta")
        block[kind] += delta[kind]


def _read_message(body: bytes) -> Heard:
    message = json.loads(body)
    return _read_blocks(message["content"], _ENDS[message["stop_reason"]])


def _read_blocks(blocks: list[dict[str, Any]], finish: str | None) -> Heard:
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    thinking = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    calls = [
        (block["name"], json.dumps(block["input"], ensure_ascii=False, separators=(",", ":")))
        for block in blocks
        if block["type"] == "tool_use"
    ]
    return Heard(text, tuple(calls), finish, thinking=thinking)


_QUESTION = [{"role": "user", "content": "?"}]
_MOST = 1_000_000


def _ask(**body: object) -> bytes:
    return json.dumps({"model": "glm", "stream": True, **body}).encode()


CHAT = Format(parse_chat(_ask(messages=_QUESTION), max_text_chars=_MOST), _read_chat_stream, _read_chat)
RESPONSES = Format(
    parse_response(_ask(input="?"), max_text_chars=_MOST), _read_response_stream, _read_response
)
MESSAGES = Format(
    parse_message(_ask(messages=_QUESTION, max_tokens=1000), max_text_chars=_MOST),
    _read_message_stream,
    _read_message,
    knows_custom_tools=False,
)
FORMATS = (CHAT, RESPONSES, MESSAGES)
