"""Everything under /v1/messages speaks Anthropic: answers, counts, and failures wherever they come from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.app.routes.conftest import Connect
from upstream_emulator.emulator import UpstreamEmulator

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
QUESTION: Any = {"model": "glm", "max_tokens": 1000, "messages": [{"role": "user", "content": "[[text]]"}]}
KEY = {"X-Api-Key": "demo-a", "Anthropic-Version": "2023-06-01"}


def check_failure(answer: TestResponse, status: int, kind: str) -> str:
    """It is an error of Anthropic's with this status and type; returns what it says."""
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    body = answer.get_json()
    assert set(body) == {"type", "error", "request_id"}
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert body["request_id"] == answer.headers["request-id"] == answer.headers["x-request-id"]
    return str(body["error"]["message"])


@pytest.mark.parametrize(
    "path", [MESSAGES, f"{MESSAGES}?beta=true", "/messages", "/v1/v1/messages", "/v1//messages/"]
)
def test_a_whole_answer(client: FlaskClient, path: str) -> None:
    answer = client.post(path, json=QUESTION, headers=KEY)
    assert answer.status_code == 200
    message = answer.get_json()
    assert re.fullmatch(r"msg_[0-9a-f]{24}", message["id"])
    assert [block["type"] for block in message["content"]] == ["text"]
    assert (message["stop_reason"], message["model"]) == ("end_turn", "glm")
    assert len(answer.headers["request-id"]) == 32


@pytest.mark.parametrize("path", [MESSAGES, COUNT])
def test_failures_before_the_question(connect: Connect, path: str) -> None:
    client = connect(GLM_MAX_BODY_BYTES="1000")
    check_failure(client.post(path, json=QUESTION), 401, "authentication_error")
    check_failure(client.get(path, headers=KEY), 405, "invalid_request_error")
    check_failure(client.post(path, data=b"x" * 1001, headers=KEY), 413, "request_too_large")
    check_failure(client.post(path, data=b"{", headers=KEY), 400, "invalid_request_error")
    check_failure(client.post(f"{path}/nothing", json=QUESTION, headers=KEY), 404, "not_found_error")


def test_wrong_keys_are_told_in_its_shape(connect: Connect) -> None:
    client = connect(GLM_REFRESH_TOKENS="demo-a", GATEWAY_API_KEYS="x=glm-" + "k" * 43)
    statuses = []
    for number in range(11):
        with client.post(MESSAGES, json=QUESTION, headers={"X-Api-Key": f"glm-{number:043}"}) as answer:
            statuses.append((answer.status_code, answer.get_json()["error"]["type"]))
    assert statuses == [(401, "authentication_error")] * 10 + [(429, "rate_limit_error")]


def test_the_place_stands_in_the_message(client: FlaskClient) -> None:
    wrong = QUESTION | {"messages": [{"role": "user", "content": [{"type": "text"}]}]}
    said = check_failure(client.post(MESSAGES, json=wrong, headers=KEY), 400, "invalid_request_error")
    assert said.startswith("messages.0.content.0.text: A text block needs `text`. ")


@pytest.mark.parametrize("path", [MESSAGES, COUNT])
@pytest.mark.parametrize(
    "fields",
    [
        {"thread": {"type": "create"}},
        {"thread": {"type": "continue", "previous_message_id": "msg_1"}},
        {"thread": {"type": "continue", "previous_message_id": "msg_1"}, "messages": []},
        {"thread": {}},
    ],
    ids=["begun", "gone on with", "resumed", "unknown"],
)
def test_threads_are_refused_so_that_clients_send_all_of_the_conversation(
    client: FlaskClient, fields: dict[str, Any], path: str
) -> None:
    answer = client.post(path, json=QUESTION | fields, headers=KEY)
    said = check_failure(answer, 400, "invalid_request_error")
    assert said.startswith("`thread` is not available here: ")
    error = answer.get_json()["error"]
    assert (error["code"], error["details"]) == (
        "unsupported_value",
        {"error_code": "thread_unsupported_request"},
    )


def test_no_thread_is_no_thread(client: FlaskClient) -> None:
    assert client.post(MESSAGES, json=QUESTION | {"thread": None}, headers=KEY).status_code == 200


@pytest.mark.parametrize("wish", [{"type": "summarize"}, {"type": "summarize", "instructions": "x"}, {}])
def test_a_summary_by_the_server_is_refused_where_an_answer_would_pass_for_it(
    client: FlaskClient, wish: Any
) -> None:
    """Its caller puts what comes in the place of the conversation. In a count it means nothing."""
    asked = QUESTION | {"compaction": wish}
    answer = client.post(MESSAGES, json=asked, headers=KEY)
    said = check_failure(answer, 400, "invalid_request_error")
    assert said.startswith("`compaction` is not available here: ")
    assert answer.get_json()["error"]["code"] == "unsupported_value"
    assert client.post(COUNT, json=asked, headers=KEY).status_code == 200
    assert client.post(MESSAGES, json=QUESTION | {"compaction": None}, headers=KEY).status_code == 200


def test_a_call_of_what_anthropic_runs_cannot_be_wanted(
    client: FlaskClient, upstream: UpstreamEmulator
) -> None:
    asked = QUESTION | {
        "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
        "tool_choice": {"type": "any"},
    }
    said = check_failure(client.post(MESSAGES, json=asked, headers=KEY), 400, "invalid_request_error")
    assert said.startswith("`tool_choice` wants a call of what is not available here: code_execution.")
    assert upstream.requests() == []


@pytest.mark.parametrize("text", ["好" * 1001, "x" * 100_000], ids=["prompt", "body"])
def test_too_long_is_said_so_that_claude_code_compacts(connect: Connect, text: str) -> None:
    client = connect(GLM_MAX_PROMPT_CHARS="1000")
    asked = QUESTION | {"messages": [{"role": "user", "content": text}]}
    said = check_failure(client.post(MESSAGES, json=asked, headers=KEY), 400, "invalid_request_error")
    assert said.startswith("prompt is too long: ")
    if numbers := re.match(r"prompt is too long: (\d+) tokens > (\d+) maximum\b", said):
        assert int(numbers[1]) > int(numbers[2]) > 500


@pytest.mark.parametrize("directive", ["busy", "throttled429"])
def test_an_upstream_that_refuses(client: FlaskClient, directive: str) -> None:
    asked = QUESTION | {"messages": [{"role": "user", "content": f"[[{directive}]]"}]}
    answer = client.post(MESSAGES, json=asked, headers=KEY)
    kind = {429: "rate_limit_error", 503: "overloaded_error"}[answer.status_code]
    check_failure(answer, answer.status_code, kind)


def test_counting_asks_nobody(connect: Connect, upstream: UpstreamEmulator) -> None:
    client = connect()
    read = {"name": "read_file", "description": "Reads a file.", "input_schema": {"type": "object"}}
    picture = {"type": "image", "source": {"type": "url", "url": "https://x.example/1.png"}}
    answers = [
        client.post(COUNT, json=QUESTION | fields, headers=KEY)
        for fields in ({}, {"system": "Be short. " * 20}, {"tools": [read]})
    ]
    counts = [answer.get_json()["input_tokens"] for answer in answers]
    assert 0 < counts[0] < counts[1]
    assert counts[2] > counts[0] + 50
    asked = QUESTION | {"messages": [{"role": "user", "content": [picture]}]}
    assert client.post(COUNT, json=asked, headers=KEY).status_code == 200
    assert upstream.requests() == []
    message = client.post(MESSAGES, json=QUESTION, headers=KEY).get_json()
    assert message["usage"]["input_tokens"] == counts[0]


def test_counting_goes_beyond_what_may_be_asked(connect: Connect) -> None:
    client = connect(GLM_MAX_PROMPT_CHARS="1000")
    asked = QUESTION | {"messages": [{"role": "user", "content": "好" * 1500}]}
    assert client.post(COUNT, json=asked, headers=KEY).get_json()["input_tokens"] > 900


def test_a_conversation_is_deleted_when_its_answer_is_out(
    connect: Connect, upstream: UpstreamEmulator
) -> None:
    """No client of this API comes back by its id; where a chat may go on without one, it waits for that."""
    client = connect(GLM_CONTINUE="off")
    with client.post(MESSAGES, json=QUESTION, headers=KEY) as answer:
        assert answer.status_code == 200
    assert client.get("/v1/conversations", headers=KEY).get_json()["data"] == []
    upstream.wait_until(lambda state: all(one["deleted"] for one in state["conversations"]))


def test_one_list_of_models_for_every_reader(client: FlaskClient) -> None:
    listed = client.get("/v1/models?limit=1000", headers=KEY).get_json()
    names = [model["id"] for model in listed["data"]]
    assert (listed["object"], listed["has_more"], listed["models"]) == ("list", False, [])
    assert (listed["first_id"], listed["last_id"]) == (names[0], names[-1])
    for model in listed["data"]:
        assert (model["object"], model["type"]) == ("model", "model")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", model["created_at"])
    assert "claude-glm" in names
    assert client.get("/v1/models/claude-glm-5.3", headers=KEY).get_json()["display_name"] == "glm-5.3"


def test_only_who_speaks_anthropic_hears_of_its_names(client: FlaskClient) -> None:
    bearer = {"Authorization": "Bearer demo-a"}
    listed = client.get("/v1/models", headers=bearer).get_json()
    assert not [model["id"] for model in listed["data"] if model["id"].startswith("claude")]
    assert client.get("/v1/models/claude-glm", headers=bearer).status_code == 404
