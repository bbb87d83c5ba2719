"""What a request wants done to its answer on the way out: calls read, thinking moved or hidden, early ends.

Every wish is a transform that takes reply events and gives what remains; without wishes there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from app.core.event import ReplyEvent
from app.core.request import ReasoningDisplay
from app.core.usage import TokenEstimate
from app.exchange.transforms.calls import CallOptions, ReadCalls
from app.exchange.transforms.citations import HideCitations
from app.exchange.transforms.json_output import JsonOptions, RequireJson
from app.exchange.transforms.length import CutAtLength
from app.exchange.transforms.reasoning import HideReasoning, TagReasoning
from app.exchange.transforms.stop import CutAtStop


class Transform(Protocol):
    """One wish, applied to one answer. Matches every kind of event, so that a new one cannot vanish in it."""

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        """What remains of `events`. A ReplyFinished ends the answer; nothing is applied after it.

        Raises the GatewayError that the answer amounts to.
        """
        ...


class OutputOptions(msgspec.Struct, frozen=True):
    """The wishes of one request."""

    reasoning: ReasoningDisplay = "content"
    hides_citations: bool = False
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    calls: CallOptions | None = None
    """Set where tools are offered."""
    json_output: JsonOptions | None = None

    def build_transforms(self, hidden: TokenEstimate) -> Sequence[Transform]:
        """New transforms for one reply, in their order; `hidden` counts the thinking that is not shown."""
        transforms: list[Transform] = []
        if self.hides_citations:
            transforms.append(HideCitations())
        if self.calls is not None:
            transforms.append(ReadCalls(self.calls))
        if self.json_output is not None:
            transforms.append(RequireJson(self.json_output))
        if self.reasoning == "hidden":
            transforms.append(HideReasoning(hidden))
        if self.stop:
            transforms.append(CutAtStop(self.stop))
        if self.reasoning == "tags":
            transforms.append(TagReasoning())
        if self.max_tokens is not None:
            transforms.append(CutAtLength(self.max_tokens, hidden))
        return transforms


UNCHANGED = OutputOptions()
