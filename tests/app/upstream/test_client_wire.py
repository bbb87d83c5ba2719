"""The client against what only a script answers: redirects, cookies, compression, broken connections."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from app.config import Settings
from app.errors import (
    AccessRejected,
    GatewayError,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from app.token import AccessToken
from app.upstream.client import _BROWSER_HEADERS, UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest, build_stream_body
from app.upstream.stream import UpstreamStream
from tests.app.upstream.scripted import Play, ScriptedServer, answer, hang_up, reset

SECRET = Settings().sign_secret
TOKEN = AccessToken("secret-access", 0.0, "0123456789abcdef0123456789abcdef")
QUESTION = StreamRequest("你好")
FRAME = b'data: {"conversation_id":"c","status":"finish","parts":[]}\n\n'
REFRESHED = answer(b'{"status":0,"result":{"access_token":"a.b.c","refresh_token":"r","user_id":"u"}}')


def stream(body: bytes = FRAME, *headers: bytes) -> Play:
    """A chunked event stream, kept alive."""
    return answer_chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), *headers)


def answer_chunked(framed: bytes, *headers: bytes) -> Play:
    lines = [b"HTTP/1.1 200 OK", b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked", *headers]
    return lambda connection: connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + framed)


@contextmanager
def connected(server: ScriptedServer, *, proxy: str | None = None) -> Iterator[UpstreamClient]:
    client = UpstreamClient(UpstreamAddress(server.url, SECRET, proxy, 5))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def against(*scripts: Sequence[Play]) -> Iterator[tuple[UpstreamClient, ScriptedServer]]:
    """A client, and the server that answers it."""
    with ScriptedServer(*scripts) as server, connected(server) as client:
        yield client, server


def ask(client: UpstreamClient, *, timeout_seconds: float = 5) -> UpstreamStream:
    return client.open_stream(TOKEN, QUESTION, timeout_seconds=timeout_seconds)


def ask_all(client: UpstreamClient) -> int:
    """How many frames one whole answer had."""
    opened, frames = ask(client), 0
    while not opened.ended:
        frames += len(opened.read(5) or ())
    opened.close(is_over=True)
    return frames


def read_headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_what_a_question_looks_like_on_the_wire() -> None:
    with against([stream()]) as (client, server):
        ask_all(client)
    (request,) = server.requests
    assert request.startswith(b"POST /chatglm/backend-api/assistant/stream HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + build_stream_body(QUESTION))
    headers = read_headers(request)
    assert headers["authorization"] == "Bearer secret-access"
    assert headers["x-device-id"] == TOKEN.device_id
    assert headers["accept"] == "text/event-stream"
    assert headers["host"] == server.url.removeprefix("http://")
    assert "cookie" not in headers
    for name in ("x-nonce", "x-request-id", "x-sign"):
        assert re.fullmatch(r"[0-9a-f]{32}", headers[name])
    assert headers["x-nonce"] != headers["x-request-id"]
    for name, value in _BROWSER_HEADERS.items():
        assert headers[name.lower()] == value


def test_every_call_is_signed_anew() -> None:
    with against([stream(), stream()]) as (client, server):
        ask_all(client)
        ask_all(client)
    one, two = map(read_headers, server.requests)
    assert one["x-sign"] != two["x-sign"]
    assert one["x-device-id"] == two["x-device-id"]


def test_a_refresh_token_travels_in_its_header_alone() -> None:
    with against([REFRESHED]) as (client, server):
        tokens = client.refresh("secret-refresh")
    assert (tokens.access_token.value, tokens.refresh_token, tokens.user_id) == ("a.b.c", "r", "u")
    (request,) = server.requests
    assert request.startswith(b"POST /chatglm/user-api/user/refresh HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n{}")
    assert request.count(b"secret-refresh") == 1
    assert read_headers(request)["authorization"] == "Bearer secret-refresh"


def test_one_account_has_one_device() -> None:
    with against([REFRESHED] * 3) as (client, server):
        for token in ("one", "one", "two"):
            client.refresh(token)
    first, again, other = (read_headers(request)["x-device-id"] for request in server.requests)
    assert first == again != other


OLD_SPELLING = answer(b'{"code":0,"result":{"accessToken":"old"}}')


@pytest.mark.parametrize("missing", [b"404 Not Found", b"405 Method Not Allowed"])
def test_the_paths_of_2024_are_asked_second(missing: bytes) -> None:
    gone = answer(b"<html></html>", status=missing, kind=b"text/html")
    with against([gone, OLD_SPELLING]) as (client, server):
        assert client.refresh("r").access_token.value == "old"
    paths = [request.split(b" ")[1] for request in server.requests]
    assert paths == [b"/chatglm/user-api/user/refresh", b"/chatglm/backend-api/v1/user/refresh"]


def test_a_deletion_names_what_is_deleted() -> None:
    gone = answer(b"", status=b"404 Not Found")
    done = answer(b'{"status":0,"result":null}')
    with against([gone, done]) as (client, server):
        client.delete_conversation(TOKEN, "c1", "a1")
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in server.requests]
    assert bodies == [
        {"conversation_ids": ["c1"], "assistant_id": "a1"},
        {"conversation_id": "c1", "assistant_id": "a1"},
    ]
    assert [request.split(b" ")[1] for request in server.requests] == [
        b"/chatglm/mainchat-api/conversation/bulk_delete",
        b"/chatglm/backend-api/assistant/conversation/delete",
    ]


CALLS: list[Callable[[UpstreamClient], object]] = [
    ask,
    lambda client: client.refresh("secret-refresh"),
    lambda client: client.delete_conversation(TOKEN, "c", "a"),
]


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Again", b"308 For ever"]
)
@pytest.mark.parametrize("call", CALLS, ids=["stream", "refresh", "delete"])
def test_redirects_are_never_followed(status: bytes, call: Callable[[UpstreamClient], object]) -> None:
    with ScriptedServer([stream()]) as elsewhere:
        moved = answer(b"", b"Location: " + elsewhere.url.encode() + b"/x", status=status)
        with against([moved]) as (client, server), pytest.raises(UpstreamInvalid) as raised:
            call(client)
        assert "secret" not in str(raised.value)
    assert (server.connections, elsewhere.connections) == (1, 0)


def test_cookies_are_neither_kept_nor_sent() -> None:
    cookie = b"Set-Cookie: chatglm_token=secret; Path=/; Domain=127.0.0.1"
    with against([stream(FRAME, cookie), stream(FRAME, cookie)]) as (client, server):
        ask_all(client)
        ask_all(client)
    assert server.connections == 1
    assert all("cookie" not in read_headers(request) for request in server.requests)


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
    (answer(HTML, kind=b"text/html", status=b"401 Who"), AccessRejected),
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


def test_a_refusal_gives_its_connection_back() -> None:
    refusal = answer(b'{"status":10061,"message":"x"}', status=b"429 Slow")
    with against([refusal, refusal, stream()]) as (client, server):
        for _ in range(2):
            with pytest.raises(UpstreamThrottled):
                ask(client)
        assert ask_all(client) == 1
    assert server.connections == 1


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
        released.wait(5)

    with against([wait], [stream()]) as (client, server):
        begun = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            ask(client, timeout_seconds=0.1)
        assert time.monotonic() - begun < 2
        released.set()
    assert server.connections == 1


def test_nobody_listens() -> None:
    with ScriptedServer() as server:
        pass
    with connected(server) as client, pytest.raises(UpstreamUnreachable):
        ask(client)


def test_a_refusal_that_breaks_off() -> None:
    head = b"HTTP/1.1 429 No\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"

    def break_off(connection: socket.socket) -> None:
        connection.sendall(head + b'{"status":')

    with against([break_off]) as (client, _), pytest.raises(UpstreamUnreachable):
        ask(client)


def test_the_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's own proxies are never used, GLM_PROXY is."""
    with ScriptedServer([stream()]) as proxy, ScriptedServer([stream()]) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with connected(server) as client:
            ask_all(client)
        assert (server.connections, proxy.connections) == (1, 0)
        with connected(server, proxy=proxy.url) as client:
            ask_all(client)
        assert (server.connections, proxy.connections) == (1, 1)
    assert proxy.requests[0].startswith(b"POST " + server.url.encode() + b"/chatglm/")


def test_streams_share_nothing() -> None:
    """Two at a time are two connections; both serve again."""
    with against([stream(), stream()], [stream(), stream()]) as (client, server):
        for _ in range(2):
            one, two = ask(client), ask(client)
            for opened in (one, two):
                assert len(opened.read(5) or ()) == 1
                opened.close(is_over=True)
        assert server.connections == 2
    assert len(server.requests) == 4


def test_a_stream_left_in_the_middle_closes_its_connection() -> None:
    closed = threading.Event()

    def watch(connection: socket.socket) -> None:
        answer_chunked(b"%x\r\n%b\r\n" % (len(FRAME), FRAME))(connection)
        if connection.recv(1) == b"":
            closed.set()

    with against([watch], [stream()]) as (client, server):
        opened = ask(client)
        assert len(opened.read(5) or ()) == 1
        opened.close()
        assert closed.wait(2)
        assert ask_all(client) == 1
        assert server.connections == 2
