"""Plays frames as a stream of the upstream and keeps what came of it: what was said, the error, the time."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

from app.core.errors import GatewayError
from app.core.event import ReplyEvent, TextDelta
from app.upstream.stream import AnswerStream

MEBIBYTE = 1024 * 1024
MAX_SENT_BYTES = 160 * MEBIBYTE
# A read takes no more; a turn is given before each.
READ_BYTES = 65_536

Json = dict[str, Any]
Frames = Iterator[Json | bytes]


def build_frame(*parts: Json, increases: bool | None = True, **others: Any) -> Json:
    meta = {} if increases is None else {"meta_data": {"if_increase_push": increases}}
    names = {"id": "b" * 24, "conversation_id": "a" * 24, "status": "init"}
    return {**names, "parts": list(parts), **meta, **others}


def build_part(logic_id: object, *items: Json, **others: Any) -> Json:
    return {"logic_id": str(logic_id), "status": "init", "content": list(items), **others}


def build_text(text: str) -> Json:
    return {"type": "text", "text": text}


def build_result(logic_id: object, pages: list[Json]) -> Json:
    return build_part(logic_id, {"type": "quote_result"}, meta_data={"metadata_list": pages})


def build_call(arguments: object, **names: str) -> Json:
    return {"type": "tool_calls", "tool_calls": {"name": "f", "arguments": arguments, **names}}


def build_picture(name: str) -> Json:
    return {"type": "image", "image": [{"image_url": f"http://host/{name}"}]}


def write_event(frame: Json) -> bytes:
    return b"data: %b\n\n" % json.dumps(frame).encode()


class Player:
    """Stands for a BodyReader: the frames, in reads of their own."""

    complete = False
    is_cut = True

    def __init__(self, frames: Frames) -> None:
        self._reads = self._cut(frames)
        self.sent_bytes = 0

    def _cut(self, frames: Frames) -> Iterator[bytes]:
        for frame in frames:
            event = frame if isinstance(frame, bytes) else write_event(frame)
            self.sent_bytes += len(event)
            yield from (event[at : at + READ_BYTES] for at in range(0, len(event), READ_BYTES))

    def read(self, seconds: float) -> bytes:
        return next(self._reads, b"")

    def close(self) -> None: ...


class Played:
    """A stream, what it said, and the error that ended it; none where it had said enough and went on."""

    def __init__(self, frames: Frames, **options: Any) -> None:
        body: Any = Player(frames)
        self.stream = AnswerStream(body, lambda reusable: None, **options)
        self.error: GatewayError | None = None
        self.seconds = 0.0
        """Of CPU time, without what it takes to write the frames."""
        self._keeps = options.get("reads_calls", False)
        self.events: list[ReplyEvent] = []
        try:
            while body.sent_bytes < MAX_SENT_BYTES and not self.stream.finished:
                self._read()
        except GatewayError as error:
            self.error = error

    def _read(self) -> None:
        begun_at = time.thread_time()
        try:
            events = self.stream.read(1)
        finally:
            self.seconds += time.thread_time() - begun_at
        if self._keeps:
            self.events += events or []

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))


def play_measured(frames: Frames, **options: Any) -> tuple[Played, int]:
    """Also the most bytes that were held at once."""
    tracemalloc.start()
    try:
        played = Played(frames, **options)
        return played, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
