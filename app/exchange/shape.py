"""What a request wants done to its answer on the way out: thinking moved or hidden, and early ends.

Every wish is a stage that takes reply events and gives what remains; an answer without wishes passes none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.request import ReasoningDisplay
from app.core.usage import TokenEstimate
from app.exchange.length import LengthStage
from app.exchange.reasoning import CitationStage, HidingStage, TagStage
from app.exchange.stop import StopStage
from app.reply import ReplyEvent


class Stage(Protocol):
    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        """What remains of `events`. A ReplyFinished ends the answer; nothing is applied after it.

        Raises the GatewayError that the answer amounts to.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """The wishes of one request."""

    reasoning: ReasoningDisplay = "content"
    hides_citations: bool = False
    stop: tuple[str, ...] = ()
    most_tokens: int | None = None

    def build_stages(self, hidden: TokenEstimate) -> Sequence[Stage]:
        """New stages for one reply; `hidden` counts the thinking that is not shown."""
        stages: list[Stage] = []
        if self.hides_citations:
            stages.append(CitationStage())
        if self.reasoning == "hidden":
            stages.append(HidingStage(hidden))
        if self.stop:
            stages.append(StopStage(self.stop))
        if self.reasoning == "tags":
            stages.append(TagStage())
        if self.most_tokens is not None:
            stages.append(LengthStage(self.most_tokens, hidden))
        return stages


UNCHANGED = Shape()
