"""Every answer as a stream that keeps the rules, and the same answer whole."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import CutAnswer
from app.core.event import (
    CitedText,
    ImageAdded,
    Page,
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
from app.core.usage import TokenEstimate, Usage
from app.formats.anthropic_messages.encoder import EventEncoder, MessageFolder
from app.formats.format import ReplyHead
from tests.app.upstream.pipeline import play
from tests.fixture_table import Fixture, load_fixtures
from tests.message_reader import MessageReader, forget_ids

HEAD = ReplyHead("65f6c28546bae1f0fbb532de", "线\u2028路", 1)
LINK = CitedText("[1](http://a.b)", "http://a.b", "An A")
FOUND = PagesFound(("tea", "coffee"), (Page("http://a.b", "An A"), Page("http://c.d", "线\u2028路")))
CALL = ToolCalled("call_" + "0a" * 12, "read_file", '{"path":"线\\u2028路","n":[1,{}]}')
END = ReplyFinished("stop")


def stream(events: list[ReplyEvent], rng: Random, *, cut: bool = False) -> MessageReader:
    """The events in batches as they may come, with pings between."""
    encoder = EventEncoder(HEAD, Usage(TokenEstimate()))
    out = [encoder.start()]
    while events:
        size = rng.randint(1, 4)
        out += [*([encoder.heartbeat()] if rng.random() < 0.3 else []), encoder.encode(events[:size])]
        events = events[size:]
    if cut:
        out.append(encoder.error(CutAnswer("It ended before its end.")))
    return MessageReader().read(b"".join(out))


def fold(events: list[ReplyEvent], rng: Random) -> dict[str, Any]:
    folder = MessageFolder(HEAD, Usage(TokenEstimate()))
    while events:
        size = rng.randint(1, 4)
        folder.add(events[:size])
        events = events[size:]
    message: dict[str, Any] = json.loads(folder.encode())
    return message


def check_same(events: list[ReplyEvent], rng: Random) -> dict[str, Any]:
    read = stream(events, rng)
    assert read.failure is None
    whole = fold(events, rng)
    assert forget_ids(read.message) == forget_ids(whole)
    return whole


@pytest.mark.parametrize("fixture", load_fixtures(), ids=str)
def test_every_recorded_answer_is_one_message(fixture: Fixture) -> None:
    rng = Random(fixture.name)
    played = play([fixture.data])
    events = list(played.events)
    if fixture.finish is None:
        read = stream(events, rng, cut=True)
        assert read.failure is not None
        message = read.message
    else:
        message = check_same(events, rng)
        assert message["stop_reason"] == {"stop": "end_turn", "content_filter": "refusal"}[fixture.finish]
    texts = [block["text"] for block in message["content"] if block["type"] == "text"]
    thoughts = [block["thinking"] for block in message["content"] if block["type"] == "thinking"]
    assert ("".join(texts), "".join(thoughts)) == (fixture.text, fixture.reasoning)


texts = st.text(min_size=1, max_size=8)
said = st.one_of(
    st.builds(TextDelta, texts),
    st.builds(ReasoningDelta, texts),
    st.builds(ThoughtText, texts),
    st.just(LINK),
    st.just(FOUND),
    st.just(ImageAdded("\n\n![image](http://a.b)", "http://a.b")),
    st.just(ReplyStarted("c")),
    st.just(UpstreamCall("site", "{}")),
)
ends = st.one_of(
    st.just(END),
    st.just(ReplyFinished("stop", "END")),
    st.just(ReplyFinished("length")),
    st.just(ReplyFinished("content_filter")),
)


@given(st.lists(said, max_size=12), st.integers(0, 3), ends, st.randoms(use_true_random=False))
def test_whatever_is_said_the_stream_and_the_whole_are_one(
    events: list[ReplyEvent], calls: int, end: ReplyFinished, rng: Random
) -> None:
    ended = [*events, *[CALL] * calls, ReplyFinished("tool_calls") if calls else end]
    message = check_same(ended, rng)
    kinds = [block["type"] for block in message["content"]]
    assert (message["stop_reason"] == "tool_use") == ("tool_use" in kinds)
    assert (message["stop_sequence"] is not None) == (message["stop_reason"] == "stop_sequence")
    assert kinds.count("server_tool_use") == kinds.count("web_search_tool_result")
    # A failure at any place leaves an error alone, and no good end.
    assert stream(events, rng, cut=True).failure is not None


def test_a_call_is_whole_and_its_id_is_of_their_kind() -> None:
    (block,) = fold([CALL, ReplyFinished("tool_calls")], Random(1))["content"]
    assert block["input"] == {"path": "线\u2028路", "n": [1, {}]}
    assert re.fullmatch(r"toolu_[0-9a-f]{24}", block["id"])


def test_a_search_stands_before_what_is_said_of_it() -> None:
    message = fold([FOUND, TextDelta("Tea "), LINK, END], Random(1))
    search, result, text = message["content"]
    assert (search["name"], search["input"]) == ("web_search", {"query": "tea; coffee"})
    assert result["tool_use_id"] == search["id"]
    assert [(page["url"], page["title"]) for page in result["content"]] == [
        ("http://a.b", "An A"),
        ("http://c.d", "线\u2028路"),
    ]
    assert text["text"] == "Tea [1](http://a.b)"
    (citation,) = text["citations"]
    assert (citation["type"], citation["url"]) == ("web_search_result_location", "http://a.b")
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_usage_counts_what_was_said() -> None:
    prompt = TokenEstimate()
    prompt.add("Where is it? " * 100)
    encoder = EventEncoder(HEAD, Usage(prompt))
    stream = encoder.start() + encoder.encode([ReasoningDelta("hm " * 50), TextDelta("There. " * 50), END])
    usage = MessageReader().read(stream).message["usage"]
    assert usage["input_tokens"] == prompt.tokens > 200
    assert usage["output_tokens"] > 100


def test_no_line_splitter_can_cut_an_event() -> None:
    encoder = EventEncoder(HEAD, Usage(TokenEstimate()))
    sent = encoder.start() + encoder.encode([FOUND, TextDelta("a\u2028\u0085b"), CALL, END])
    lines = [line for line in sent.decode().splitlines() if line]
    assert [line for line in lines if not line.startswith(("event: ", "data: "))] == []


def test_half_a_surrogate_pair_does_no_harm() -> None:
    check_same([ReasoningDelta("b\udc00"), TextDelta("a\ud83d"), END], Random(1))
