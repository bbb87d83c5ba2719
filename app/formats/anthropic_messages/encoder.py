"""Reply events out: as the events of a stream, or folded into one message."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.core.errors import GatewayError
from app.core.event import ReplyEvent, ReplyFinished
from app.core.usage import Usage
from app.core.wait import Wait
from app.formats.anthropic_messages.block import Blocks, Json, Kind, build_stop, build_usage
from app.formats.anthropic_messages.error import encode_error_event
from app.formats.format import ReplyHead
from app.formats.json_text import encode_json, encode_text, escape_lines

HEARTBEAT = b'event: ping\ndata: {"type":"ping"}\n\n'


def _encode_event(payload: Json) -> bytes:
    name = str(payload["type"]).encode()
    return b"event: " + name + b"\ndata: " + escape_lines(encode_json(payload)) + b"\n\n"


def _build_message(head: ReplyHead, content: object, stop: Json, usage: Json) -> Json:
    return {
        "id": f"msg_{head.id}",
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": content,
        **stop,
        "usage": usage,
    }


class _EventWriter:
    """Writes blocks as events of a stream; `take` hands out what has come together."""

    def __init__(self) -> None:
        self._index = -1
        self._out: list[bytes] = []
        self._said: dict[Kind, bytes] = {}

    def open(self, block: Json) -> None:
        self._index += 1
        opening = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,' % self._index
        self._said = {
            "text": opening + b'"delta":{"type":"text_delta","text":',
            "thinking": opening + b'"delta":{"type":"thinking_delta","thinking":',
        }
        self.write({"type": "content_block_start", "index": self._index, "content_block": block})

    def say(self, kind: Kind, text: str) -> None:
        """Comes by the thousand: only the text itself is encoded."""
        self._out.append(self._said[kind] + encode_text(text) + b"}}\n\n")

    def add(self, delta: Json) -> None:
        self.write({"type": "content_block_delta", "index": self._index, "delta": delta})

    def close(self) -> None:
        self.write({"type": "content_block_stop", "index": self._index})

    def write(self, payload: Json) -> None:
        self._out.append(_encode_event(payload))

    def take(self) -> bytes:
        out, self._out = b"".join(self._out), []
        return out


class EventEncoder:
    """Encodes one answer as the events of a stream."""

    def __init__(self, head: ReplyHead, usage: Usage) -> None:
        self._head = head
        self._usage = usage
        self._writer = _EventWriter()
        self._blocks = Blocks(self._writer, usage)

    def start(self) -> bytes:
        stop: Json = {"stop_reason": None, "stop_sequence": None}
        message = _build_message(self._head, [], stop, build_usage(self._usage))
        return _encode_event({"type": "message_start", "message": message})

    def heartbeat(self) -> bytes:
        return HEARTBEAT

    def error(self, error: GatewayError) -> bytes:
        return encode_error_event(error)

    def encode_wait(self, wait: Wait, words: str) -> bytes:
        """As a block of thinking, which the answer closes; clients that show none pass over it."""
        self._blocks.tell(words)
        return self._writer.take()

    def begin_answer(self, head: ReplyHead, usage: Usage) -> EventEncoder:
        """The message has its id already; the blocks are numbered on."""
        self._blocks.close()
        self._blocks = Blocks(self._writer, usage)
        return self

    def encode(self, events: Iterable[ReplyEvent]) -> bytes:
        """These events as one piece to write; empty where they say nothing to the client."""
        for event in events:
            self._blocks.take(event)
            if isinstance(event, ReplyFinished):
                delta = {"delta": build_stop(event), "usage": self._blocks.build_usage()}
                self._writer.write({"type": "message_delta", **delta})
                self._writer.write({"type": "message_stop"})
        return self._writer.take()


class _ContentWriter:
    """Writes blocks as the `content` of a message."""

    def __init__(self) -> None:
        self.content: list[Json] = []
        self._said: list[str] = []  # of the last block, as its citations are
        self._citations: list[object] = []

    def open(self, block: Json) -> None:
        self.content.append(block)
        self._said, self._citations = [], []

    def say(self, kind: Kind, text: str) -> None:
        self._said.append(text)

    def add(self, delta: Json) -> None:
        block = self.content[-1]
        match delta["type"]:
            case "signature_delta":
                block["signature"] = delta["signature"]
            case "input_json_delta":
                block["input"] = msgspec.Raw(str(delta["partial_json"]).encode())
            case "citations_delta":
                self._citations.append(delta["citation"])
                block["citations"] = self._citations

    def close(self) -> None:
        block = self.content[-1]
        if block["type"] in ("text", "thinking"):
            block[str(block["type"])] = msgspec.Raw(encode_text("".join(self._said)))


class MessageFolder:
    """Folds the same events into one message."""

    def __init__(self, head: ReplyHead, usage: Usage) -> None:
        self._head = head
        self._writer = _ContentWriter()
        self._blocks = Blocks(self._writer, usage)
        self._stop = build_stop(ReplyFinished("stop"))

    def add(self, events: Iterable[ReplyEvent]) -> None:
        for event in events:
            self._blocks.take(event)
            if isinstance(event, ReplyFinished):
                self._stop = build_stop(event)

    def encode(self) -> bytes:
        content, usage = self._writer.content, self._blocks.build_usage()
        return encode_json(_build_message(self._head, content, self._stop, usage))
