"""What gunicorn's parser refuses, or should: the status, and nothing of what came."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from gunicorn.http import errors as gunicorn_errors
from gunicorn.http.errors import ParseException

from app.core import errors as gateway_errors
from app.core.errors import GatewayError
from app.server import error as server_errors
from app.server.refusal import build_refusal, log_refusal, translate_failure
from tests.app.server.conftest import Parse

SECRET = "MY-SECRET-DIARY"
GET = "GET /ping HTTP/1.1\r\nHost: x\r\n"
REFUSED = {
    f"{SECRET}\r\n\r\n": 400,
    "GET /\r\n\r\n": 400,
    f"GET /{SECRET}\n\n": 400,
    f"get-{SECRET.lower()} / HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    f"GET /{SECRET} HTTP/1.2\r\nHost: x\r\n\r\n": 505,
    f"GET /{SECRET} HTTP/2.0\r\nHost: x\r\n\r\n": 505,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": 400,
    f"GET /{SECRET} HTTP/1.1\r\n\r\n": 400,
    f"GET /{SECRET} HTTP/1.1\r\nX-Host: x\r\n\r\n": 400,
    f"{GET}Host: {SECRET}\r\n\r\n": 400,
    f"{GET}{SECRET} : x\r\n\r\n": 400,
    f"{GET}{SECRET}\r\n\r\n": 400,
    f"{GET}A: {SECRET}\x00\r\n\r\n": 400,
    f"{GET}A: x\r\n {SECRET}\r\n\r\n": 400,
    f"{GET}Expect: {SECRET}\r\n\r\n": 417,
    f"{GET}Transfer-Encoding: gzip, chunked\r\n\r\n": 501,
    f"{GET}Transfer-Encoding: gzip, chunked\r\nConnection: keep-alive\r\n\r\n": 501,
    f"{GET}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n": 501,
    f"{GET}Transfer-Encoding: identity, chunked\r\n\r\n": 501,
    f"{GET}Transfer-Encoding: {SECRET}\r\n\r\n": 501,
    f"{GET}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    f"{GET}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n": 400,
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    f"{GET}Content-Length: {SECRET}\r\n\r\n": 400,
    f"{GET}Content-Length: -1\r\n\r\n": 400,
    f"GET /{SECRET * 500} HTTP/1.1\r\n": 414,
    f"{GET}A: {SECRET * 6000}\r\n\r\n": 431,
    GET + "A: b\r\n" * 70 + "\r\n": 431,
}


@pytest.mark.parametrize(("request_text", "status"), REFUSED.items(), ids=range(len(REFUSED)))
def test_it_is_refused_without_a_byte_of_it(
    parse: Parse, caplog: pytest.LogCaptureFixture, request_text: str, status: int
) -> None:
    with pytest.raises((ParseException, GatewayError)) as raised:
        next(parse(request_text.encode("latin-1")))
    error = translate_failure(raised.value)
    answer = build_refusal(error, "an-id").decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert re.match(rf"HTTP/1.1 {status} [A-Z]", head)
    assert "X-Request-Id: an-id" in head
    assert f"Content-Length: {len(body.encode())}" in head
    assert "x-should-retry: false" in head
    document = json.loads(body)["error"]
    assert document.keys() == {"message", "type", "param", "code"}
    assert document["type"] == "invalid_request_error"
    with caplog.at_level(logging.INFO):
        log_refusal(raised.value, error, "an-id")
    (record,) = caplog.records
    said = f"{record.getMessage()} {record.fields} {answer}".upper()  # type: ignore[attr-defined]
    assert SECRET not in said
    assert record.exc_info is None


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /ping HTTP/1.0\r\n\r\n",
        f"{GET}\r\n",
        f"\r\n{GET}\r\n",
        f"{GET}Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        f"{GET}Script_Name: /x\r\nScript-Name: /x\r\n\r\n",
        f"{GET}Authorization: Bearer {'x' * 65_000}\r\n\r\n",
    ],
)
def test_it_is_let_in(parse: Parse, request_text: str) -> None:
    request = next(parse(request_text.encode()))
    assert (request.path, request.scheme) == ("/ping", "http")
    assert "SCRIPT_NAME" not in dict(request.headers)


def list_parse_exceptions() -> list[Any]:
    kinds = [kind for kind in vars(gunicorn_errors).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, ParseException)]


@pytest.mark.parametrize("kind", list_parse_exceptions(), ids=lambda kind: kind.__name__)
def test_everything_that_gunicorn_refuses_has_our_words(kind: Any) -> None:
    exc: ParseException = kind.__new__(kind)  # what it was told makes no difference
    error = translate_failure(exc)
    is_ours = issubclass(
        kind, gunicorn_errors.InvalidResponseHeader | gunicorn_errors.InvalidResponseHeaderName
    )
    assert (error.status == 500) is is_ours


def test_what_nobody_expected_is_our_mistake(caplog: pytest.LogCaptureFixture) -> None:
    """The place is logged instead of the words, which may quote the request."""
    try:
        int(SECRET)
    except ValueError as exc:
        error = translate_failure(exc)
        with caplog.at_level(logging.INFO):
            log_refusal(exc, error, "an-id")
    assert (error.status, error.code) == (500, "internal_error")
    (record,) = caplog.records
    fields = record.fields  # type: ignore[attr-defined]
    assert fields["failure"] == "ValueError"
    assert "test_refusal.py:" in fields["place"]
    assert SECRET not in f"{record.getMessage()} {fields}"
    assert record.exc_info is None


def test_the_drawing_shows_the_tree_as_it_is() -> None:
    kinds = [kind for kind in vars(server_errors).values() if isinstance(kind, type)]
    ours = {
        kind.__name__: kind.status
        for kind in kinds
        if issubclass(kind, GatewayError) and kind.__name__ not in vars(gateway_errors)
    }
    drawn = re.findall(r"[├└]── (\w+) +(\d{3})", server_errors.__doc__ or "")
    assert {name: int(status) for name, status in drawn} == ours
