"""What the client sends, and what it never does: follow redirects, keep cookies, ask a stray proxy."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import pytest

from app.core.errors import (
    AccessRejected,
    GatewayError,
    ModelNotFound,
    UpstreamInvalid,
    UpstreamThrottled,
    UpstreamUnreachable,
)
from app.upstream.client import UpstreamClient
from app.upstream.header import BROWSER_HEADERS
from app.upstream.request import build_stream_body
from tests.app.upstream.connected import (
    FRAME,
    OLD_SPELLING,
    QUESTION,
    TOKEN,
    against,
    ask,
    ask_all,
    connected,
    stream,
)
from tests.app.upstream.scripted import Play, ScriptedServer, answer

REFRESHED = answer(b'{"status":0,"result":{"access_token":"a.b.c","refresh_token":"r","user_id":"u"}}')


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
    for name, value in BROWSER_HEADERS.items():
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


@pytest.mark.parametrize("missing", [b"404 Not Found", b"405 Method Not Allowed"])
def test_the_paths_of_2024_are_asked_second(missing: bytes) -> None:
    gone = answer(b"<html></html>", status=missing, kind=b"text/html")
    with against([gone, OLD_SPELLING]) as (client, server):
        assert client.refresh("r").access_token.value == "old"
    paths = [request.split(b" ")[1] for request in server.requests]
    assert paths == [b"/chatglm/user-api/user/refresh", b"/chatglm/backend-api/v1/user/refresh"]


DELETIONS = [
    (b"/chatglm/mainchat-api/conversation/bulk_delete", {"conversation_ids": ["c1"], "assistant_id": "a1"}),
    (b"/chatglm/mainchat-api/conversation/delete", {"conversation_id": "c1"}),
    (
        b"/chatglm/backend-api/assistant/conversation/delete",
        {"conversation_id": "c1", "assistant_id": "a1"},
    ),
]
DONE = answer(b'{"status":0,"result":null}')
DEAD = [
    answer(b"", status=b"404 Not Found"),
    answer(b'{"status":40001,"message":"bad request"}', status=b"400 Bad Request"),
    answer(b"<html>", status=b"400 Bad Request", kind=b"text/html"),
    answer(b'{"status":10001,"message":"x","result":null}'),
]


def read_deletions(server: ScriptedServer) -> list[tuple[bytes, object]]:
    return [
        (request.split(b" ")[1], json.loads(request.partition(b"\r\n\r\n")[2])) for request in server.requests
    ]


@pytest.mark.parametrize("dead", DEAD)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_deletion_names_what_is_deleted_in_each_of_three_calls(dead: Play, count: int) -> None:
    """Protocol notes 0.2 row 12."""
    with against([*[dead] * count, DONE]) as (client, server):
        client.delete_conversation(TOKEN, "c1", "a1")
    assert read_deletions(server) == DELETIONS[: count + 1]


@pytest.mark.parametrize("dead", DEAD)
def test_a_deletion_that_no_call_does_is_told(dead: Play) -> None:
    with against([dead] * 3) as (client, server), pytest.raises(GatewayError):
        client.delete_conversation(TOKEN, "c1", "a1")
    assert read_deletions(server) == DELETIONS


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (answer(b'{"status":40103,"message":"user needs login"}', status=b"401 No"), AccessRejected),
        (answer(b'{"status":10061,"message":"x"}', status=b"429 Slow"), UpstreamThrottled),
        (answer(b'{"status":500,"message":"x"}', status=b"500 Oh"), UpstreamUnreachable),
    ],
)
def test_what_any_call_would_meet_is_met_once(refusal: Play, error: type[GatewayError]) -> None:
    with against([refusal]) as (client, server), pytest.raises(error):
        client.delete_conversation(TOKEN, "c1", "a1")
    assert (len(server.requests), server.connections) == (1, 1)


@pytest.mark.parametrize("ids", [("", "a1"), ("c1", ""), ("", ""), (" ", "a1"), ("c1", "\t")])
def test_nothing_is_deleted_that_has_no_name(ids: tuple[str, str]) -> None:
    """Without one of the ids a bulk deletion means the whole history."""
    with against() as (client, server), pytest.raises(UpstreamInvalid):
        client.delete_conversation(TOKEN, *ids)
    assert server.requests == []


def test_the_device_of_a_refresh_is_the_tokens_own() -> None:
    """Protocol notes 0.2 row 19."""
    payload = (
        base64.urlsafe_b64encode(b'{"type":"refresh","device_id":"0123456789abcdef"}').decode().rstrip("=")
    )
    with against([REFRESHED]) as (client, server):
        client.refresh(f"e30.{payload}.s")
    assert read_headers(server.requests[0])["x-device-id"] == "0123456789abcdef"


@pytest.mark.parametrize("is_guest", [True, False])
def test_a_refresh_says_whether_the_token_is_a_visitors(*, is_guest: bool) -> None:
    """Protocol notes 0.2 row 2."""
    result = json.dumps({"status": 0, "result": {"access_token": "a.b.c", "is_guest": is_guest}})
    with against([answer(result.encode())]) as (client, _):
        assert client.refresh("r").is_guest is is_guest


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (b"401 No", b'{"status":40102,"message":"unauthorized user"}', AccessRejected),
        (b"400 Bad", b'{"status":40001,"message":"bad request"}', UpstreamInvalid),
        (b"400 Bad", b'{"status":40011,"message":"bad request"}', UpstreamInvalid),
    ],
)
def test_refusals_of_a_refresh(status: bytes, body: bytes, error: type[GatewayError]) -> None:
    """Protocol notes 0.2 row 1."""
    with against([answer(body, status=status)]) as (client, _), pytest.raises(error):
        client.refresh("r")


def test_an_assistant_that_nobody_has() -> None:
    """Protocol notes 0.2 row 4."""
    with against([answer(b'{"status":0,"result":null}')]) as (client, _), pytest.raises(ModelNotFound):
        ask(client)


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
