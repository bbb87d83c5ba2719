"""What searches of the upstream's own find: told once, before what is said of it, and where wanted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.event import CitedText, Page, PagesFound, ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.upstream.frames import parse_frame
from app.upstream.reducer import Reducer
from app.upstream.search import read_queries

FINISHED = ReplyFinished("stop")
NORTH = {"title": "North", "url": "https://example.com/north", "index": 1, "match_key": "turn0search0"}
SOUTH = {"title": "South", "url": "https://example.com/south", "index": 2, "match_key": "turn0search1"}
ASKED = json.dumps({"search_query": [{"q": "weather north", "recency": 1}, {"q": "weather south"}]})
QUERIES = ("weather north", "weather south")
FOUND_NORTH = Page("https://example.com/north", "North")
FOUND_SOUTH = Page("https://example.com/south", "South")


def result(*pages: dict[str, Any], status: str = "finish", logic_id: str = "r", asked: str = ASKED) -> Any:
    item = {"type": "tool_result", "tool_calls": {"id": "tool-1", "name": "search", "arguments": asked}}
    found = {"tool_result_extra": {"search_results": list(pages)}}
    return {"logic_id": logic_id, "content": [item], "status": status, "meta_data": found}


def text(piece: str, status: str = "init", kind: str = "text") -> Any:
    key = "think" if kind == "think" else "text"
    return {"logic_id": f"t-{kind}", "content": [{"type": kind, key: piece}], "status": status}


def reduce(parts: Sequence[Any], *, reads_searches: bool = True) -> list[ReplyEvent]:
    reducer = Reducer(reads_searches=reads_searches)
    events: list[ReplyEvent] = []
    head = {"conversation_id": "c", "status": "init", "meta_data": {"if_increase_push": False}}
    for part in parts:
        events += reducer.reduce(parse_frame(json.dumps(head | {"parts": [part]}).encode()))
    events += reducer.reduce(parse_frame(json.dumps(head | {"status": "finish", "parts": []}).encode()))
    return [event for event in events if not isinstance(event, ReplyStarted)]


def test_a_search_is_told_before_what_is_said_of_it() -> None:
    events = reduce([result(NORTH, SOUTH), text("Rain", "init"), text("Rain【turn0search1】", "finish")])
    cited = CitedText("[2](https://example.com/south)", "https://example.com/south", "South")
    assert events == [PagesFound(QUERIES, (FOUND_NORTH, FOUND_SOUTH)), TextDelta("Rain"), cited, FINISHED]


def test_nobody_hears_of_it_who_did_not_ask() -> None:
    assert reduce([result(NORTH), text("Rain", "finish")], reads_searches=False) == [
        TextDelta("Rain"),
        FINISHED,
    ]


def test_a_growing_result_is_told_whole_and_once() -> None:
    events = reduce(
        [result(NORTH, status="init"), result(NORTH, SOUTH), text("Rain"), result(NORTH, SOUTH), text("Rain")]
    )
    assert events == [PagesFound(QUERIES, (FOUND_NORTH, FOUND_SOUTH)), TextDelta("Rain"), FINISHED]


def test_each_search_of_an_answer_is_told_in_its_place() -> None:
    more = result(SOUTH, logic_id="r2", asked='{"query": "more"}')
    events = reduce([result(NORTH), text("One.", "finish"), more, text("Hm.", "finish", "think")])
    first, said, second, _, last = events
    assert (first, second) == (PagesFound(QUERIES, (FOUND_NORTH,)), PagesFound(("more",), (FOUND_SOUTH,)))
    assert (said, last) == (TextDelta("One."), FINISHED)


def test_a_search_is_told_even_where_nothing_is_said_after_it() -> None:
    events = reduce([text("Searching.", "finish"), result(NORTH)])
    assert events[1:] == [PagesFound(QUERIES, (FOUND_NORTH,)), FINISHED]


@pytest.mark.parametrize(
    "page", [{"title": "x"}, {"url": "javascript:alert(1)"}, {"url": "file:///etc/passwd"}]
)
def test_pages_that_lead_nowhere_are_none(page: dict[str, Any]) -> None:
    assert reduce([result(page), text("Rain", "finish")]) == [TextDelta("Rain"), FINISHED]


def test_a_page_that_is_listed_twice_is_one() -> None:
    events = reduce([result(NORTH, NORTH | {"index": 3}), text("Rain", "finish")])
    assert events[0] == PagesFound(QUERIES, (FOUND_NORTH,))


@pytest.mark.parametrize(
    ("arguments", "queries"),
    [
        (ASKED, QUERIES),
        ({"search_query": [{"q": "as an object"}]}, ("as an object",)),
        ('{"retrieve": ["a", "b"]}', ("a", "b")),
        ('{"query": "plain"}', ("plain",)),
        ('{"search_query": [{"q": 3}, null, {"q": " "}, {}]}', ()),
        ('{"search_query": [', ()),
        ("[" * 100_000, ()),
        (None, ()),
    ],
)
def test_what_a_search_looks_for(arguments: object, queries: tuple[str, ...]) -> None:
    assert read_queries(json.dumps({"name": "search", "arguments": arguments}).encode()) == queries


@pytest.mark.parametrize("call", [b"", b"null", b"[]", b'"x"', b"{", b"[" * 100_000])
def test_a_result_without_its_call_names_no_queries(call: bytes) -> None:
    assert read_queries(call) == ()


def test_queries_are_bounded() -> None:
    queries = read_queries(json.dumps({"arguments": {"queries": ["q" * 5000] * 5000}}).encode())
    assert (len(queries), {len(query) for query in queries}) == (16, {1000})
