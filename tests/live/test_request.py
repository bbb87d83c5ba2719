"""Rubbish in, a clear OpenAI error out: never a 500, never a hang. And the doors around the chat."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from demo.gateway import GatewayFailed, GatewayProcess
from tests.eventually import eventually
from tests.live.conftest import StartGateway, count_asked
from upstream_emulator.emulator import UpstreamEmulator

CHAT = "/v1/chat/completions"
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "你好"}]

BAD_BODIES: list[tuple[str, bytes, int, str | None]] = [
    ("no json", b"{", 400, None),
    ("empty body", b"", 400, None),
    ("a list", b"[]", 400, None),
    ("no messages", b"{}", 400, "messages"),
    ("empty messages", b'{"messages": []}', 400, "messages"),
    ("blank text", b'{"messages": [{"role": "user", "content": "  "}]}', 400, "messages"),
    ("wrong role", b'{"messages": [{"role": "boss", "content": "x"}]}', 400, "messages.0.role"),
    ("content a number", b'{"messages": [{"role": "user", "content": 7}]}', 400, "messages.0.content"),
    (
        "part without its text",
        b'{"messages": [{"role": "user", "content": [{"type": "text"}]}]}',
        400,
        "messages.0.content.0.text",
    ),
    (
        "image url a number",
        b'{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": 1}}]}]}',
        400,
        "messages.0.content.0.image_url.url",
    ),
    ("a string for a number", b'{"messages": [], "temperature": "[undefined]"}', 400, "temperature"),
    ("NaN", b'{"messages": [], "temperature": NaN}', 400, None),
    ("invalid UTF-8", b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', 400, None),
    ("deep nesting", b'{"metadata": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", 400, None),
    ("two answers", json.dumps({"messages": HELLO, "n": 2}).encode(), 400, "n"),
    ("logprobs", json.dumps({"messages": HELLO, "logprobs": True}).encode(), 400, "logprobs"),
    (
        "a prompt of 20 MB",
        b'{"messages": [{"role": "user", "content": "' + b"x" * 20_000_000 + b'"}]}',
        400,
        "messages",
    ),
    ("too large", b" " * (25 * 1024 * 1024), 413, None),
]  # fmt: skip


def post(gateway: GatewayProcess, body: bytes, path: str = CHAT, **headers: str) -> requests.Response:
    headers = {"Authorization": "Bearer demo-bad-input"} | headers
    return requests.post(gateway.url + path, data=body, headers=headers, timeout=30)


def is_openai_error(answer: requests.Response) -> dict[str, Any]:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return dict(error)


@pytest.mark.parametrize(("body", "status", "param"), [case[1:] for case in BAD_BODIES],
                         ids=[case[0] for case in BAD_BODIES])  # fmt: skip
def test_a_bad_body(
    gateway: GatewayProcess, upstream: UpstreamEmulator, body: bytes, status: int, param: str | None
) -> None:
    answer = post(gateway, body)
    assert answer.status_code == status
    assert is_openai_error(answer)["param"] == param
    assert count_asked(upstream) == {}


def test_unknown_fields_are_ignored(gateway: GatewayProcess) -> None:
    body = json.dumps({"messages": HELLO, "from_the_future": {"a": [1]}, "tools": [], "top_p": 1}).encode()
    assert post(gateway, body).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer  ", "Bearer ,,", "Basic abc", "demo-a", "Bearer a b", "Bearer dé"]
)
def test_bad_credentials(gateway: GatewayProcess, header: str) -> None:
    body = json.dumps({"messages": HELLO}).encode()
    answer = requests.post(
        gateway.url + CHAT, data=body, headers={"Authorization": header.encode("latin-1")}, timeout=30
    )
    assert answer.status_code == 401
    assert is_openai_error(answer)["code"] == "invalid_api_key"


def test_no_credentials(gateway: GatewayProcess) -> None:
    assert requests.get(f"{gateway.url}/v1/models", timeout=30).status_code == 401


def test_wrong_method_and_unknown_path(gateway: GatewayProcess) -> None:
    headers = {"Authorization": "Bearer demo-x"}
    wrong = requests.get(gateway.url + CHAT, headers=headers, timeout=30)
    assert (wrong.status_code, is_openai_error(wrong)["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]
    unknown = requests.get(f"{gateway.url}/v2/secret", headers=headers, timeout=30)
    assert (unknown.status_code, is_openai_error(unknown)["code"]) == (404, "not_found")


def test_preflight_comes_before_the_door(gateway: GatewayProcess) -> None:
    headers = {
        "Origin": "https://chat.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os",
    }
    answer = requests.options(gateway.url + CHAT, headers=headers, timeout=30)
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, POST"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "x-stainless-os"))


def test_cors_is_for_the_api_alone(gateway: GatewayProcess, start_gateway: StartGateway) -> None:
    headers = {"Origin": "https://chat.example.org", "Authorization": "Bearer demo-x"}
    models = requests.get(f"{gateway.url}/v1/models", headers=headers, timeout=30)
    assert models.headers["Access-Control-Allow-Origin"] == "*"
    assert models.headers["Access-Control-Expose-Headers"] == (
        "Request-Id, Retry-After, X-Request-Id, X-Should-Retry"
    )
    assert (
        "Access-Control-Allow-Origin"
        not in requests.get(f"{gateway.url}/ping", headers=headers, timeout=9).headers
    )
    strict = start_gateway(CORS_ORIGINS="https://other.example.org")
    refused = requests.get(f"{strict.url}/v1/models", headers=headers, timeout=30)
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_health_needs_no_credentials(gateway: GatewayProcess) -> None:
    assert requests.get(f"{gateway.url}/ping", timeout=30).text == "pong"
    for path in ("/health/live", "/health/ready"):
        assert requests.get(gateway.url + path, timeout=30).json()["status"] == "ok"


def test_models(gateway: GatewayProcess) -> None:
    answer = requests.get(
        f"{gateway.url}/v1/models", headers={"Authorization": "Bearer demo-x"}, timeout=30
    ).json()
    assert "glm-think" in [model["id"] for model in answer["data"]]
    assert {model["object"] for model in answer["data"]} == {"model"}


def test_token_check(gateway: GatewayProcess, upstream: UpstreamEmulator) -> None:
    for token, live in (("demo-checked", True), ("dead-checked", False), ("rubbish", False)):
        answer = requests.post(f"{gateway.url}/token/check", json={"token": token}, timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"live": live})
    for body in (b"", b"{}", b'{"token": 5}', b'{"token": " , "}'):
        answer = post(gateway, body, "/token/check")
        assert (answer.status_code, is_openai_error(answer)["param"]) == (400, "token")


def test_one_log_line_a_request(gateway: GatewayProcess) -> None:
    answer = post(gateway, json.dumps({"messages": HELLO, "stream": True}).encode())
    name = answer.headers["X-Request-Id"]
    eventually(lambda: name in gateway.log())
    (line,) = [line for line in gateway.log().splitlines() if name in line]
    for part in (
        "path=/v1/chat/completions",
        "status=200",
        "account=",
        "first_delta=",
        "frames=",
        "outcome=ok",
    ):
        assert part in line


def test_what_stands_in_a_path_is_not_logged(gateway: GatewayProcess) -> None:
    headers = {"Authorization": "Bearer demo-x"}
    answer = requests.get(f"{gateway.url}/v1/models/a-token-by-mistake", headers=headers, timeout=30)
    name = answer.headers["X-Request-Id"]
    eventually(lambda: name in gateway.log())
    assert " path=/v1/models/<name> " in gateway.log()
    assert "a-token-by-mistake" not in gateway.log()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GLM_IDLE_SECONDS", "soon"),
        ("GLM_UPSTREAM_URL", "chatglm.cn"),
        ("LOG_FORMAT", "xml"),
        ("WEB_CONCURRENCY", "2"),
        ("PORT", "http"),
        ("GLM_MAX_BODY_BYTES", "-1"),
        ("CORS_ORIGINS", "not an origin"),
        ("GLM_REFRESH_TOKENS", "demo-a"),
        ("GATEWAY_API_KEYS", "glm-key"),
    ],
)
def test_a_wrong_setting_ends_the_start(start_gateway: StartGateway, variable: str, value: str) -> None:
    with pytest.raises(GatewayFailed) as raised:
        start_gateway(**{variable: value})
    assert variable in str(raised.value)
    assert "Traceback" not in str(raised.value)
