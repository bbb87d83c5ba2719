"""Who comes in, and how those who do not are told; browsers; paths and methods that do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types import Model
from werkzeug.test import TestResponse

from app.core.model_name import MODELS
from tests.app.routes.conftest import Connect
from upstream_emulator.emulator import UpstreamEmulator

KEY, ADMIN = "glm-" + "k" * 43, "glm-" + "a" * 43
WITH_KEYS = {"GLM_REFRESH_TOKENS": "demo-one,demo-two", "GATEWAY_API_KEYS": f"x={KEY};rpm=3,y={ADMIN};admin"}
CHAT = "/v1/chat/completions"
QUESTION = {"messages": [{"role": "user", "content": "a"}]}


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def check_error(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """It is an OpenAI error with this status and code; returns what it says."""
    assert answer.status_code == status
    assert answer.content_type == "application/json"
    body = answer.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert body["error"]["code"] == code
    assert body["error"]["message"]
    assert len(answer.headers["X-Request-Id"]) == 32
    error: dict[str, Any] = body["error"]
    return error


@pytest.mark.parametrize("path", ["/ping", "/health/live", "/health/ready"])
def test_health_needs_no_credentials(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.text == "pong" or answer.get_json()["status"] == "ok"


def test_readiness_tells_of_the_state(connect: Connect, tmp_path: Path) -> None:
    """A file that does not work is no reason to be sent nobody."""
    assert connect().get("/health/ready").get_json() == {"status": "ok", "state": "in memory"}
    kept = connect(GLM_STATE_PATH=str(tmp_path / "state.sqlite3"))
    assert kept.get("/health/ready").get_json() == {"status": "ok", "state": "kept"}
    drain_file = tmp_path / "drain"
    drain_file.touch()
    answer = connect(GLM_DRAIN_FILE=str(drain_file)).get("/health/ready")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "draining")


def test_the_key_of_the_metrics_goes_nowhere_else(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect(METRICS_KEY="m" * 32)
    error = check_error(client.post(CHAT, json=QUESTION, headers=bearer("m" * 32)), 401, "invalid_api_key")
    assert "METRICS_KEY" in error["message"]
    assert client.get("/metrics", headers=bearer("m" * 32)).status_code == 200
    assert upstream.requests() == []


def test_a_proxy_password_may_be_any_text(connect: Connect) -> None:
    assert connect(GLM_PROXY="http://u:%E4%BD%A0%E5%A5%BD@127.0.0.1:9").get("/ping").status_code == 200


NO_CREDENTIALS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer ,,",
    "Basic ZGVtby1h",
    "demo-a",
    "Bearer a b",
    "Bearer d\u00e9",
]


@pytest.mark.parametrize("header", [None, *NO_CREDENTIALS])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("POST", CHAT)])
def test_no_credentials(client: FlaskClient, method: str, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.open(path, method=method, headers=headers)
    error = check_error(answer, 401, "invalid_api_key")
    assert error["type"] == "authentication_error"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_credentials_come_before_the_body(client: FlaskClient) -> None:
    check_error(client.post(CHAT, data=b"not json"), 401, "invalid_api_key")
    check_error(client.post(CHAT, data=b"not json", headers=bearer("demo-a")), 400, "invalid_value")


def test_models(client: FlaskClient) -> None:
    listed = client.get("/v1/models", headers=bearer("demo-a")).get_json()
    assert listed["object"] == "list"
    models = [Model.model_validate(model, strict=True) for model in listed["data"]]
    assert [model.id for model in models] == list(MODELS)
    for model in models:
        one = client.get(f"/v1/models/{model.id}", headers=bearer("demo-a")).get_json()
        assert Model.model_validate(one) == model
    error = check_error(client.get("/v1/models/gpt-9", headers=bearer("demo-a")), 404, "not_found")
    assert "gpt-9" in error["message"]


@pytest.mark.parametrize(
    "path", ["/page/nothing.js", "/v1", "/v1/", "/v2/chat/completions", "/v1/chat", "/v1/files", "/ping/"]
)
def test_unknown_paths(client: FlaskClient, path: str) -> None:
    for headers in ({}, bearer("demo-a")):
        check_error(client.get(path, headers=headers), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("PUT", CHAT, "POST"),
        ("POST", "/v1/models", "GET"),
        ("GET", "/token/check", "POST"),
    ],
)
def test_wrong_methods(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    answer = client.open(path, method=method, headers=bearer("demo-a"))
    check_error(answer, 405, "method_not_allowed")
    assert allowed in answer.headers["Allow"].split(", ")


def test_a_body_that_is_too_large(connect: Connect) -> None:
    client = connect(GLM_MAX_BODY_BYTES="100")
    answer = client.post(CHAT, data=b"x" * 101, headers=bearer("demo-a"))
    check_error(answer, 413, "request_too_large")


def test_request_ids_are_their_own(client: FlaskClient) -> None:
    assert len({client.get("/ping").headers["X-Request-Id"] for _ in range(5)}) == 5


PREFLIGHT = {
    "Origin": "https://chat.example.org",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type, x-stainless-os",
}


@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/token/check", "/v1/conversations/x"])
def test_preflight_is_answered_before_authentication(client: FlaskClient, path: str) -> None:
    answer = client.options(path, headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed == {"authorization", "content-type", "x-stainless-os"}


def test_errors_can_be_read_by_browsers_too(client: FlaskClient) -> None:
    for path in (CHAT, "/v1/nothing", "/token/check"):
        answer = client.post(path, headers={"Origin": "https://chat.example.org"})
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", "https://a.example"),
        ("https://b.example", "https://b.example"),
        ("https://c.example", None),
    ],
)
def test_only_these_origins(connect: Connect, origin: str, allowed: str | None) -> None:
    client = connect(CORS_ORIGINS="https://a.example, https://b.example")
    for answer in (
        client.options(CHAT, headers=PREFLIGHT | {"Origin": origin}),
        client.get("/v1/models", headers=bearer("demo-a") | {"Origin": origin}),
    ):
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert allowed is None or "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("setting", "origin", "comes_in"),
    [
        ("https://*.example.org", "https://chat.example.org", True),
        ("https://*.example.org", "https://chat.example.org.evil.example", False),
        ("http://[::1]:3000", "http://[::1]:3000", True),
        ("http://[::1]:3000", "http://:3000", False),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop", True),
        ("http://localhost:*", "http://localhost:5173", True),
    ],
)
def test_origins_are_texts_with_stars(connect: Connect, setting: str, origin: str, comes_in: bool) -> None:
    client = connect(CORS_ORIGINS=setting)
    answer = client.options(CHAT, headers=PREFLIGHT | {"Origin": origin})
    assert answer.headers.get("Access-Control-Allow-Origin") == (origin if comes_in else None)
    assert "Access-Control-Allow-Origin" not in client.get("/v1/models", headers=bearer("demo-a")).headers


def test_a_gateway_key_opens_and_a_refresh_token_does_not(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    assert client.get("/v1/models", headers=bearer(KEY)).status_code == 200
    for wrong in (KEY + "x", "demo-one", "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoicmVmcmVzaCJ9.c2ln"):
        error = check_error(client.get("/v1/models", headers=bearer(wrong)), 401, "invalid_api_key")
        assert wrong not in error["message"]


def test_a_limited_key_is_told_when_to_come_back(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    for _ in range(3):
        assert client.get("/v1/models", headers=bearer(KEY)).status_code == 200
    answer = client.get("/v1/models", headers=bearer(KEY))
    check_error(answer, 429, "rate_limit_exceeded")
    assert 50 <= int(answer.headers["Retry-After"]) <= 60


def test_accounts_are_shown_to_their_owner(client: FlaskClient) -> None:
    shown = client.get("/v1/accounts", headers=bearer("demo-a,demo-b")).get_json()
    assert [account["state"] for account in shown["data"]] == ["unknown", "unknown"]
    assert "demo" not in str(shown)


def test_accounts_of_the_operator_are_shown_to_admins_only(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    check_error(client.get("/v1/accounts", headers=bearer(KEY)), 403, "forbidden")
    assert len(client.get("/v1/accounts", headers=bearer(ADMIN)).get_json()["data"]) == 2


def test_conversations_of_nobody(client: FlaskClient) -> None:
    listed = client.get("/v1/conversations", headers=bearer("demo-a")).get_json()
    assert listed == {"object": "list", "data": []}
    answer = client.delete("/v1/conversations/unknown", headers=bearer("demo-a"))
    assert check_error(answer, 404, "conversation_not_found")["param"] == "id"
