"""The frames of one open answer, and what becomes of its connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app.errors import CutAnswer, UpstreamInvalid
from app.upstream import stream as stream_module
from app.upstream.body import BodyReader
from app.upstream.frames import Frame
from app.upstream.head import AnswerHead
from app.upstream.stream import UpstreamStream
from tests.app.upstream.hostile import LoopWatch
from tests.app.upstream.scripted import reset
from tests.clock import Clock

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


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
        self.stream = UpstreamStream(BodyReader(response), self.released.append)

    def send(self, *frames: bytes, end: bytes = b"") -> None:
        events = b"".join(b"data: %b\n\n" % frame for frame in frames)
        self.upstream.sendall((b"%x\r\n%b\r\n" % (len(events), events) if events else b"") + end)

    def read(self) -> list[Frame] | None:
        return self.stream.read(5)


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    with line.ours, line.upstream:
        yield line
        line.stream.close()


def test_frames_silence_and_the_end(line: Line) -> None:
    assert line.stream.read(0.01) is None
    line.send(b'{"status":"init"}', b'{"status":"finish"}')
    assert line.read() == [Frame(status="init"), Frame(status="finish")]
    assert repr(line.stream) == "<UpstreamStream open>"
    line.send(end=END)
    assert line.read() == []
    assert line.stream.ended
    assert repr(line.stream) == "<UpstreamStream ended>"
    line.stream.close(is_over=True)
    assert line.released == [True]
    assert repr(line.stream) == "<UpstreamStream closed>"


def test_part_of_an_event_is_no_silence(line: Line) -> None:
    line.upstream.sendall(b"5\r\ndata:\r\n")
    assert line.read() == []


def test_done_is_no_frame(line: Line) -> None:
    line.send(b'{"status":"finish"}', b"[DONE]")
    assert line.read() == [Frame(status="finish")]
    line.send(b"[DONE]", end=END)
    assert line.read() == []


def test_the_frames_before_a_bad_one_are_kept(line: Line) -> None:
    line.send(b'{"status":"init"}', b"not json", b'{"status":"finish"}')
    assert line.read() == [Frame(status="init")]
    for _ in range(2):
        with pytest.raises(UpstreamInvalid):
            line.read()


def test_a_bad_frame_alone_fails_at_once(line: Line) -> None:
    line.send(b"not json")
    with pytest.raises(UpstreamInvalid):
        line.read()


def test_a_reset_is_a_cut(line: Line) -> None:
    line.send(b'{"status":"init"}')
    assert line.read() == [Frame(status="init")]
    reset(line.upstream)
    with pytest.raises(CutAnswer):
        line.read()


def test_closing_in_the_middle_gives_up_the_connection(line: Line) -> None:
    line.send(b'{"status":"init"}')
    line.read()
    line.stream.close()
    line.stream.close(is_over=True)
    assert line.released == [False]


@pytest.mark.parametrize("end", [END, b"", b"zz\r\n"])
def test_after_the_finish_the_end_of_the_body_is_waited_for_briefly(line: Line, end: bytes) -> None:
    line.send(b'{"status":"finish"}')
    line.read()
    line.send(end=end)
    line.stream.close(is_over=True)
    assert line.released == [end == END]


def test_the_connection_is_given_back_even_when_the_wait_fails(line: Line) -> None:
    line.send(b'{"status":"finish"}')
    line.read()
    reset(line.upstream)
    line.stream.close(is_over=True)
    assert line.released == [False]


def test_very_many_frames_are_read_in_turns(line: Line) -> None:
    """In order, the end last."""
    line.send(*[b'{"id":"%d"}' % number for number in range(1000)], end=END)
    reads = []
    with LoopWatch(0) as watch:
        while not line.stream.ended:
            reads.append(line.read() or [])
    assert [frame.id for frames in reads for frame in frames] == [str(number) for number in range(1000)]
    assert max(map(len, reads)) == 256
    assert watch.turns >= 4


def test_a_bad_frame_among_very_many_ends_them_all(line: Line) -> None:
    line.send(*[b"{}"] * 300, b"not json", *[b"{}"] * 300)
    assert [len(line.read() or []) for _ in range(2)] == [256, 44]
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


@pytest.mark.parametrize(
    ("wave", "seconds", "most_reads"), [(bytes(65536), 0.0, 1), (bytes(10_000), 0.0, 7), (b"x", 0.02, 3)]
)
def test_an_upstream_that_goes_on_after_the_finish_is_left(
    monkeypatch: pytest.MonkeyPatch, wave: bytes, seconds: float, most_reads: int
) -> None:
    clock = Clock(100.0)
    monkeypatch.setattr(stream_module, "time", SimpleNamespace(monotonic=clock))
    body: Any = Endless(wave, seconds, clock)
    released: list[bool] = []
    UpstreamStream(body, released.append).close(is_over=True)
    assert (released, body.reads) == ([False], most_reads)
