"""What comes of credentials that open nothing: the operator's own secrets, made-up tokens, wrong keys."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from app.logs import redactor
from app.routes.peer import warn_of_proxy
from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import ADMIN, CHAT, KEY, QUESTION, WITH_KEYS, bearer, check_error
from upstream_emulator.emulator import UpstreamEmulator


@pytest.mark.parametrize("spelt", ["demo-a,{}", "{},demo-a", '"{}"', "demo-a, {}"])
def test_the_key_of_the_metrics_goes_nowhere_among_others(
    connect: Connect, upstream: UpstreamEmulator, spelt: str
) -> None:
    """In a list, in the body of a token check, in the other header that keys come in."""
    key = "m1" * 16
    client = connect(METRICS_KEY=key)
    value = spelt.format(key)
    check_error(client.post(CHAT, json=QUESTION, headers=bearer(value)), 401, "invalid_api_key")
    check_error(client.post("/token/check", json={"token": value}), 400, "invalid_value")
    both = bearer("demo-a") | {"x-api-key": value}
    check_error(client.post(CHAT, json=QUESTION, headers=both), 401, "invalid_api_key")
    assert upstream.requests() == []


def test_no_gateway_key_goes_upstream(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect(**WITH_KEYS, GLM_PASS_THROUGH="1")
    for value in (KEY, f"demo-one,{ADMIN}", f"'{ADMIN}'"):
        check_error(
            client.post("/token/check", json={"token": value}, headers=bearer(KEY)), 400, "invalid_value"
        )
    spelt = {"x-api-key": f"demo-one,{ADMIN}"}
    check_error(client.post(CHAT, json=QUESTION, headers=spelt), 401, "invalid_api_key")
    assert upstream.requests() == []


def made_up(number: int) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.eyJub2JvZHkiOnt9fQ.{number:043}"


@pytest.mark.parametrize("path", [CHAT, "/token/check"])
def test_made_up_tokens_are_counted_by_address(
    connect: Connect, upstream: UpstreamEmulator, path: str
) -> None:
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
    assert known.pool._registry.kept == 2, "nothing is kept of what was made up"


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
        assert repr(known.caller_stats) == f"<CallerStats callers={kept}>"
        assert known.pool._registry.kept == 2 * kept, "a token beside one that was accepted is"


def test_nothing_is_learnt_from_who_is_locked_out(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    wrong = [f"glm-wrong-key-of-somebody-{number:020}" for number in range(20)]
    statuses = []
    for key in wrong:
        with client.get("/v1/models", headers=bearer(key)) as answer:
            statuses.append(answer.status_code)
    assert statuses == [401] * 10 + [429] * 10
    known = [redactor.redact(key) == "[secret]" for key in wrong]
    assert known == [True] * 10 + [False] * 10
