"""A reader of streamed messages that takes nothing for granted: what the rules forbid is an AssertionError.

message_start; blocks from 0 on without gaps, one open at a time, each with the deltas of its kind; one
message_delta; message_stop. A `ping` may come anywhere behind the start, `error` in place of what is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

_DELTAS = {
    "text": {"text_delta": "text", "citations_delta": "citation"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
    "web_search_tool_result": {},
}
_IDS = ("id", "tool_use_id")


@dataclass
class MessageReader:
    """One stream. `message` is what the client has in the end, but for the error in `failure`."""

    message: dict[str, Any] = field(default_factory=dict)
    failure: dict[str, Any] | None = None
    pings: int = 0
    _input: str = ""
    _is_open: bool = False
    _is_over: bool = False

    def read(self, stream: bytes) -> MessageReader:
        """All of it."""
        *events, rest = stream.split(b"\n\n")
        assert rest == b"", "the last event is not ended"
        for event in events:
            name_line, data_line = event.decode().splitlines()
            document = json.loads(data_line.removeprefix("data: "))
            assert name_line == f"event: {document['type']}"
            self._take(document)
        assert self._is_over, "no terminal event"
        return self

    def _take(self, event: dict[str, Any]) -> None:
        assert not self._is_over, f"{event['type']} behind the end"
        kind = event["type"]
        assert (kind == "message_start") == (not self.message), kind
        if kind == "message_start":
            self.message = event["message"]
            assert self.message["content"] == []
        elif kind == "ping":
            self.pings += 1
        elif kind == "error":
            self.failure, self._is_over = event["error"], True
            assert self.message["stop_reason"] is None
        elif kind == "message_delta":
            assert not self._is_open
            assert self.message["stop_reason"] is None
            self.message |= event["delta"]
            self.message["usage"] |= event["usage"]
            assert self.message["stop_reason"] is not None
        elif kind == "message_stop":
            assert self.message["stop_reason"] is not None
            self._is_over = True
        else:
            self._take_block(kind, event)

    def _take_block(self, kind: str, event: dict[str, Any]) -> None:
        content = self.message["content"]
        assert self.message["stop_reason"] is None
        if kind == "content_block_start":
            assert not self._is_open
            assert event["index"] == len(content)
            content.append(event["content_block"])
            self._is_open, self._input = True, ""
            return
        assert self._is_open
        assert event["index"] == len(content) - 1
        if kind == "content_block_stop":
            self._close(content[-1])
        else:
            assert kind == "content_block_delta"
            self._add(content[-1], event["delta"])

    def _add(self, block: dict[str, Any], delta: dict[str, Any]) -> None:
        name = _DELTAS[block["type"]][delta["type"]]
        value = delta[name]
        if name == "partial_json":
            self._input += value
        elif name == "citation":
            block.setdefault("citations", []).append(value)
        else:
            assert value, "an empty delta"
            block[name] += value

    def _close(self, block: dict[str, Any]) -> None:
        self._is_open = False
        if "input" in block:
            assert block["input"] == {}
            block["input"] = json.loads(self._input)
            assert isinstance(block["input"], dict)
            assert block["name"]
        if block["type"] == "thinking":
            assert block["signature"]


def forget_ids(message: dict[str, Any]) -> dict[str, Any]:
    """The message without what is drawn anew for each answer."""
    content = [
        {name: value for name, value in block.items() if name not in _IDS} for block in message["content"]
    ]
    return {**message, "id": "", "content": content}
