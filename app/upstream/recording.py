"""One client of the upstream that notes what is sent and answered, and the lines that are kept of it.

A recording is JSON lines, in order of time; `call` numbers the calls, `ms` counts from the first one:

    {"recording": 1, "version": "0.9.0", "truncated": false}
    {"call": 1, "ms": 0, "sent": {"method": "POST", "path": "/chatglm/...", "bytes": 431, "body": {...}}}
    {"call": 1, "ms": 84, "answered": {"status": 200, "content_type": "text/event-stream"}}
    {"call": 1, "ms": 90, "event": {...}, "bytes": 512}          of a stream; `body` where it is one document
    {"call": 1, "ms": 97, "end": "whole"}                        or `cut`, or `left` where we went first

Bodies are held as they came, in bounds, until `build_lines`: nothing of them leaves this process before it
has become a shape (shape.py, shape_text.py).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import msgspec

from app.core.errors import GatewayError
from app.redaction.redactor import Redactor
from app.upstream.adapter import WatchedResponse, watch
from app.upstream.body import BodyReader
from app.upstream.client import Body, UpstreamAddress, UpstreamClient
from app.upstream.deadline import CallDeadline
from app.upstream.head import Head
from app.upstream.shape import ShapeKeeper, read_json
from app.upstream.shape_text import keep_frames
from app.upstream.shape_word import keep_content_type
from app.upstream.sse import EventDecoder

_MAX_RECORDED_BYTES = 4 * 1024 * 1024
_MAX_CALLS = 64
_MAX_PIECES = 20_000
_STREAM = "text/event-stream"
_MIN_SECRET_CHARS = 6


class SecretFound(Exception):
    """What would have been written holds something that is known to be a secret."""


class _Call(msgspec.Struct):
    method: str
    path: str
    sent: bytes
    sent_bytes: int
    began: float
    answered: float = 0.0
    status: int | None = None
    content_type: str = ""
    pieces: list[tuple[float, bytes]] = msgspec.field(default_factory=list)
    end: str = "left"
    ended: float = 0.0


class Recording:
    """What was sent and answered so far. Used by one thread."""

    def __init__(self, max_bytes: int = _MAX_RECORDED_BYTES) -> None:
        """Of bodies no more than `max_bytes` are held, in all."""
        self._max_bytes = max_bytes
        self._calls: list[_Call] = []
        self._secrets: set[str] = set()
        self._held_bytes = self._held_pieces = 0
        self._is_truncated = False

    def __repr__(self) -> str:
        return f"<Recording calls={len(self._calls)} bytes={self._held_bytes}>"

    @property
    def has_calls(self) -> bool:
        return bool(self._calls)

    def begin(self, method: str, path: str, bearer: str, body: Body) -> _Call:
        """A call is about to be sent."""
        self._secrets.add(bearer)
        sent = body if isinstance(body, bytes) else b""
        size = len(body) if isinstance(body, bytes) else body.length_bytes
        call = _Call(method, path, sent, size, time.monotonic())
        if len(self._calls) < _MAX_CALLS and self._hold(sent):
            self._calls.append(call)
        else:
            self._is_truncated = True
        return call

    def add(self, call: _Call, data: bytes) -> None:
        """Bytes of an answer's body came."""
        if self._hold(data):
            call.pieces.append((time.monotonic(), data))

    def _hold(self, data: bytes) -> bool:
        """Whether there is room; once there is none, nothing more is held, so that no hole is inside."""
        full = self._held_bytes + len(data) > self._max_bytes or self._held_pieces >= _MAX_PIECES
        self._is_truncated = self._is_truncated or full
        if not self._is_truncated:
            self._held_bytes += len(data)
            self._held_pieces += 1
        return not self._is_truncated

    def build_text(self, version: str, redactor: Redactor) -> str:
        """The recording as it may be given away. Raises SecretFound rather than show a known secret."""
        head = {"recording": 1, "version": version, "truncated": self._is_truncated}
        rows = [row for _, row in sorted(self._list_rows(), key=lambda timed: timed[0])]
        lines = [json.dumps(row, ensure_ascii=False) for row in (head, *rows)]
        text = "\n".join(lines).encode("utf-8", "replace").decode() + "\n"
        known = [secret for secret in self._secrets if len(secret) >= _MIN_SECRET_CHARS]
        if any(secret in text for secret in known) or redactor.redact(text) != text:
            raise SecretFound
        return text

    def _list_rows(self) -> Iterator[tuple[float, dict[str, object]]]:
        keeper = ShapeKeeper()
        start = self._calls[0].began if self._calls else 0.0
        for number, call in enumerate(self._calls, 1):
            for at, row in _describe(call, keeper):
                yield at, {"call": number, "ms": max(round((at - start) * 1000), 0)} | row


def _describe(call: _Call, keeper: ShapeKeeper) -> Iterator[tuple[float, dict[str, object]]]:
    sent = {"method": call.method, "path": keeper.keep_path(call.path), "bytes": call.sent_bytes}
    if call.sent:
        sent["body"] = keeper.keep_json(call.sent)
    yield call.began, {"sent": sent}
    if call.status is None:
        return
    kind = keep_content_type(call.content_type)
    yield call.answered, {"answered": {"status": call.status, "content_type": kind}}
    if kind == _STREAM:
        yield from _describe_events(call, keeper)
    elif call.pieces:
        data = b"".join([piece for _, piece in call.pieces])
        yield call.pieces[-1][0], {"body": keeper.keep_json(data), "bytes": len(data)}
    last = call.pieces[-1][0] if call.pieces else call.answered
    yield max(call.ended, last), {"end": call.end}


def _describe_events(call: _Call, keeper: ShapeKeeper) -> Iterator[tuple[float, dict[str, object]]]:
    decoder, events = EventDecoder(), list[tuple[float, bytes]]()
    try:
        for at, piece in call.pieces:
            events += [(at, data) for data in decoder.feed(piece)]
    except GatewayError:
        pass  # an endless event: what came before it stays
    read = [(at, data, *read_json(data)) for at, data in events]
    shapes = iter(keep_frames(keeper, [frame for *_, is_json, frame in read if is_json]))
    for at, data, is_json, _ in read:
        if data == b"[DONE]":
            yield at, {"done": True}
        else:
            shape = next(shapes) if is_json else {"not_json": len(data)}
            yield at, {"event": shape, "bytes": len(data)}


class _RecordedBody(BodyReader):
    """Notes what is read, when, and how it ended."""

    __slots__ = ("_call", "_recording")

    def __init__(self, head: Head, recording: Recording, call: _Call) -> None:
        super().__init__(head)
        self._recording, self._call = recording, call

    def read(self, seconds: float) -> bytes | None:
        try:
            data = super().read(seconds)
        except (OSError, GatewayError):
            self._end("cut")
            raise
        if data:
            self._recording.add(self._call, data)
        if data == b"" or self.complete:
            self._end("cut" if self.is_cut else "whole")
        return data

    def _end(self, how: str) -> None:
        if not self._call.ended:
            self._call.end, self._call.ended = how, time.monotonic()


class RecordingClient(UpstreamClient):
    """Asks as its base does, and notes it in `recording`. For one thread."""

    def __init__(self, address: UpstreamAddress, recording: Recording) -> None:
        super().__init__(address)
        self._recording = recording

    def _call(
        self,
        path: str,
        bearer: str,
        device_id: str,
        body: Body,
        deadline: CallDeadline,
        accept: str,
        method: str = "POST",
    ) -> WatchedResponse:
        call = self._recording.begin(method, path, bearer, body)
        response = super()._call(path, bearer, device_id, body, deadline, accept, method)
        call.answered, call.status = time.monotonic(), response.status_code
        call.content_type = response.headers.get("Content-Type", "")
        return watch(response, lambda head: _RecordedBody(head, self._recording, call))
