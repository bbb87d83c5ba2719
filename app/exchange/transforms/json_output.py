"""JSON mode: the answer is held to its end, and delivered as the one JSON value that was asked for."""

from __future__ import annotations

import logging
from typing import assert_never

import msgspec

from app.core.event import (
    CitedText,
    ImageAdded,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)
from app.exchange.transforms.check import Check, FollowUp
from app.exchange.unusable import JsonNotValid
from app.metrics.counters import Counters
from app.tools.correction import ask_for_json
from app.tools.json_format import JsonFormat, JsonInvalid

log = logging.getLogger(__name__)


class JsonOptions(msgspec.Struct, frozen=True):
    """The JSON that a request wants."""

    json_format: JsonFormat
    counters: Counters


class RequireJson(Check):
    """Text before a tool call is no answer yet; what is cut or filtered is told by the reason of its end."""

    def __init__(self, options: JsonOptions) -> None:
        super().__init__()
        self._options = options
        self._held: list[str] = []
        self._has_asked = False

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        passed: list[ReplyEvent] = []
        for event in events:
            match event:
                case TextDelta() | CitedText() | ImageAdded():
                    self._held.append(event.text)
                    continue
                case ReplyFinished() if event.reason == "stop":
                    return [*passed, *self._check(event)]
                case ToolCalled() | ReplyFinished():
                    passed.extend(self._release())
                case ReplyStarted() | ReasoningDelta() | ThoughtText() | UpstreamCall() | PagesFound():
                    pass
                case _:
                    assert_never(event)
            passed.append(event)
        return passed

    def _release(self) -> list[ReplyEvent]:
        text = "".join(self._held)
        self._held.clear()
        return [TextDelta(text)] if text else []

    def _check(self, end: ReplyFinished) -> list[ReplyEvent]:
        """The JSON and its end, or nothing and one more question."""
        counters, text = self._options.counters, "".join(self._held)
        self._held.clear()
        read = self._options.json_format.read(text)
        if not isinstance(read, JsonInvalid):
            counters.answer_checks["corrected"] += self._has_asked
            return [TextDelta(read.text), end]
        counters.answer_checks["json_invalid"] += 1
        log.warning("an answer is not the JSON of its request: %s, %d characters", read.problem, len(text))
        words = f" {read.violations[0]}" if read.violations else ""
        failure = JsonNotValid(f"The answer is not the JSON of the request, also when asked again.{words}")
        self._follow_up = FollowUp(ask_for_json(read, self._options.json_format), failure)
        self._has_asked = True
        return []
