"""The events of one open answer, and what becomes of its connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.errors import CutAnswer, EmptyAnswer, SilentAnswer, UpstreamError, UpstreamInvalid
from app.core.event import ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.upstream import stream as stream_module
from app.upstream.body import BodyReader
from app.upstream.head import AnswerHead
from app.upstream.held_bytes import HeldBytes
from app.upstream.stream import AnswerStream
from tests.app.upstream.hostile import LoopWatch
from tests.app.upstream.scripted import reset
from tests.clock import Clock

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
NAMED = b'{"conversation_id":"c","id":"a","status":"init"}'
PARTS = b'[{"content":[{"type":"text","text":"Hi"}]}]'
FINISHED = b'{"conversation_id":"c","id":"a","status":"finish","parts":%b}' % PARTS
STARTED = ReplyStarted("c")
SAID = [TextDelta("Hi"), ReplyFinished("stop")]


class Line:
    """A stream, the socket that feeds it, and what was said when the connection was given back."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.ours = socket.create_connection(listener.getsockname(), timeout=5)
            self.upstream, _ = listener.accept()
        self.released: list[bool] = []
        self.upstream.sendall(HEAD)
        response = AnswerHead(self.ours)
        response.begin()
        self.stream = AnswerStream(BodyReader(response), self.released.append)

    def send(self, *frames: bytes, end: bytes = b"") -> None:
        events = b"".join(b"data: %b\n\n" % frame for frame in frames)
        self.upstream.sendall((b"%x\r\n%b\r\n" % (len(events), events) if events else b"") + end)

    def read(self) -> list[ReplyEvent] | None:
        return self.stream.read(5)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    with line.ours, line.upstream:
        yield line
        line.stream.close()


def test_events_silence_and_the_end(line: Line) -> None:
    assert line.stream.read(0.01) is None
    line.send(NAMED, FINISHED)
    assert line.read() == [STARTED, *SAID]
    assert (line.stream.frames, line.stream.finished, line.stream.answer_id) == (2, True, "a")
    assert repr(line.stream) == "<AnswerStream open>"
    line.send(end=END)
    assert line.read() == []
    assert line.stream.ended
    assert repr(line.stream) == "<AnswerStream ended>"
    line.stream.close()
    assert line.released == [True]
    assert repr(line.stream) == "<AnswerStream closed>"


def test_part_of_an_event_is_no_silence(line: Line) -> None:
    line.upstream.sendall(b"5\r\ndata:\r\n")
    assert line.read() == []


def test_an_event_behind_an_unfinished_one_belongs_to_it(line: Line) -> None:
    """However well its bytes are known: the second line of an event's data is no event."""
    snapshot = (
        b'{"conversation_id":"c","parts":[{"logic_id":"l","content":[{"type":"text","text":"%b"}],'
        b'"status":"init"}],"status":"init","meta_data":{"if_increase_push":false}}'
    )

    def hear(data: bytes) -> list[ReplyEvent] | None:
        line.upstream.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        return line.read()

    usual = b"event:message\ndata: %b\n\n" % snapshot
    assert hear(usual % b"so") == [STARTED, TextDelta("so")]
    assert hear(usual % b"so on") == [TextDelta(" on")]
    assert hear(b"data: half\n") == []
    with pytest.raises(UpstreamInvalid):
        hear(usual % b"so on and on")


def test_done_is_no_frame(line: Line) -> None:
    line.send(FINISHED, b"[DONE]")
    assert line.read() == [STARTED, *SAID]
    line.send(b"[DONE]", end=END)
    assert line.read() == []
    assert line.stream.frames == 1


def test_the_events_before_a_bad_frame_are_kept(line: Line) -> None:
    line.send(NAMED, b"not json", FINISHED)
    assert line.read() == [STARTED]
    for _ in range(2):
        with pytest.raises(UpstreamInvalid):
            line.read()
    assert line.stream.ended


def test_a_bad_frame_alone_fails_at_once(line: Line) -> None:
    line.send(b"not json")
    with pytest.raises(UpstreamInvalid):
        line.read()


def test_a_frame_that_names_the_conversation_and_fails_says_both(line: Line) -> None:
    line.send(b'{"conversation_id":"c","status":"error","parts":[]}')
    assert line.read() == [STARTED]
    with pytest.raises(UpstreamError, match="did not say why"):
        line.read()


def test_an_answer_that_finishes_with_nothing_is_empty(line: Line) -> None:
    line.send(NAMED, b'{"status":"finish","parts":[]}')
    assert line.read() == [STARTED]
    with pytest.raises(EmptyAnswer):
        line.read()
    assert line.stream.finished


@pytest.mark.parametrize(("said", "error"), [([], SilentAnswer), ([NAMED], CutAnswer)])
def test_a_body_that_ends_before_the_finish_is_a_failure(
    line: Line, said: list[bytes], error: type[Exception]
) -> None:
    line.send(*said, end=END)
    if said:
        assert line.read() == [STARTED]
    with pytest.raises(error) as raised:
        line.read()
    assert type(raised.value) is error


def test_a_reset_is_a_cut(line: Line) -> None:
    line.send(NAMED)
    assert line.read() == [STARTED]
    reset(line.upstream)
    with pytest.raises(CutAnswer):
        line.read()


def test_closing_in_the_middle_gives_up_the_connection(line: Line) -> None:
    line.send(NAMED)
    line.read()
    for _ in range(2):
        line.stream.close()
    assert line.released == [False]


@pytest.mark.parametrize("end", [END, b"", b"zz\r\n"])
def test_after_the_finish_the_end_of_the_body_is_waited_for_briefly(line: Line, end: bytes) -> None:
    line.send(FINISHED)
    line.read()
    line.send(end=end)
    line.stream.close()
    assert line.released == [end == END]


def test_the_connection_is_given_back_even_when_the_wait_fails(line: Line) -> None:
    line.send(FINISHED)
    line.read()
    reset(line.upstream)
    line.stream.close()
    assert line.released == [False]


def test_very_many_frames_are_read_in_turns(line: Line) -> None:
    """In order, the end last."""
    said = [
        b'{"parts":[{"content":[{"type":"text","text":"%d."}],"status":"finish"}]}' % n for n in range(1000)
    ]
    line.send(NAMED, *said, FINISHED, end=END)
    frames, events = [0], []
    with LoopWatch(0) as watch:
        while not line.stream.ended:
            events += line.read() or []
            frames.append(line.stream.frames)
    texts = [event.text.strip() for event in events if isinstance(event, TextDelta)]
    assert texts == [*[f"{number}." for number in range(1000)], "Hi"]
    assert max(later - before for before, later in pairwise(frames)) == 256
    assert watch.turns >= 4


def test_a_bad_frame_among_very_many_ends_them_all(line: Line) -> None:
    line.send(*[b"{}"] * 300, b"not json", *[b"{}"] * 300)
    assert (line.read(), line.stream.frames) == ([], 256)
    for _ in range(2):
        with pytest.raises(UpstreamInvalid):
            line.read()


class Endless:
    """A body that goes on after its finish, in reads of `wave`."""

    complete = False

    def __init__(self, wave: bytes, seconds: float, clock: Clock) -> None:
        self._wave, self._seconds, self._clock = wave, seconds, clock
        self.reads = 0

    def read(self, seconds: float) -> bytes:
        assert self.reads < 1000, "it is read for ever"
        assert 0 < seconds <= 0.05
        self.reads += 1
        self._clock.now += self._seconds
        return self._wave

    def close(self) -> None: ...


def test_a_closed_stream_holds_nothing_of_an_unfinished_event(line: Line) -> None:
    line.upstream.sendall(b"9\r\ndata: aaa\r\n")
    line.read()
    decoder = line.stream._decoder
    assert not decoder.finish()
    line.stream.close()
    assert decoder.finish()


@pytest.mark.parametrize(
    ("wave", "seconds", "max_reads"), [(bytes(65536), 0.0, 1), (bytes(10_000), 0.0, 7), (b"x", 0.02, 3)]
)
def test_an_upstream_that_goes_on_after_the_finish_is_left(
    monkeypatch: pytest.MonkeyPatch, wave: bytes, seconds: float, max_reads: int
) -> None:
    clock = Clock(100.0)
    monkeypatch.setattr(stream_module, "time", SimpleNamespace(monotonic=clock))
    body: Any = Endless(wave, seconds, clock)
    released: list[bool] = []
    stream = AnswerStream(body, released.append)
    monkeypatch.setattr(stream, "_reducer", SimpleNamespace(finished=True, held=HeldBytes()))
    stream.close()
    assert (released, body.reads) == ([False], max_reads)
