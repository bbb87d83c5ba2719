"""What the reducer makes of content that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.core.errors import GatewayError
from app.upstream import unknown_content
from app.upstream.frames import ContentItem, Frame, Part
from app.upstream.reducer import Reducer


@pytest.fixture(autouse=True)
def nothing_seen_yet() -> Iterator[None]:
    unknown_content.unknown_contents.clear()
    yield
    unknown_content.unknown_contents.clear()


@pytest.mark.parametrize(("kind", "counted"), [("hologram", 1), ("tool_calls", 0), ("text", 0)])
def test_unknown_content_is_left_out_and_counted(kind: str, counted: int) -> None:
    part = Part("l", "init", [ContentItem(kind, status="init")])
    events = Reducer().reduce(Frame(conversation_id="c", status="init", parts=[part]))
    assert [type(event).__name__ for event in events] == ["ReplyStarted"]
    assert unknown_content.unknown_contents["content type", kind] == counted


FAILED = Part("tool", "error", [], error={"code": 10024, "message": "no"})
DRAWN = Part("picture", "finish", [ContentItem("image", image=[{"image_url": "https://x.chatglm.cn/1.png"}])])


def test_a_picture_cures_the_failure_of_a_part_before_it_and_not_after_it() -> None:
    """The assistant tried again: what counts is how the answer goes on."""
    reducer = Reducer()
    for part in (FAILED, DRAWN):
        reducer.reduce(Frame(conversation_id="c", status="init", parts=[part]))
    events = reducer.reduce(Frame(conversation_id="c", status="finish"))
    assert [type(event).__name__ for event in events] == ["ImageAdded", "ReplyFinished"]
    reducer = Reducer()
    for part in (DRAWN, FAILED, DRAWN):  # the same picture once more is none that is new
        reducer.reduce(Frame(conversation_id="c", status="init", parts=[part]))
    with pytest.raises(GatewayError):
        reducer.reduce(Frame(conversation_id="c", status="finish"))
