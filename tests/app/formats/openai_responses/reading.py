"""A stream of events as the strictest of its readers take it: openai-python's own accumulator, and rules of
openai-node, the AI SDK and Codex beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openai import omit
from openai._models import construct_type
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from app.core.errors import GatewayError
from app.core.event import ReplyEvent, ReplyFinished
from app.core.usage import TokenEstimate, Usage
from app.formats.format import ReplyHead
from app.formats.openai_responses.asked import AskedResponse, parse_response

HEAD = ReplyHead("65f6c28546bae1f0fbb532de", "glm", 1_700_000_000, turn=3)
RESPONSE_ID = "resp_65f6c28546bae1f0fbb532de_3"
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}
_LIFECYCLE = TERMINAL | {"response.created", "response.in_progress"}

Json = dict[str, Any]


def parse(**fields: Any) -> AskedResponse:
    body = json.dumps({"input": "hi"} | fields).encode()
    return parse_response(body, max_text_chars=4_000_000)


def encode(
    batches: Iterable[Iterable[ReplyEvent]],
    error: GatewayError | None = None,
    *,
    heartbeats: bool = False,
    **fields: Any,
) -> bytes:
    """A whole stream, which ends with `error` where there is one."""
    encoder = parse(**fields).build_encoder(HEAD, Usage(TokenEstimate()))
    written = [encoder.start()]
    for events in batches:
        written.append(encoder.encode(events))
        if heartbeats and not any(isinstance(event, ReplyFinished) for event in events):
            written.append(encoder.heartbeat())
    if error is not None:
        written.append(encoder.error(error))
    return b"".join(written)


def fold(events: Iterable[ReplyEvent], **fields: Any) -> Json:
    folder = parse(**fields).build_folder(HEAD, Usage(TokenEstimate()))
    folder.add(events)
    folded: Json = json.loads(folder.encode())
    return folded


@dataclass(frozen=True, slots=True)
class Heard:
    """What a reader has at the end."""

    events: list[Json]
    response: Json
    """The terminal event's."""

    @property
    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def items(self) -> list[Json]:
        items: list[Json] = self.response["output"]
        return items

    @property
    def text(self) -> str:
        return join_text(self.items)


def join_text(items: Iterable[Json]) -> str:
    messages = [item for item in items if item["type"] == "message"]
    return "".join(part["text"] for item in messages for part in item["content"])


def join_thinking(items: Iterable[Json]) -> str:
    thoughts = [item for item in items if item["type"] == "reasoning"]
    return "".join(part["text"] for item in thoughts for part in item["summary"])


def split(stream: bytes) -> list[Json]:
    """The events, whose lines no reader may cut in another way."""
    *pieces, rest = stream.decode().split("\n\n")
    assert rest == ""
    events: list[Json] = []
    for piece in pieces:
        name, data = piece.splitlines()
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return events


def hear(stream: bytes) -> Heard:
    """Read to the end, as strictly as anybody does."""
    events = split(stream)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert events[0]["type"] == "response.created"
    assert [event["type"] for event in events if event["type"] in TERMINAL] == [events[-1]["type"]]
    assert {event["response"]["id"] for event in events if event["type"] in _LIFECYCLE} == {RESPONSE_ID}
    _check_items(events)
    _check_openai(events)
    return Heard(events, events[-1]["response"])


def _check_items(events: list[Json]) -> None:
    """Indices without gaps, one item open at a time, ids and kinds that stay, deltas that make the whole."""
    begun, done, deltas = 0, 0, ""
    item: Json = {}
    for event in events:
        kind = event["type"].removeprefix("response.")
        if kind == "output_item.added":
            assert (event["output_index"], begun) == (begun, done), "another item is open"
            item, begun, deltas = event["item"], begun + 1, ""
        elif "output_index" in event:
            assert event["output_index"] == begun - 1
            assert event.get("item_id", item["id"]) == item["id"]
            if kind.endswith(".delta"):
                deltas += event["delta"]
            elif kind == "output_item.done":
                assert [event["item"].get(key) for key in ("id", "type", "call_id", "name")] == [
                    item.get(key) for key in ("id", "type", "call_id", "name")
                ]
                assert deltas == _whole(event["item"])
                done += 1
    items = events[-1]["response"]["output"]
    assert items == [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert len({item["id"] for item in items}) == len(items)
    if events[-1]["type"] != "response.failed":
        assert begun == done == len(items)


def _whole(item: Json) -> str:
    """What the deltas of an item make together."""
    match item["type"]:
        case "message":
            return join_text([item])
        case "reasoning":
            return join_thinking([item])
        case "function_call":
            return str(item["arguments"])
        case "custom_tool_call":
            return str(item["input"])
    return ""


def _check_openai(events: list[Json]) -> None:
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        read: Any = construct_type(type_=ResponseStreamEvent, value=json.loads(json.dumps(event)))
        assert read.type == event["type"]
        state.handle_event(read)
    if events[-1]["type"] == "response.completed":
        response = state._completed_response
        assert response is not None
        assert response.output_text == join_text(events[-1]["response"]["output"])
