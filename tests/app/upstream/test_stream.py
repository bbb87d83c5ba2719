"""The events of one open answer, and what becomes of its connection."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from app.errors import CutAnswer, EmptyAnswer, SilentAnswer, UpstreamError, UpstreamInvalid
from app.reply import ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.upstream.body import BodyReader
from app.upstream.stream import AnswerStream
from tests.app.upstream.scripted import reset

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
            self.ours = socket.create_connection(listener.getsockname())
            self.upstream, _ = listener.accept()
        self.released: list[bool] = []
        self.upstream.sendall(HEAD)
        response = http.client.HTTPResponse(self.ours)
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
