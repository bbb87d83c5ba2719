"""The shape of the product: every door has its lock, every error its status."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from flask import Flask

from app.config import Settings
from app.core import errors
from app.core.errors import GatewayError
from app.core.reported_error import choose_reported
from app.factory import create_app
from app.formats.openai_error import encode_error, find_type
from app.routes.services import EXTENSION
from app.state import MEMORY

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GatewayError)]


@pytest.fixture(scope="module")
def app() -> Iterator[Flask]:
    app = create_app(Settings(state_path=MEMORY, upstream_url="http://127.0.0.1:9"))
    yield app
    app.extensions[EXTENSION].stop(0)


def test_every_v1_route_asks_for_credentials(app: Flask) -> None:
    client = app.test_client()
    asked = 0
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/v1/"):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                url = rule.rule.replace("<name>", "x").replace("<conversation_id>", "x")
                answer = client.open(url, method=method)
                assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "invalid_api_key"), (
                    rule
                )
                asked += 1
    assert asked >= 6


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_an_openai_error(kind: type[GatewayError]) -> None:
    assert 400 <= kind.status < 600
    error = json.loads(encode_error(kind("words", param="here")))["error"]
    assert error.pop("message").startswith("words ")
    assert error == {"type": find_type(kind.status), "param": "here", "code": kind.code}


def test_only_failures_of_an_account_or_the_upstream_move_on() -> None:
    # An assistant may be shown to its maker alone, so that another account may know it.
    final = [kind for kind in ERRORS if kind is not errors.ModelNotFound]
    assert all(
        not kind("").try_next_account for kind in final if kind.status in (400, 403, 404, 405, 409, 413, 500)
    )


def test_waiting_wins_over_giving_up() -> None:
    seen = [
        errors.AccountExpired(""),
        errors.UpstreamError(""),
        errors.UpstreamTimeout(""),
        errors.UpstreamBusy(""),
    ]
    assert choose_reported(seen) is seen[3]
    assert choose_reported(seen[:3]) is seen[2]
    throttled = errors.UpstreamThrottled("")
    assert choose_reported([*seen, throttled]) is throttled


def test_the_log_gives_a_mistake_of_ours_and_the_answer_does_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("inner workings")

    monkeypatch.setattr(app.extensions["glm-api"].pool, "describe", fail)
    answer = app.test_client().get("/v1/accounts", headers={"Authorization": "Bearer demo-a"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "internal_error")
    assert "inner workings" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1//models",
        "//v1///models",
        "/v1/models/",
        "/v1/v1/models",
        "/v1//v1/v1/models//",
        "/models",
        "//models/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_no_path_of_the_api_redirects(app: Flask, path: str, method: str) -> None:
    """The same answer as without the slip, from the door to the headers that browsers look for."""
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    client = app.test_client()
    straight = client.open("/v1/models", method=method, headers=headers)
    answer = client.open("/", method=method, headers=headers, environ_overrides={"PATH_INFO": path})
    assert answer.status_code == straight.status_code != 404
    assert {name for name, _ in answer.headers} == {name for name, _ in straight.headers}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/docs/", "/ping/", "/page//page.css", "//metrics", "/token//check", "/x/v1/models"],
)
def test_every_other_path_is_exact(app: Flask, path: str) -> None:
    answer = app.test_client().get("/", environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")
