"""What requests hold of their bodies: counted in sum, refused beyond, given back however they end."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.budget import Budget
from app.core.event import ReplyEvent
from app.core.request import Question, Turn
from app.exchange.reply import Reply
from app.gateway import Gateway
from app.routes.services import EXTENSION
from tests.app.routes.conftest import Connect

ANN = {"Authorization": "Bearer demo-ann"}
CHAT = "/v1/chat/completions"
LIMITS = {"GLM_MAX_BODY_BYTES": "1000000", "GLM_BODIES_MAX_BYTES": "2000000"}


def gateway_of(client: FlaskClient) -> Gateway:
    gateway: Gateway = client.application.extensions[EXTENSION]
    return gateway


@pytest.fixture
def client(connect: Connect) -> Iterator[FlaskClient]:
    client = connect(**LIMITS)
    yield client
    assert gateway_of(client).bodies.held_bytes == 0


@pytest.fixture
def bodies(client: FlaskClient) -> Budget:
    return gateway_of(client).bodies


def ask(client: FlaskClient, content: object, **more: object) -> TestResponse:
    body = json.dumps({"messages": [{"role": "user", "content": content}]} | more)
    return client.post(CHAT, data=body, headers=ANN, buffered=True)


def test_beyond_the_sum_it_is_503(client: FlaskClient, bodies: Budget) -> None:
    others = bodies.open()
    others.take(1_400_000)
    answer = ask(client, "x" * 300_000)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json is not None
    assert answer.json["error"]["code"] == "out_of_room"
    assert answer.json["error"]["type"] == "api_error"
    assert "GLM_BODIES_MAX_BYTES" in answer.json["error"]["message"]
    assert bodies.held_bytes == 1_400_000
    others.close()
    assert ask(client, "x" * 300_000).status_code == 200


def test_small_requests_find_room_beside_large_ones(client: FlaskClient, bodies: Budget) -> None:
    large = bodies.open()
    large.take(1_500_000)
    assert ask(client, "x" * 50_000).status_code == 200
    large.close()


def test_what_is_made_of_a_body_counts(client: FlaskClient, bodies: Budget) -> None:
    """The body would fit; the prompt and the call upstream beside it do not."""
    large = bodies.open()
    large.take(1_000_000)
    assert ask(client, "x" * 300_000).status_code == 503
    large.close()


def test_an_answer_on_its_way_holds_nothing(client: FlaskClient, bodies: Budget) -> None:
    answer = client.post(
        CHAT,
        json={"messages": [{"role": "user", "content": "x" * 300_000}], "stream": True},
        headers=ANN,
    )
    assert answer.status_code == 200
    assert bodies.held_bytes == 0
    assert b"[DONE]" in answer.data
    answer.close()


def list_questions() -> list[Question | Turn]:
    return [each for each in gc.get_objects() if isinstance(each, Question | Turn)]


@pytest.mark.parametrize("is_streamed", [True, False])
def test_an_answer_on_its_way_holds_nothing_of_its_question(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, *, is_streamed: bool
) -> None:
    """Those that other tests left are kept meanwhile: none of them goes, and gives its place to a new one."""
    held: list[list[Question | Turn]] = []
    read = Reply.read

    def look_and_read(reply: Reply) -> list[ReplyEvent] | None:
        held.append([each for each in list_questions() if id(each) not in known])
        return read(reply)

    left = list_questions()
    known = set(map(id, left))
    monkeypatch.setattr(Reply, "read", look_and_read)
    assert ask(client, "hello", stream=is_streamed).status_code == 200
    assert held
    assert not any(held)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (CHAT, b"{", 400),
        (CHAT, b"x" * 1_000_001, 413),
        (CHAT, b'{"messages":[{"role":"user","content":"hi"}],"n":2}', 400),
        (CHAT, b'{"messages":[{"role":"user","content":"hi"}]}', 401),
        ("/v1/images/generations", b'{"prompt":""}', 400),
        ("/v1/videos/generations", b'{"prompt":""}', 400),
        ("/page/picture", b'{"url":"data:,"}', 400),
        ("/token/check", b'{"token":5}', 400),
    ],
)
def test_a_refusal_gives_back(client: FlaskClient, path: str, body: bytes, status: int) -> None:
    answer = client.post(path, data=body, headers={"Authorization": "Bearer dead-ann"})
    assert answer.status_code == status
    answer.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_forms_count_as_well(client: FlaskClient, bodies: Budget) -> None:
    others = bodies.open()
    others.take(1_400_000)
    form = {"prompt": "a cat", "image": (io.BytesIO(b"x" * 400_000), "a.png")}
    answer = client.post("/v1/images/edits", data=form, headers=ANN, buffered=True)
    assert answer.status_code == 503
    others.close()


@pytest.mark.parametrize("path", ["/token/check", "/v1/images/generations"])
def test_where_no_file_is_sent_a_megabyte_is_enough(connect: Connect, path: str) -> None:
    client = connect()
    answer = client.post(path, data=b" " * 1_100_000, headers=ANN)
    assert answer.status_code == 413


class BrokenInput(io.BytesIO):
    """A connection that is reset in the middle of a body."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_a_client_that_breaks_off_is_nobodys_mistake(client: FlaskClient) -> None:
    answer = client.post(CHAT, input_stream=BrokenInput(b"x" * 100), headers=ANN)
    assert answer.status_code == 400
    answer.close()
    assert gateway_of(client).counters.requests[CHAT, "client gone"] == 1
