"""A failure speaks the format of the path that was asked, also where no route or method is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.errors import CredentialsRejected, GatewayError, UpstreamThrottled
from app.formats.format import ErrorEncoder
from app.formats.openai_error import encode_error
from app.metrics.counters import Counters
from app.routes.failure import FailurePages
from app.server import request_log
from app.server.active_requests import ActiveRequests, Limits

FAILURES: dict[str, BaseException] = {
    "credentials": CredentialsRejected("Who are you?"),
    "throttled": UpstreamThrottled("Slowly.", retry_after_seconds=1.2),
    "large": RequestEntityTooLarge(),
    "mistake": ZeroDivisionError("inner workings"),
}


def encode_plainly(error: GatewayError, request_id: str) -> bytes:
    return f"{error.status} {error.code} {request_id}".encode()


@pytest.fixture
def app() -> Iterator[Flask]:
    app, active = Flask(__name__), ActiveRequests(Limits(2, 60, 60))
    request_log.install(app, active, Counters())
    by_path: dict[str, ErrorEncoder] = {"/v2/": encode_plainly, "/v1/fail/": encode_error}
    FailurePages(by_path, {"plain-version": encode_plainly}, encode_error).install(app)

    def fail(name: str) -> str:
        raise FAILURES[name]

    for prefix in ("/v1/", "/v2/"):
        app.add_url_rule(f"{prefix}fail/<name>", prefix, fail, methods=["POST"])
    yield app
    active.close()


@pytest.mark.parametrize(
    ("path", "method", "said"),
    [
        ("fail/credentials", "POST", "401 invalid_api_key"),
        ("fail/throttled", "POST", "429 upstream_throttled"),
        ("fail/large", "POST", "413 request_too_large"),
        ("fail/mistake", "POST", "500 internal_error"),
        ("nothing", "GET", "404 not_found"),
        ("fail/x", "GET", "405 method_not_allowed"),
    ],
)
def test_each_path_has_its_format(app: Flask, path: str, method: str, said: str) -> None:
    status, code = said.split()
    answer = app.test_client().open(f"/v2/{path}", method=method)
    assert (answer.status_code, answer.text) == (int(status), f"{said} {answer.headers['Request-Id']}")
    answer = app.test_client().open(f"/v1/{path}", method=method)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (int(status), code)
    assert "inner" not in answer.text


def test_what_stands_in_the_head_is_the_same_in_every_format(app: Flask) -> None:
    for prefix in ("/v1/", "/v2/"):
        client = app.test_client()
        assert client.post(f"{prefix}fail/credentials").headers["WWW-Authenticate"] == "Bearer"
        assert client.post(f"{prefix}fail/throttled").headers["Retry-After"] == "2"
        assert set(client.get(f"{prefix}fail/x").headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_what_no_format_owns_speaks_that_of_the_header(app: Flask) -> None:
    """A list of models, say, which clients of each format ask for."""
    client, plain = app.test_client(), {"Plain-Version": "1"}
    answer = client.get("/v1/nothing", headers=plain)
    assert answer.text == f"404 not_found {answer.headers['Request-Id']}"
    assert client.get("/v1/nothing").get_json()["error"]["code"] == "not_found"
    owned = client.get("/v1/fail/x", headers=plain)
    assert (owned.status_code, owned.get_json()["error"]["code"]) == (405, "method_not_allowed")
