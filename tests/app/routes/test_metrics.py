"""/metrics: nothing without METRICS_KEY, nothing for others, and labels that callers cannot make."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.app.routes.conftest import Connect
from tests.app.routes.test_door import bearer, check_error

KEY = "metrics-key-of-the-operator"


def scrape(client: FlaskClient) -> str:
    answer = client.get("/metrics", headers=bearer(KEY))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in answer.headers
    return answer.text


@pytest.mark.parametrize("headers", [{}, bearer("demo-a"), bearer(KEY)])
def test_without_a_key_there_is_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    check_error(client.get("/metrics", headers=headers), 404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [{}, bearer(KEY[:-1]), bearer(f"{KEY}x"), bearer("é"), {"Authorization": f"Basic {KEY}"}, bearer("")],
)
def test_a_wrong_key_is_refused(connect: Connect, headers: dict[str, str]) -> None:
    answer = connect(METRICS_KEY=KEY).get("/metrics", headers=headers)
    check_error(answer, 401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_key_opens_nothing_else(connect: Connect) -> None:
    """Neither is a refresh token, or a gateway key, good for the metrics."""
    gateway_key = "glm-" + "k" * 43
    client = connect(
        METRICS_KEY=KEY, GLM_REFRESH_TOKENS="demo-one", GATEWAY_API_KEYS=f"x={gateway_key};admin"
    )
    check_error(client.get("/v1/models", headers=bearer(KEY)), 401, "invalid_api_key")
    check_error(client.get("/metrics", headers=bearer(gateway_key)), 401, "invalid_api_key")


def test_what_callers_send_makes_no_labels(connect: Connect) -> None:
    client = connect(METRICS_KEY=KEY)
    for number in range(20):
        client.get(f"/v1/models/made-up-{number}", headers=bearer("demo-a")).close()
        client.get(f"/made-up-{number}?q=made-up").close()
        client.open("/v1/models", method=f"MADE-UP-{number}").close()
        client.options(f"/v1/models/made-up-{number}").close()
    text = scrape(client)
    assert "made-up" not in text.lower()
    assert "demo-a" not in text
    requests = dict(re.findall(r"^glm_requests_total\{(.*)\} (.*)$", text, re.MULTILINE))
    assert requests == {
        'outcome="not_found",route="/v1/models/<name>"': "20.0",
        'outcome="not_found",route="unknown"': "20.0",
        'outcome="method_not_allowed",route="unknown"': "20.0",
        'outcome="ok",route="preflight"': "20.0",
    }
