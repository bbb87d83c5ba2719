"""Reply events out: as events of a stream, or folded into one response. Both are made by the same hands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.errors import GatewayError
from app.core.event import ReplyEvent, ReplyFinished
from app.core.usage import Usage
from app.formats.json_text import encode_json, escape_lines
from app.formats.openai_error import build_error
from app.formats.openai_responses.output import ResponseOutput
from app.formats.openai_responses.response import ResponseBody


class ResponseEncoder:
    """Encodes one answer as events with gapless numbers, exactly one of which ends it."""

    def __init__(self, body: ResponseBody, usage: Usage) -> None:
        self._body = body
        self._output = ResponseOutput(body.id, usage, body.client_tools)
        self._usage = usage
        self._number = 0

    def start(self) -> bytes:
        begun = {"response": self._body.build_begun()}
        return self._write("response.created", begun) + self._write("response.in_progress", begun)

    def heartbeat(self) -> bytes:
        """No comment: some clients count events alone for life."""
        return self._write("response.in_progress", {"response": self._body.build_begun()})

    def encode(self, events: Iterable[ReplyEvent]) -> bytes:
        """The events as one piece to write; empty where they say nothing to the client."""
        return b"".join([self._encode_event(event) for event in events])

    def error(self, error: GatewayError) -> bytes:
        """Items that are open stay open: nobody is to take half of one for the whole."""
        failed = self._body.build_failed(self._output.items, build_error(error))
        return self._write("response.failed", {"response": failed})

    def _encode_event(self, event: ReplyEvent) -> bytes:
        told = b"".join([self._write(kind, fields) for kind, fields in self._output.add(event)])
        if not isinstance(event, ReplyFinished):
            return told
        response = self._body.build_finished(self._output.items, self._usage, event.reason)
        return told + self._write(f"response.{response['status']}", {"response": response})

    def _write(self, kind: str, fields: dict[str, Any]) -> bytes:
        data = encode_json({"type": kind, **fields, "sequence_number": self._number})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), escape_lines(data))


class ResponseFolder:
    """Folds the same events into one response."""

    def __init__(self, body: ResponseBody, usage: Usage) -> None:
        self._body = body
        self._output = ResponseOutput(body.id, usage, body.client_tools)
        self._usage = usage
        self._end = ReplyFinished("stop")

    def add(self, events: Iterable[ReplyEvent]) -> None:
        for event in events:
            self._output.add(event)
            if isinstance(event, ReplyFinished):
                self._end = event

    def encode(self) -> bytes:
        return encode_json(self._body.build_finished(self._output.items, self._usage, self._end.reason))
