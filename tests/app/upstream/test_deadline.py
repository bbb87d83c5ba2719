"""Every call upstream ends, however its bytes come, and never holds the event loop."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

import pytest

from app.core.errors import AccessRejected, GatewayError, UpstreamTimeout
from app.upstream import client as client_module
from app.upstream import video as video_module
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.deadline import CallDeadline
from app.upstream.upload import MultipartBody
from app.upstream.video import VideoCalls
from tests.app.upstream.connected import SECRET, TOKEN, against, ask, ask_all, stream
from tests.app.upstream.hostile import FLOODS, GOOD, TRICKLES, Endless, LoopWatch, flood, trickle
from tests.app.upstream.scripted import Play, answer
from tests.loopback import LoopbackServer

SECONDS = 0.3
# A call is no burden to others that reads 64 KiB and decodes them between two turns.
MAX_HOLD_SECONDS = 0.1


class File:
    """A picture to upload."""

    name, media_type, width, height, is_picture = "a.png", "image/png", 1, 1, True

    def __init__(self, data: bytes = b"\x89PNG") -> None:
        self._data = data
        self.size_bytes = len(data)

    def open(self) -> BinaryIO:
        return BytesIO(self._data)


def upload(client: UpstreamClient) -> object:
    return client.upload(TOKEN, File(), timeout_seconds=SECONDS)


CALLS: dict[str, Callable[[UpstreamClient], object]] = {
    "refresh": lambda client: client.refresh("r"),
    "delete": lambda client: client.delete_conversation(TOKEN, "c", "a"),
    "stop": lambda client: client.stop_answer(TOKEN, "b"),
    "probe": lambda client: client.probe(),
    "look": lambda client: VideoCalls(client).look(TOKEN, "v"),
    "delete a video": lambda client: VideoCalls(client).delete(TOKEN, "v"),
    "upload": upload,
    "refused stream": lambda client: ask(client, timeout_seconds=SECONDS),
}


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (client_module, video_module):
        monkeypatch.setattr(module, "_CALL_SECONDS", SECONDS)


@pytest.fixture
def long_calls(monkeypatch: pytest.MonkeyPatch, short_calls: None) -> None:
    """Where an answer is good, and late on a busy machine."""
    monkeypatch.setattr(client_module, "_CALL_SECONDS", 30.0)


@pytest.mark.parametrize("play", TRICKLES.values(), ids=TRICKLES)
def test_a_call_ends_although_its_answer_trickles(play: Play) -> None:
    with against([play]) as (client, _), pytest.raises(UpstreamTimeout):
        client.refresh("r")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_call_ends(call: Callable[[UpstreamClient], object]) -> None:
    with against([TRICKLES["document"]]) as (client, _), pytest.raises(UpstreamTimeout):
        call(client)


@pytest.mark.parametrize("play", FLOODS.values(), ids=FLOODS)
def test_a_flood_ends_the_call_and_never_holds_the_loop(play: Endless) -> None:
    with against([play]) as (client, _), LoopWatch() as watch, pytest.raises(GatewayError):
        client.refresh("r")
    assert play.was_left
    assert watch.longest_seconds < MAX_HOLD_SECONDS


@pytest.mark.usefixtures("long_calls")
def test_a_head_gives_way_between_any_two_reads() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%d: %b\r\n" % (n, b"x" * 1000) for n in range(90)) + b"\r\n"
    play: Play = lambda connection: connection.sendall(head + b"{}")  # noqa: E731
    with against([play]) as (client, _), LoopWatch(0) as watch, pytest.raises(GatewayError):
        client.refresh("r")
    assert watch.turns >= len(head) // io.DEFAULT_BUFFER_SIZE


def test_the_paths_of_two_eras_share_one_time() -> None:
    slow_refusal = answer(b"<html></html>", status=b"404 Not Found", kind=b"text/html")
    with against([slow_refusal, TRICKLES["document"]]) as (client, _), pytest.raises(UpstreamTimeout):
        client.delete_conversation(TOKEN, "c", "a")


def test_a_call_that_ran_out_of_time_leaves_the_next_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with against([TRICKLES["document"]], [answer(GOOD)]) as (client, server):
        with pytest.raises(UpstreamTimeout):
            client.refresh("r")
        monkeypatch.setattr(client_module, "_CALL_SECONDS", 30.0)
        assert client.refresh("r").access_token.value == "a.b.c"
    assert server.connections == 2, "a connection in the middle of an answer is not used again"


def test_an_upload_looks_at_the_clock_between_its_pieces() -> None:
    body = MultipartBody(File(b"x" * 200_000), {})
    with CallDeadline(60) as deadline:
        body.rewind(deadline.left_seconds)
        assert len(body.read()) + len(body.read()) > 65536
    with CallDeadline(-1) as late:
        body.rewind(late.left_seconds)
        with pytest.raises(UpstreamTimeout):
            [*iter(body.read, b"")]


def test_an_upload_gives_way() -> None:
    file = File(bytes(5_000_000))
    with against([answer(GOOD)]) as (client, _), LoopWatch(0) as watch:
        client.upload(TOKEN, file, timeout_seconds=30)
    assert watch.turns >= file.size_bytes // 65536


@pytest.mark.usefixtures("long_calls")
@pytest.mark.parametrize("count", [1, 10])
@pytest.mark.parametrize("status", [b"100 Continue", b"102 Processing", b"103 Early Hints"])
def test_announcements_are_skipped(status: bytes, count: int) -> None:
    announced = b"HTTP/1.1 " + status + b"\r\nLink: </style.css>; rel=preload\r\n\r\n"

    def announce(play: Play) -> Play:
        def announced_play(connection: socket.socket) -> None:
            connection.sendall(announced * count)
            play(connection)

        return announced_play

    with against([announce(stream()), announce(answer(GOOD)), stream()]) as (client, server):
        assert ask_all(client) == 1
        assert client.refresh("r").access_token.value == "a.b.c"
        assert ask_all(client) == 1
    assert server.connections == 1


def test_an_announcement_alone_is_no_answer_and_is_not_asked_again() -> None:
    """The upstream has seen what it was asked, so that asking again could answer it twice."""
    alone: Play = lambda connection: connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")  # noqa: E731
    with against([stream(), alone], [stream()]) as (client, server):
        assert ask_all(client) == 1
        with pytest.raises(GatewayError):
            ask(client)
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.usefixtures("long_calls")
def test_switching_protocols_is_no_announcement() -> None:
    switch = answer(b"", status=b"101 Switching Protocols")
    with against([switch]) as (client, _), pytest.raises(GatewayError) as raised:
        client.refresh("r")
    assert not isinstance(raised.value, AccessRejected | UpstreamTimeout)


class Proxy(LoopbackServer):
    """Answers CONNECT with a play."""

    def __init__(self, play: Endless) -> None:
        super().__init__()
        self._play = play

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection:
            connection.recv(65536)
            self._play(connection)


TUNNELS = {
    "headers": flood(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
    "100 Continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "trickle": trickle(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
}


@pytest.mark.parametrize("play", TUNNELS.values(), ids=TUNNELS)
def test_a_proxy_holds_nobody_either(play: Endless) -> None:
    with Proxy(play) as proxy, LoopWatch() as watch:
        address = UpstreamAddress("https://127.0.0.1:9", SECRET, f"http://127.0.0.1:{proxy.port}", SECONDS)
        client = UpstreamClient(address)
        with pytest.raises(GatewayError):
            client.refresh("r")
        client.close()
    assert play.was_left
    assert watch.longest_seconds < MAX_HOLD_SECONDS
