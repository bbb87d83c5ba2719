"""Connections: given back, kept, replaced once, and closed where nobody reads on."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from app.core.errors import UpstreamThrottled, UpstreamTimeout, UpstreamUnreachable
from tests.app.upstream.connected import (
    FRAME,
    OLD_SPELLING,
    against,
    answer_chunked,
    ask,
    ask_all,
    connected,
    stream,
)
from tests.app.upstream.scripted import Play, ScriptedServer, answer, hang_up, reset


def test_a_refusal_gives_its_connection_back() -> None:
    refusal = answer(b'{"status":10061,"message":"x"}', status=b"429 Slow")
    with against([refusal, refusal, stream()]) as (client, server):
        for _ in range(2):
            with pytest.raises(UpstreamThrottled):
                ask(client)
        assert ask_all(client) == 1
    assert server.connections == 1


@pytest.mark.parametrize("end", [hang_up, reset])
def test_a_kept_connection_that_ended_is_replaced_once(end: Play) -> None:
    with against([stream(), end], [stream()]) as (client, server):
        assert ask_all(client) == 1
        assert ask_all(client) == 1
    assert (server.connections, len(server.requests)) == (2, 3)


@pytest.mark.parametrize("end", [hang_up, reset])
def test_a_new_connection_that_breaks_is_not_replaced(end: Play) -> None:
    """The upstream may have seen the question: asking it again could answer it twice."""
    with against(*[[end]] * 5) as (client, server), pytest.raises(UpstreamUnreachable):
        ask(client)
    assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("end", [hang_up, reset])
def test_what_replaces_a_kept_connection_is_new_itself(end: Play) -> None:
    with against([stream(), end], [end], [stream()]) as (client, server):
        assert ask_all(client) == 1
        with pytest.raises(UpstreamUnreachable):
            ask(client)
    assert (server.connections, len(server.requests)) == (2, 3)


def test_a_path_of_another_era_gives_its_connection_back() -> None:
    gone = answer(b"<html>404</html>", status=b"404 Not Found", kind=b"text/html")
    with against([gone, OLD_SPELLING] * 3) as (client, server):
        for _ in range(3):
            assert client.refresh("r").access_token.value == "old"
    assert server.connections == 1


def test_a_slow_head_is_a_timeout_and_is_not_asked_again() -> None:
    released = threading.Event()

    def wait(_: socket.socket) -> None:
        released.wait(20)

    with against([wait], [stream()]) as (client, server):
        begun = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            ask(client, timeout_seconds=0.1)
        assert time.monotonic() - begun < 15
        released.set()
    assert server.connections == 1


def test_nobody_listens() -> None:
    with ScriptedServer() as server:
        pass
    with connected(server) as client, pytest.raises(UpstreamUnreachable):
        ask(client)


def test_streams_share_nothing() -> None:
    """Two at a time are two connections; both serve again."""
    with against([stream(), stream()], [stream(), stream()]) as (client, server):
        for _ in range(2):
            one, two = ask(client), ask(client)
            for opened in (one, two):
                assert opened.read(5)
                opened.close()
        assert server.connections == 2
    assert len(server.requests) == 4


def test_a_stream_left_in_the_middle_closes_its_connection() -> None:
    closed = threading.Event()
    begun = FRAME.replace(b"finish", b"init")

    def watch(connection: socket.socket) -> None:
        answer_chunked(b"%x\r\n%b\r\n" % (len(begun), begun))(connection)
        if connection.recv(1) == b"":
            closed.set()

    with against([watch], [stream()]) as (client, server):
        opened = ask(client)
        assert opened.read(5)
        opened.close()
        assert closed.wait(20)
        assert ask_all(client) == 1
        assert server.connections == 2
