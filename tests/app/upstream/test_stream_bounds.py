"""What one answer, and all of them together, may say at most: an upstream may never stop talking."""

from __future__ import annotations

import json
import tracemalloc
from itertools import repeat
from typing import Any

import pytest

from app.core.errors import GatewayError, OutOfRoom, UpstreamInvalid
from app.upstream import stream as stream_module
from app.upstream.sse import build_answer_budget
from app.upstream.stream import AnswerStream

MEBIBYTE = 1024 * 1024
PIECE_CHARS = 50_000


class Talk:
    """Stands for a BodyReader: the same delta for ever."""

    complete = False
    is_closed = False

    def __init__(self, text: str) -> None:
        item = {"type": "text", "text": text}
        frame = {
            "id": "b" * 24,
            "conversation_id": "a" * 24,
            "status": "init",
            "parts": [{"logic_id": "l", "status": "init", "content": [item]}],
            "meta_data": {"if_increase_push": True},
        }
        self._pieces = repeat(b"data: %b\n\n" % json.dumps(frame).encode())

    def read(self, seconds: float) -> bytes:
        return next(self._pieces)

    def close(self) -> None: ...


def open_stream(room: Any = None, piece_chars: int = PIECE_CHARS) -> AnswerStream:
    body: Any = Talk("x" * piece_chars)
    return AnswerStream(body, lambda reusable: None, room=room)


def listen(stream: AnswerStream, pieces: int) -> GatewayError | None:
    """The error that came within so many pieces."""
    try:
        for _ in range(pieces):
            stream.read(1)
    except GatewayError as error:
        return error
    return None


def test_an_answer_that_never_ends_is_refused() -> None:
    stream = open_stream()
    assert listen(stream, 80) is None, "four million characters"
    assert isinstance(listen(stream, 2), UpstreamInvalid)
    stream.close()


def test_an_answer_in_very_many_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of a character: what keeps them keeps a hundred times as much."""
    monkeypatch.setattr(stream_module, "_FREE_CHARS", 1000)
    monkeypatch.setattr(stream_module, "_MAX_LATE_EVENTS", 500)
    stream = open_stream(piece_chars=1)
    assert listen(stream, 1500) is None
    assert isinstance(listen(stream, 2), UpstreamInvalid)
    stream.close()


@pytest.mark.parametrize("count", [20, 60])
def test_many_that_never_end_are_bounded_in_sum(count: int) -> None:
    """What is said is measured, and no longer there once the stream is closed."""
    room = build_answer_budget()
    tracemalloc.start()
    errors = []
    streams = [open_stream(room) for _ in range(count)]
    talking = list(streams)
    try:
        for _ in range(82):
            for stream in list(talking):
                error = listen(stream, 1)
                if error is not None:
                    errors.append(error)
                    stream.close()
                    talking.remove(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        for stream in streams:
            stream.close()
    assert any(isinstance(error, OutOfRoom) for error in errors)
    assert peak < 160 * MEBIBYTE
    assert room.held_bytes == 0


def test_usual_answers_have_room_beside_them() -> None:
    room = build_answer_budget()
    full = room.open()
    full.take(96 * MEBIBYTE)
    stream = open_stream(room)
    assert listen(stream, 5) is None, "a quarter of a million characters"
    stream.close()
    full.close()
