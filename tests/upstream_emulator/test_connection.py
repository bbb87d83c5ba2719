"""The server on the socket: what a client may do to it, and what it notices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

import pytest
import requests

from tests.upstream_emulator.client import REFRESH, STREAM, Client, chat_body, signed_headers
from upstream_emulator.connection import Connection, Exchange
from upstream_emulator.emulator import UpstreamEmulator

STATE = b"GET /_emulator/state HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def raw(upstream: UpstreamEmulator) -> Client:
    return Client(upstream.url)


def read_to_end(client: Client) -> bytes:
    return client.read_to_end()


def test_connections_are_kept(client: Client, upstream: UpstreamEmulator) -> None:
    for _ in range(3):
        client.chat("[[text]]")
        client.refresh("demo-ann")
    assert upstream.state()["tcp_connections"] == 1


def test_only_connections_that_called_the_upstream_count(upstream: UpstreamEmulator, raw: Client) -> None:
    with raw:
        raw.call("GET", "/_emulator/state", headers={})
        assert upstream.state()["tcp_connections"] == 0
        raw.call("GET", "/elsewhere", headers={})
        assert upstream.state()["tcp_connections"] == 1


def test_pipelined_requests_are_answered_in_order(raw: Client) -> None:
    with raw:
        raw.send_raw(STATE * 300)
        for _ in range(300):
            reply = raw.read_head()
            reply.pieces = list(raw.read_pieces(reply))
            assert reply.json["open_streams"] == 0


def test_a_client_may_close_after_an_answer(raw: Client) -> None:
    with raw:
        raw.send_raw(STATE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_to_end(raw).endswith(b"}")


@pytest.mark.parametrize(
    "data",
    [b"nonsense\r\n\r\n", b"\x16\x03\x01\r\n\r\n", os.urandom(3000) + b"\r\n\r\n", b"GET / HTTP/9\r\n\r\n"],
)
def test_garbage_is_answered_and_closed(raw: Client, upstream: UpstreamEmulator, data: bytes) -> None:
    with raw:
        raw.send_raw(data)
        assert read_to_end(raw).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 "))
    with Client(upstream.url) as client:
        assert client.logged_in("demo-ann").chat("[[text]]").status == 200


def test_a_head_that_never_ends_is_refused(raw: Client) -> None:
    with raw:
        raw.send_raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert read_to_end(raw).startswith(b"HTTP/1.1 431 ")


def test_pipelining_without_end_is_cut_off(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall]]"))
    client.read_head()
    with contextlib.suppress(OSError):
        client.send_raw(STATE * 50_000)
    upstream.wait_until(lambda state: state["open_streams"] == 0)


def test_expect_continue(client: Client) -> None:
    headers = signed_headers("demo-ann") | {"Expect": "100-continue", "Transfer-Encoding": "chunked"}
    client.send("POST", REFRESH, b"", headers)
    assert client.read_head().status == 100
    client.send_raw(b"2\r\n{}\r\n0\r\n\r\n")
    assert client.read_head().status == 200


def test_unknown_paths_and_methods(client: Client, upstream: UpstreamEmulator) -> None:
    assert client.call("GET", "/chatglm/nowhere").status == 404
    assert client.call("GET", "//[").status == 404
    assert client.call("GET", STREAM).status == 405
    assert client.call("GET", REFRESH + "?refer__991=x").status == 405
    assert upstream.state()["refusals"] == {"404": 2, "405": 2}


def test_every_event_is_one_http_chunk_sent_at_once(client: Client) -> None:
    pieces = client.chat("[[chunks n=20]]").pieces
    assert len(pieces) == 23
    assert all(piece.startswith(b"event:message\ndata: {") and piece.endswith(b"}\n\n") for piece in pieces)


def test_a_half_closed_connection_counts_as_gone(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[stall]]"))
    client.read_head()
    client.socket.shutdown(socket.SHUT_WR)
    assert upstream.wait_until(lambda state: state["open_streams"] == 0)["stopped_early"] == 1


def pending_bytes(upstream: UpstreamEmulator) -> int:
    """What the server holds for clients that do not read."""
    connections = upstream._world.connections
    return sum(one._transport.get_write_buffer_size() for one in connections if one._transport is not None)


@pytest.mark.parametrize("style", ["delta", "snapshot"])
def test_a_reader_that_sleeps_costs_no_memory_and_misses_nothing(
    client: Client, upstream: UpstreamEmulator, style: str
) -> None:
    size = {"delta": 12_000, "snapshot": 120}[style]
    client.send("POST", STREAM, chat_body(f"[[chunks n=1000 size={size} style={style}]]"))
    reply = client.read_head()
    upstream.wait_until(lambda _: pending_bytes(upstream) > 65536)
    assert pending_bytes(upstream) < 65536 + 2 * 130_000
    assert upstream.state()["open_streams"] == 1
    assert len(list(client.read_pieces(reply))) == 1003
    assert reply.is_whole


def test_a_reader_that_sleeps_and_leaves(client: Client, upstream: UpstreamEmulator) -> None:
    client.send("POST", STREAM, chat_body("[[chunks n=100000 size=3000]]"))
    client.read_head()
    upstream.wait_until(lambda _: pending_bytes(upstream) > 65536)
    client.close()
    assert upstream.wait_until(lambda state: state["open_streams"] == 0)["stopped_early"] == 1


def test_an_ordinary_client_understands_it(upstream: UpstreamEmulator) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(upstream.url + REFRESH, json={}, headers=signed_headers("demo-ann"), timeout=5)
        token = answer.json()["result"]["access_token"]
        answer = session.post(
            upstream.url + STREAM,
            json=chat_body("你好"),
            headers=signed_headers(token),
            stream=True,
            timeout=5,
        )
        assert "第 1 轮" in answer.content.decode()


def test_a_mistake_inside_costs_one_answer(
    client: Client, upstream: UpstreamEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(upstream._world, "snapshot", fail)
    assert client.call("GET", "/_emulator/state", headers={}).status == 500
    monkeypatch.undo()
    assert upstream.state()["internal_errors"] == 1
    upstream.reset()


def test_writing_on_to_a_client_that_left_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """asyncio complains of it in the terminal of who tries the gateway out."""

    async def write_on() -> None:
        ours, theirs = socket.socketpair()
        exchanges: list[Exchange] = []
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: Connection(exchanges.append, set()), sock=ours
        )
        theirs.sendall(STATE)
        while not exchanges:
            await asyncio.sleep(0)
        exchanges[0].open_stream()
        theirs.close()
        for _ in range(20):
            exchanges[0].write(b"x" * 100_000)
        transport.abort()

    asyncio.run(write_on())
    assert caplog.text == ""
