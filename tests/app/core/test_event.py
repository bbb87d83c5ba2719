"""A kind of event that somebody adds cannot vanish: whoever handles events says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from app.core.event import ReplyEvent, TextDelta
from app.core.usage import TokenEstimate, Usage
from app.exchange.transforms.citations import HideCitations
from app.exchange.transforms.length import CutAtLength
from app.exchange.transforms.reasoning import HideReasoning, TagReasoning
from app.exchange.transforms.stop import CutAtStop
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder, CompletionFolder
from app.images.answer import DrawingAnswer

HEAD = ReplyHead("x", "glm", 1)


class NewEvent:
    text = "made up after everything else"


class OneBatch:
    """A reply that reads as `events`, once."""

    finished = False

    def __init__(self, events: list[Any]) -> None:
        self._events = events

    def read(self) -> list[Any]:
        self.finished = True
        return self._events


CONSUMERS: dict[str, Callable[[list[Any]], object]] = {
    "stop": lambda events: CutAtStop(["x"]).apply(events),
    "length": lambda events: CutAtLength(100, TokenEstimate()).apply(events),
    "tags": lambda events: TagReasoning().apply(events),
    "hidden": lambda events: HideReasoning(TokenEstimate()).apply(events),
    "citations": lambda events: HideCitations().apply(events),
    "chunks": lambda events: ChunkEncoder(HEAD, Usage(TokenEstimate()), include_usage=False).encode(events),
    "completion": lambda events: CompletionFolder(HEAD, Usage(TokenEstimate())).add(events),
    "drawing": lambda events: DrawingAnswer(None).read(OneBatch(events)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("consume", CONSUMERS.values(), ids=CONSUMERS)
def test_whoever_handles_events_refuses_one_that_it_does_not_know(
    consume: Callable[[list[Any]], object],
) -> None:
    with pytest.raises(AssertionError, match="NewEvent"):
        consume([TextDelta("a"), NewEvent()])


@pytest.mark.parametrize("consume", CONSUMERS.values(), ids=CONSUMERS)
def test_whoever_handles_events_takes_every_kind_there_is(consume: Callable[[list[Any]], object]) -> None:
    """By their types, so that this grows with them."""
    for kind in get_args(ReplyEvent):
        fields: Any = ("stop", "http://a.b", "title")[: len(kind.__struct_fields__)]
        consume([TextDelta("a"), kind(*fields)])
