"""Plays a recording that somebody made of a real account (`glm-api record`), whoever asks.

`python -m upstream_emulator replay FILE` answers each path as it was answered, call after call, the last
answer again when there are no more: the same statuses, documents, events and pauses. Nobody is logged in and
nothing is checked, since nothing of a token or a signature is in a recording. What was not asked then is not
found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upstream_emulator.connection import Exchange
from upstream_emulator.fault import send_json
from upstream_emulator.frame import encode_event
from upstream_emulator.player import Ending, Player, Step

FORMAT = 1
EVENT_STREAM = "text/event-stream"
NOT_JSON = "not_json"


class BadRecording(ValueError):
    """The message names the line that cannot be read."""


@dataclass(slots=True)
class Answer:
    """One recorded call. `events` are documents with the milliseconds at which they came."""

    method: str
    path: str
    status: int | None = None
    content_type: str = ""
    answered_ms: int = 0
    body: Any = None
    events: list[tuple[int, bytes]] = field(default_factory=list)
    end: str = "whole"

    def steps(self, *, paced: bool) -> Iterator[Step]:
        """The events with the pauses that were between them."""
        now = self.answered_ms
        for at, event in self.events:
            if paced and at > now:
                yield (at - now) / 1000
                now = at
            yield event
        if self.end == "cut":
            yield Ending.CUT


def read_recording(path: Path) -> list[Answer]:
    """The calls of a recording, in their order. Raises BadRecording, OSError or UnicodeDecodeError."""
    answers: dict[int, Answer] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            if number == 1:
                _check_head(row)
            else:
                _take(row, answers)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise BadRecording(f"line {number} is not one of a recording") from exc
    if not answers:
        raise BadRecording("the recording holds no call")
    return list(answers.values())


def _check_head(row: dict[str, Any]) -> None:
    if row["recording"] != FORMAT:
        raise BadRecording("another format")


def _take(row: dict[str, Any], answers: dict[int, Answer]) -> None:
    call = int(row["call"])
    if sent := row.get("sent"):
        answers[call] = Answer(str(sent["method"]), str(sent["path"]))
        return
    answer, at = answers[call], int(row["ms"])
    if answered := row.get("answered"):
        answer.status, answer.content_type = int(answered["status"]), str(answered["content_type"])
        answer.answered_ms = at
    elif "event" in row:
        answer.events.append((at, _encode(row["event"])))
    elif "done" in row:
        answer.events.append((at, b"data: [DONE]\n\n"))
    elif "body" in row:
        answer.body = row["body"]
    else:
        answer.end = str(row["end"])


def _encode(document: Any) -> bytes:
    """What was no JSON is as long as it was, and still none."""
    if isinstance(document, dict) and set(document) == {NOT_JSON}:
        return b"data: " + b"x" * int(document[NOT_JSON]) + b"\n\n"
    return encode_event(document)


class Replay:
    """Serves one exchange after the other from a recording."""

    def __init__(self, answers: list[Answer], *, paced: bool = True) -> None:
        self._left: dict[tuple[str, str], list[Answer]] = {}
        self._paced = paced
        for answer in answers:
            self._left.setdefault((answer.method, answer.path), []).append(answer)

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        left = self._left.get((request.method, request.path))
        if not left:
            send_json(exchange, 404, {"status": 404, "message": "not in the recording", "result": None})
            return
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer.status is None:
            exchange.reset()
        elif answer.content_type == EVENT_STREAM:
            Player(exchange, answer.steps(paced=self._paced), lambda early: None).start()
        elif isinstance(answer.body, dict) and set(answer.body) == {NOT_JSON}:
            exchange.reply(answer.status, answer.content_type, b"x" * int(answer.body[NOT_JSON]))
        else:
            exchange.reply(answer.status, answer.content_type, json.dumps(answer.body).encode())
