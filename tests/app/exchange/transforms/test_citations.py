"""Citations left out."""

from __future__ import annotations

from app.core.event import (
    ReplyEvent,
    TextDelta,
)
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.transforms.applied import LINK, STOPPED, apply, read


def test_citations_are_left_out() -> None:
    batches: list[list[ReplyEvent]] = [[TextDelta("a"), LINK, TextDelta("b"), STOPPED]]
    assert read(apply(OutputOptions(hides_citations=True), batches))[0] == "ab"
