"""Compressed bodies are what they decode to: for the limit, for the budget, and for what is said of them."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from app.routes.services import EXTENSION
from tests.app.routes.conftest import Connect

ANN = {"Authorization": "Bearer demo-ann"}
CHAT = "/v1/chat/completions"
BODY = json.dumps({"messages": [{"role": "user", "content": "hello " * 9}]}).encode()


def pack(data: bytes) -> bytes:
    """Without the time of day, so that the tests have the same names everywhere."""
    return gzip.compress(data, mtime=0)


GZIPPED = pack(BODY)


@pytest.fixture
def client(connect: Connect) -> Iterator[FlaskClient]:
    client = connect(GLM_MAX_BODY_BYTES="1000000", GLM_BODIES_MAX_BYTES="2000000")
    yield client
    assert client.application.extensions[EXTENSION].bodies.held_bytes == 0


def post(client: FlaskClient, body: bytes, coding: str, path: str = CHAT, **more: str) -> TestResponse:
    headers = ANN | {"Content-Encoding": coding} | more
    return client.post(path, data=body, headers=headers, buffered=True)


def error_of(answer: TestResponse) -> dict[str, str]:
    body: dict[str, dict[str, str]] = answer.get_json()
    return body["error"]


def deflate_bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", GZIPPED),
        (" GZip ", GZIPPED),
        ("x-gzip", GZIPPED),
        ("deflate", zlib.compress(BODY)),
        ("deflate", deflate_bare(BODY)),
        ("gzip", pack(BODY[:20]) + pack(BODY[20:])),
        ("identity", BODY),
        ("", BODY),
    ],
)
def test_what_is_undone_is_answered(client: FlaskClient, coding: str, body: bytes) -> None:
    assert post(client, body, coding).status_code == 200


@pytest.mark.parametrize(
    "coding", ["zstd", "br", "compress", "gzip, zstd", "gzip, gzip", "x" * 300, "demo-\xe9"]
)
@pytest.mark.parametrize("path", [CHAT, "/v1/images/generations", "/v1/videos/generations", "/token/check"])
def test_other_codings_are_refused_by_name(client: FlaskClient, coding: str, path: str) -> None:
    answer = post(client, b"(\xb5/\xfd", coding, path)
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_encoding")
    message = error_of(answer)["message"]
    assert "Content-Encoding" in message
    assert (coding in message) == (coding in ("zstd", "br", "compress"))


@pytest.mark.parametrize(
    "body",
    [
        GZIPPED[:-1],
        GZIPPED[:30],
        BODY,
        b"\x1f",
        GZIPPED[:-8] + bytes(8),
    ],
)
def test_damage_is_no_bad_json(client: FlaskClient, body: bytes) -> None:
    answer = post(client, body, "gzip")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_value")
    assert "Content-Encoding" in error_of(answer)["message"]


def test_the_limit_is_of_what_is_decoded(client: FlaskClient) -> None:
    padding = 999_999 - len(BODY)
    assert post(client, pack(BODY + b" " * padding), "gzip").status_code == 200
    assert post(client, gzip.compress(BODY + b" " * (padding + 1)), "gzip").status_code == 413


@pytest.mark.parametrize("path", ["/v1/images/generations", "/token/check"])
def test_small_bodies_stay_small(client: FlaskClient, path: str) -> None:
    answer = post(client, pack(b" " * 1_100_000), "gzip", path)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "request_too_large")


def test_members_that_hold_nothing_have_an_end(client: FlaskClient) -> None:
    answer = post(client, pack(b"") * 50_001, "gzip")
    assert (answer.status_code, error_of(answer)["code"]) == (413, "request_too_large")


def test_a_compressed_body_counts_as_what_it_is(client: FlaskClient) -> None:
    bodies = client.application.extensions[EXTENSION].bodies
    others = bodies.open()
    others.take(1_400_000)
    assert post(client, pack(BODY + b" " * 300_000), "gzip").status_code == 503
    others.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_forms_are_decoded_as_well(client: FlaskClient) -> None:
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
        "789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
    )
    form = EnvironBuilder(
        method="POST", data={"prompt": "a cat", "image": (io.BytesIO(png), "a.png")}
    ).get_environ()
    content, kind = form["wsgi.input"].read(), {"Content-Type": form["CONTENT_TYPE"]}
    assert post(client, pack(content), "gzip", "/v1/images/edits", **kind).status_code == 200
    large = pack(content + b" " * 1_000_000)
    assert post(client, large, "gzip", "/v1/images/edits", **kind).status_code == 413
