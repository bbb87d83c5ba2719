"""Frames: the JSON documents of the upstream's stream, in both dialects (protocol notes 4.2 - 4.5).

`Envelope` is what all frames of one answer share. An answer is described once, as blocks (one block = one
part of the answer), and `build_frames` sends it in the wanted manner: as snapshots, as deltas with a final
snapshot, or mixed.
"""

from __future__ import annotations

import functools
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

Json = dict[str, Any]

BEIJING = timezone(timedelta(hours=8))
FIELD_OF_KIND = {"text": "text", "text_thinking": "text", "think": "think", "code": "code"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is sent. `style` is snapshot, delta or mixed (thoughts as snapshots, the rest as deltas).

    `flag`: 0 the frames do not tell (`if_increase_push` absent), 1 they do, and say false only in the frame
    that ends the answer (transcripts 4.9 c, d2), 2 they do, and say false in a frame that ends a part as well
    (4.5, 0.2 row 10). `is_old`: in the dialect of 2024, where every content item has a status of its own.
    """

    style: str = "delta"
    flag: int = 1
    is_old: bool = False

    @property
    def may_hold_deltas(self) -> bool:
        return self.style != "snapshot"

    def grows_by_deltas(self, kind: str) -> bool:
        return self.style == "delta" or (self.style == "mixed" and kind != "think")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The ids of one answer and the way its frames are filled."""

    message_id: str
    conversation_id: str
    assistant_id: str
    manner: Manner
    model: str = "moe_53f"
    """What parts say they come from; in 2024 all said the same."""

    def frame(self, parts: list[Json], *, status: str = "init", deltas: bool = False, **more: Any) -> Json:
        """One frame. `deltas`: its parts hold new text only; `more` replaces or adds top-level fields."""
        frame: Json = {"id": self.message_id, "conversation_id": self.conversation_id}
        frame |= {"assistant_id": self.assistant_id, "parts": parts, "created_at": beijing_time()}
        frame |= {"status": status, "last_error": {}, "meta_data": self._meta_data(deltas)}
        if self.manner.flag == 0 and not self.manner.is_old:
            # Frames of 2026-09-28 carry neither meta_data nor an empty last_error object.
            del frame["meta_data"]
            frame["last_error"] = None
        return frame | more

    def part(self, logic_id: str, item: Json, status: str, role: str = "assistant", **more: Any) -> Json:
        """One part with one content item; `more` replaces or adds fields of the part."""
        part: Json = {"id": self.message_id, "logic_id": logic_id, "role": role, "content": [item]}
        if self.manner.is_old:
            part |= {"model": "chatglm-all-tools", "recipient": "all", "created_at": beijing_time()}
        else:
            part["model"] = self.model
        return part | {"meta_data": {}, "status": status} | more

    def _meta_data(self, deltas: bool) -> Json:
        return {"if_increase_push": deltas} if self.manner.flag else {}


def _new_logic_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Growing:
    """A part whose text grows by `pieces`. Its finish holds the whole text, or `final` where that differs.

    `finishes=False`: the part is never marked finished, not even in the frame that ends the answer.
    """

    kind: str
    pieces: Sequence[str]
    final: str | None = None
    finishes: bool = True
    meta: Json = field(default_factory=dict)
    logic_id: str = field(default_factory=_new_logic_id)

    def frames(self, envelope: Envelope) -> Iterator[Json]:
        deltas = envelope.manner.grows_by_deltas(self.kind)
        for text in self._growth(deltas):
            yield envelope.frame([self._part(envelope, text, "init")], deltas=deltas)
        if self.finishes:
            yield envelope.frame([self.last_part(envelope)], deltas=deltas and envelope.manner.flag != 2)

    def last_part(self, envelope: Envelope) -> Json:
        """The part with its whole text, as its own last frame and the one that ends the answer show it."""
        whole = "".join(self.pieces) if self.final is None else self.final
        return self._part(envelope, whole, "finish" if self.finishes else "init")

    def _growth(self, deltas: bool) -> Iterator[str]:
        if deltas:
            yield from self.pieces
            return
        # The finish frame is what completes a snapshot, except for code (protocol notes 4.5, rule 2).
        last = len(self.pieces) if self.kind == "code" or not self.finishes else len(self.pieces) - 1
        for count in range(1, last + 1):
            yield "".join(self.pieces[:count])

    def _part(self, envelope: Envelope, text: str, status: str) -> Json:
        item = growing_item(self.kind, text, status, envelope.manner)
        return envelope.part(self.logic_id, item, status, meta_data=self.meta)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A part that is sent as it is, once for each stage: (content item, part status, fields of the part)."""

    stages: Sequence[tuple[Json, str, Json]]
    role: str = "assistant"
    logic_id: str = field(default_factory=_new_logic_id)

    def frames(self, envelope: Envelope) -> Iterator[Json]:
        for stage in self.stages:
            yield envelope.frame([self._part(envelope, *stage)], deltas=envelope.manner.may_hold_deltas)

    def last_part(self, envelope: Envelope) -> Json:
        return self._part(envelope, *self.stages[-1])

    def _part(self, envelope: Envelope, item: Json, status: str, fields: Json) -> Json:
        return envelope.part(self.logic_id, item, status, self.role, **fields)


Block = Growing | Fixed


def build_frames(envelope: Envelope, blocks: Sequence[Block]) -> Iterator[Json]:
    """A whole answer: the empty first frame, every block, and the finish frame that repeats the last part."""
    yield from build_open_frames(envelope, blocks)
    yield envelope.frame([blocks[-1].last_part(envelope)], status="finish")


def build_open_frames(envelope: Envelope, blocks: Sequence[Block]) -> Iterator[Json]:
    """The same without the frame that ends it."""
    yield envelope.frame([], deltas=envelope.manner.may_hold_deltas)
    for block in blocks:
        yield from block.frames(envelope)


def growing_item(kind: str, text: str, status: str, manner: Manner) -> Json:
    """One content item. Items of 2024 have a status, those of 2026 an empty `tool_calls` instead."""
    item: Json = {"type": kind, FIELD_OF_KIND[kind]: text}
    if kind == "think" or not (manner.is_old or kind == "code"):
        return item | {"tool_calls": {}}
    return item | {"status": status}


def beijing_time() -> str:
    """The upstream's clock, to the second and without a zone."""
    return _format_time(int(time.time()))


@functools.lru_cache(maxsize=2)
def _format_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def encode_json(value: Json) -> bytes:
    """Compact JSON; what cannot be said in UTF-8 (half of a surrogate pair, out of a request) becomes `?`."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def encode_event(frame: Json) -> bytes:
    """One server-sent event as the upstream writes it (protocol notes 4.1)."""
    return b"event:message\ndata: " + encode_json(frame) + b"\n\n"
