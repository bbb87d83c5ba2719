"""Who comes in, and how those who do not are told; browsers; paths and methods that do not exist."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openai.types import Model
from werkzeug.test import TestResponse

from app.chat.mode import MODELS
from app.logs import redactor
from app.routes.peer import warn_of_proxy
from demo.upstream import DemoUpstream
from tests.app.routes.conftest import Connect

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
    assert answer.text == "pong" or answer.get_json() == {"status": "ok"}


def test_the_key_of_the_metrics_goes_nowhere_else(connect: Connect, upstream: DemoUpstream) -> None:
    client = connect(METRICS_KEY="m" * 32)
    error = check_error(client.post(CHAT, json=QUESTION, headers=bearer("m" * 32)), 401, "invalid_api_key")
    assert "METRICS_KEY" in error["message"]
    assert client.get("/metrics", headers=bearer("m" * 32)).status_code == 200
    assert upstream.requests() == []


@pytest.mark.parametrize("spelt", ["demo-a,{}", "{},demo-a", '"{}"', "demo-a, {}"])
def test_nor_among_others(connect: Connect, upstream: DemoUpstream, spelt: str) -> None:
    """In a list, in the body of a token check, in the other header that keys come in."""
    key = "m1" * 16
    client = connect(METRICS_KEY=key)
    value = spelt.format(key)
    check_error(client.post(CHAT, json=QUESTION, headers=bearer(value)), 401, "invalid_api_key")
    check_error(client.post("/token/check", json={"token": value}), 400, "invalid_value")
    both = bearer("demo-a") | {"x-api-key": value}
    check_error(client.post(CHAT, json=QUESTION, headers=both), 401, "invalid_api_key")
    assert upstream.requests() == []


def test_no_gateway_key_goes_upstream(connect: Connect, upstream: DemoUpstream) -> None:
    client = connect(**WITH_KEYS, GLM_PASS_THROUGH="1")
    for value in (KEY, f"demo-one,{ADMIN}", f"'{ADMIN}'"):
        check_error(
            client.post("/token/check", json={"token": value}, headers=bearer(KEY)), 400, "invalid_value"
        )
    check_error(client.post(CHAT, json=QUESTION, headers={"x-api-key": KEY}), 401, "invalid_api_key")
    assert upstream.requests() == []


def made_up(number: int) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.eyJub2JvZHkiOnt9fQ.{number:043}"


@pytest.mark.parametrize("path", [CHAT, "/token/check"])
def test_made_up_tokens_are_counted_by_address(connect: Connect, upstream: DemoUpstream, path: str) -> None:
    client = connect(TRUSTED_PROXIES="127.0.0.0/8")

    def send(token: str, address: str) -> TestResponse:
        body = {"token": token} if path == "/token/check" else QUESTION
        headers = {"X-Forwarded-For": address} | (bearer(token) if path == CHAT else {})
        return client.post(path, json=body, headers=headers)

    assert send("demo-real", "203.0.113.7").status_code == 200
    refused = {send(made_up(number), "203.0.113.7").status_code for number in range(30)}
    assert refused == ({401} if path == CHAT else {200})
    asked = len(upstream.requests())
    answer = send(made_up(30), "203.0.113.7")
    check_error(answer, 429, "rate_limit_exceeded")
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert len(upstream.requests()) == asked, "the upstream was not asked"
    assert send("demo-real", "203.0.113.7").status_code == 200, "it was accepted before"
    assert send("demo-other", "203.0.113.8").status_code == 200
    known = client.application.extensions["glm-api"]
    assert known.pool._register.kept == 2, "nothing is kept of what was made up"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_behind_a_proxy_that_nobody_named_nothing_is_counted(
    connect: Connect, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Everybody would be one. It is said once, when it is first seen."""
    client = connect(LOG_LEVEL="WARNING")
    warn_of_proxy.cache_clear()
    for number in range(40):
        headers = bearer(made_up(number)) | {name: "203.0.113.7"}
        check_error(client.post(CHAT, json=QUESTION, headers=headers), 401, "account_expired")
    assert capsys.readouterr().err.count("that TRUSTED_PROXIES does not name") == 1


def test_a_made_up_token_is_remembered_nowhere(connect: Connect) -> None:
    client, token = connect(), made_up(1)
    known = client.application.extensions["glm-api"]
    for credentials, status, kept in ((token, 401, 0), (f"demo-a,{token}", 200, 1)):
        with client.post(CHAT, json=QUESTION, headers=bearer(credentials)) as answer:
            assert answer.status_code == status
        assert repr(known.traffic) == f"<Traffic callers={kept}>"
        assert known.pool._register.kept == 2 * kept, "a token beside one that was accepted is"


def test_nothing_is_learnt_from_who_is_locked_out(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    wrong = [f"glm-wrong-key-of-somebody-{number:020}" for number in range(20)]
    statuses = [client.get("/v1/models", headers=bearer(key)).status_code for key in wrong]
    assert statuses == [401] * 10 + [429] * 10
    known = [redactor.redact(key) == "[secret]" for key in wrong]
    assert known == [True] * 10 + [False] * 10


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
