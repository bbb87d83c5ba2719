"""The frames of one open answer, and what becomes of its connection."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

import pytest

from app.errors import CutAnswer, UpstreamInvalid
from app.upstream.body import BodyReader
from app.upstream.frames import Frame
from app.upstream.stream import UpstreamStream
from tests.app.upstream.scripted import reset

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


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
