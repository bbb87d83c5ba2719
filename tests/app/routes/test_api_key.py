"""x-api-key beside Authorization: the same rules for both, and Authorization where both came."""

from __future__ import annotations

import pytest

from app.logs import redactor
from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import ADMIN, CHAT, KEY, QUESTION, WITH_KEYS, bearer, check_error
from upstream_emulator.emulator import UpstreamEmulator


def api_key(value: str) -> dict[str, str]:
    return {"X-Api-Key": value}


@pytest.mark.parametrize("value", ["demo-a", "Bearer demo-a", '"demo-a"', " demo-a,demo-b "])
def test_refresh_tokens_come_in_either_header(connect: Connect, value: str) -> None:
    """Pasted as in the other one, and of one caller whichever they came in."""
    client = connect()
    assert client.post(CHAT, json=QUESTION, headers=api_key(value)).status_code == 200
    listed = client.get("/v1/conversations", headers=bearer(value)).get_json()
    assert len(listed["data"]) == 1
    assert client.get("/v1/conversations", headers=api_key(value)).get_json() == listed


@pytest.mark.parametrize("path", ["/v1/models", "/v1/accounts", "/v1/conversations"])
def test_gateway_keys_come_in_either_header(connect: Connect, path: str) -> None:
    client = connect(**WITH_KEYS)
    assert client.get(path, headers=api_key(ADMIN)).status_code == 200
    for wrong in (ADMIN + "x", f"demo-one,{ADMIN}"):
        check_error(client.get(path, headers=api_key(wrong)), 401, "invalid_api_key")


@pytest.mark.parametrize("value", ["", " ", ",", "d\u00e9", "a b"])
def test_what_holds_nothing_opens_nothing(connect: Connect, value: str) -> None:
    answer = connect().get("/v1/models", headers=api_key(value))
    check_error(answer, 401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("first", ["Bearer demo-other", "Basic ZGVtby1h", "Bearer", ""])
def test_authorization_wins_even_where_it_opens_nothing(
    connect: Connect, upstream: UpstreamEmulator, first: str
) -> None:
    """A balancer decides by the same rule: an account would meet two owners otherwise."""
    client = connect()
    answer = client.post(CHAT, json=QUESTION, headers={"Authorization": first} | api_key("demo-a"))
    assert answer.status_code == (200 if first == "Bearer demo-other" else 401)
    assert set(upstream.state()["accounts"]) <= {"other"}


def test_wrong_keys_are_counted_whichever_header_they_come_in(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    doors = [api_key, bearer] * 6
    wrong = [f"glm-wrong-key-in-one-of-two-{number:020}" for number in range(12)]
    statuses = []
    for door, key in zip(doors, wrong, strict=True):
        with client.get("/v1/models", headers=door(key)) as answer:
            statuses.append(answer.status_code)
    assert statuses == [401] * 10 + [429] * 2
    assert [redactor.redact(key) == "[secret]" for key in wrong] == [True] * 10 + [False] * 2


def test_a_limit_of_a_key_counts_both_headers(connect: Connect) -> None:
    client = connect(**WITH_KEYS)
    statuses = [
        client.get("/v1/models", headers=door(KEY)).status_code for door in (bearer, api_key, bearer, api_key)
    ]
    assert statuses == [200, 200, 200, 429]


def test_made_up_tokens_in_it_are_counted_by_address(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect()

    def send(number: int) -> int:
        token = f"eyJhbGciOiJIUzI1NiJ9.eyJub2JvZHkiOnt9fQ.{number:043}"
        return client.post(CHAT, json=QUESTION, headers=api_key(token)).status_code

    assert {send(number) for number in range(30)} == {401}
    asked = len(upstream.requests())
    assert send(30) == 429
    assert len(upstream.requests()) == asked


def test_the_key_of_the_metrics_opens_them_from_either_header(
    connect: Connect, upstream: UpstreamEmulator
) -> None:
    client = connect(METRICS_KEY="m1" * 16)
    assert client.get("/metrics", headers=api_key("m1" * 16)).status_code == 200
    check_error(client.get("/metrics", headers=api_key("m2" * 16)), 401, "invalid_api_key")
    both = bearer("demo-a") | api_key("m1" * 16)
    check_error(client.get("/metrics", headers=both), 401, "invalid_api_key")
    error = check_error(client.post(CHAT, json=QUESTION, headers=api_key("m1" * 16)), 401, "invalid_api_key")
    assert "METRICS_KEY" in error["message"]
    assert upstream.requests() == []


def test_browsers_may_send_what_both_sdks_send(connect: Connect) -> None:
    sent = {
        "authorization",
        "x-api-key",
        "anthropic-version",
        "anthropic-beta",
        "anthropic-dangerous-direct-browser-access",
        "content-type",
        "x-stainless-arch",
        "x-stainless-retry-count",
        "x-stainless-timeout",
        "openai-organization",
        "idempotency-key",
    }
    preflight = {
        "Origin": "https://chat.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": ", ".join(sorted(sent)),
    }
    answer = connect().options(CHAT, headers=preflight)
    assert answer.status_code == 200
    allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert allowed == sent


def test_browsers_may_read_what_both_sdks_read(connect: Connect) -> None:
    answer = connect().get("/v1/models", headers={"Origin": "https://chat.example.org"})
    exposed = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
    assert exposed == {"x-request-id", "request-id", "retry-after", "x-should-retry"}


def test_a_probe_of_the_base_address_is_answered(connect: Connect) -> None:
    answer = connect().head("/")
    assert (answer.status_code, answer.data) == (200, b"")
