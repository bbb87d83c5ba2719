"""Citations left out."""

from __future__ import annotations

import pytest

from app.core.event import Page, PagesFound, ReplyEvent, TextDelta
from app.exchange.transforms.options import OutputOptions
from tests.app.exchange.transforms.applied import LINK, STOPPED, apply, read


def test_citations_are_left_out() -> None:
    batches: list[list[ReplyEvent]] = [[TextDelta("a"), LINK, TextDelta("b"), STOPPED]]
    assert read(apply(OutputOptions(hides_citations=True), batches))[0] == "ab"


FOUND = PagesFound(("weather",), (Page("http://a.b", "a"),))


@pytest.mark.parametrize(
    ("options", "is_told"),
    [
        (OutputOptions(hides_citations=True), False),
        (OutputOptions(reasoning="tags"), True),
        (OutputOptions(reasoning="hidden"), True),
        (OutputOptions(stop=("x",)), True),
        (OutputOptions(max_tokens=100), True),
    ],
)
def test_what_a_search_found_passes_unless_citations_are_hidden(
    options: OutputOptions, *, is_told: bool
) -> None:
    told = [FOUND] if is_told else []
    assert apply(options, [[FOUND, TextDelta("a"), STOPPED]]) == [*told, TextDelta("a"), STOPPED]
