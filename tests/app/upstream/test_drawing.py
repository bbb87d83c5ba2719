"""Pictures as events: in order, once each, and not before their batch is complete."""

from __future__ import annotations

import pytest

from app.core.event import ImageAdded, ReplyEvent
from app.core.usage import TokenEstimate, Usage
from app.formats.format import ReplyHead
from app.formats.openai_chat.encoder import ChunkEncoder, CompletionFolder
from app.upstream.drawing import PictureBatch
from app.upstream.frames import ContentItem, parse_frame
from app.upstream.held_bytes import HeldBytes
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder
from tests.app.upstream.pipeline import play
from tests.fixture_table import load_fixture

HEAD = ReplyHead(id="1", model="cogview-3", created=0)


def image(*urls: str, code: str | None = None) -> ContentItem:
    return ContentItem(type="image", code=code, image=[{"image_url": url} for url in urls])


def pictures(events: tuple[ReplyEvent, ...]) -> list[ImageAdded]:
    return [event for event in events if isinstance(event, ImageAdded)]


def test_a_picture_says_its_address_and_what_was_drawn() -> None:
    drawn = pictures(play([load_fixture("transcript-f4").data]).events)
    assert [event.url[-7:] for event in drawn] == ["0_0.jpg", "1_0.jpg", "2_0.jpg", "3_0.jpg"]
    assert {event.revised_prompt for event in drawn} == {"一只猫"}


def test_without_a_rewritten_prompt_there_is_none() -> None:
    (drawn,) = pictures(play([load_fixture("transcript-f1").data]).events)
    assert drawn.revised_prompt is None


def test_nothing_is_told_before_the_batch_is_complete() -> None:
    reducer = Reducer()
    told = [
        len(pictures(tuple(reducer.reduce(parse_frame(data)))))
        for data in EventDecoder().feed(load_fixture("transcript-f4").data)
    ]
    assert told == [0, 0, 0, 0, 0, 4]


@pytest.mark.parametrize(
    ("arrived", "ordered"),
    [
        (["m_3_0.jpg", "m_0_0.jpg", "m_1_0.jpg"], ["m_0_0.jpg", "m_1_0.jpg", "m_3_0.jpg"]),
        (["m_10_0.jpg", "m_9_0.jpg"], ["m_9_0.jpg", "m_10_0.jpg"]),
        (["m_1.png", "m_0.png?x=1"], ["m_0.png?x=1", "m_1.png"]),
        (["b.jpg", "a.jpg", "m_0_0.jpg"], ["m_0_0.jpg", "b.jpg", "a.jpg"]),
    ],
)
def test_numbers_order_pictures(arrived: list[str], ordered: list[str]) -> None:
    batch = PictureBatch(HeldBytes())
    batch.add(image(*[f"https://sfile.chatglm.cn/{name}" for name in arrived]))
    assert [picture.url.rpartition("/")[2] for picture in batch.take()] == ordered
    assert batch.take() == []


def test_lone_surrogates_do_not_leave() -> None:
    batch = PictureBatch(HeldBytes())
    assert not batch.add(image("https://sfile.chatglm.cn/\ud83d.jpg"))
    assert batch.add(image("https://sfile.chatglm.cn/1.jpg", code="猫\ud83d"))
    assert batch.take()[0].revised_prompt == "猫\ufffd"


@pytest.mark.parametrize("name", ["transcript-f1", "transcript-f4", "draw-text-around", "draw-two-batches"])
def test_streamed_and_whole_answers_are_the_same_text(name: str) -> None:
    fixture = load_fixture(name)
    events = play([fixture.data]).events
    folder = CompletionFolder(HEAD, Usage(TokenEstimate()))
    folder.add(events)
    whole = folder.encode().decode()
    chunks = ChunkEncoder(HEAD, Usage(TokenEstimate()), include_usage=False).encode(events).decode()
    for event in pictures(events):
        assert event.url in whole
        assert event.url in chunks
    assert fixture.text.count("![image]") == whole.count("![image]") == chunks.count("![image]")
