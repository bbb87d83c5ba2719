"""What comes instead of a stream: compressed bytes, refusals, pages, floods, broken bodies."""

from __future__ import annotations

import gzip
import socket

import pytest

from app.core.errors import (
    AccessRejected,
    GatewayError,
    ShuttingDown,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.upstream.body import BodyReader
from tests.app.upstream.connected import FRAME, against, ask, connected, stream
from tests.app.upstream.scripted import Play, ScriptedServer, answer


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"zstd", b"deflate"])
def test_a_compressed_stream_is_refused(encoding: bytes) -> None:
    packed = stream(gzip.compress(FRAME), b"Content-Encoding: " + encoding)
    with against([packed]) as (client, server):
        with pytest.raises(UpstreamInvalid, match="compressed"):
            ask(client)
        assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_compressed_refusal_is_read() -> None:
    body = gzip.compress(b'{"status":10061,"message":"too many"}')
    refusal = answer(body, b"Content-Encoding: gzip", status=b"429 Slow Down")
    with against([refusal]) as (client, _), pytest.raises(UpstreamThrottled):
        ask(client)


HTML = b"<html><title>secret page</title></html>"
REFUSALS: list[tuple[Play, type[GatewayError]]] = [
    (answer(HTML, kind=b"text/html"), UpstreamInvalid),
    (answer(HTML, kind=b"text/html", status=b"405 No"), UpstreamInvalid),
    (answer(HTML, kind=b"text/html", status=b"502 Bad"), UpstreamUnreachable),
    (answer(HTML, kind=b"text/html", status=b"429 Slow"), UpstreamThrottled),
    (answer(HTML, kind=b"text/html", status=b"401 Who"), UpstreamUnreachable),
    (answer(b'{"message":"x"}', status=b"401 Who"), AccessRejected),
    (answer(b'{"status":40103,"message":"user needs login"}'), AccessRejected),
    (answer(b'{"status":0,"message":"success"}'), GatewayError),
    (answer(b""), UpstreamInvalid),
    (answer(b"[" * 100_000), UpstreamInvalid),
    (answer(b"\xff\xfe"), UpstreamInvalid),
    (answer(FRAME, status=b"500 Oh", kind=b"text/event-stream"), UpstreamUnreachable),
]


@pytest.mark.parametrize(("refusal", "expected"), REFUSALS, ids=range(len(REFUSALS)))
def test_what_is_no_stream_is_an_error(refusal: Play, expected: type[GatewayError]) -> None:
    with against([refusal]) as (client, _):
        with pytest.raises(expected) as raised:
            ask(client)
        assert "secret" not in raised.value.message


@pytest.mark.parametrize(
    "body", [b'{"status":0}', b'{"status":0,"result":[]}', b'{"status":0,"result":{"access_token":5}}']
)
def test_a_refresh_without_a_token_is_invalid(body: bytes) -> None:
    with (
        ScriptedServer([answer(body)]) as server,
        connected(server) as client,
        pytest.raises(UpstreamInvalid),
    ):
        client.refresh("r")


def test_a_refusal_that_never_ends_is_not_read_for_ever() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            pass

    with against([flood]) as (client, _), pytest.raises(UpstreamInvalid):
        ask(client)


def test_a_refusal_that_breaks_off() -> None:
    head = b"HTTP/1.1 429 No\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

    def break_off(connection: socket.socket) -> None:
        connection.sendall(head + b'{"status":')

    with against([break_off]) as (client, _), pytest.raises(UpstreamUnreachable):
        ask(client)


def test_what_is_thrown_into_a_read_is_not_mistaken_for_a_broken_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deadline or a shutdown meets the request wherever it waits."""

    def interrupted(*_: object, **__: object) -> bytes:
        raise ShuttingDown("the time is over")

    monkeypatch.setattr(BodyReader, "read", interrupted)
    with against([answer(b"{}")]) as (client, _), pytest.raises(ShuttingDown):
        client.refresh("r")
