"""Every route, asked what its description allows and forbids: proper answers only, in time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.routes import description
from demo.gateway import GatewayProcess
from tests.live.conftest import METRICS_KEY

ANSWER_SECONDS = 20
EXAMPLES = 40
# A video is looked at once a second until it is there.
FEWER = {"POST /v1/videos/generations": 10}
DOCUMENT: dict[str, Any] = json.loads(Path(description.__file__).with_name("openapi.json").read_bytes())
SCHEMA: Any = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {operation.ok().label: operation.ok() for operation in SCHEMA.get_all_operations()}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUESTIONS = [
    (label, mode)
    for label, operation in OPERATIONS.items()
    for mode in GenerationMode
    # What is watched never ends by itself.
    if label != "GET /v1/watch"
    if mode is GenerationMode.POSITIVE or operation.body or operation.query or operation.path_parameters
]
LOOK: dict[str, Any] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
OPERATOR = {"Authorization": f"Bearer {METRICS_KEY}"}
HEADERS = {"Authorization": "Bearer demo-fuzz-1,demo-fuzz-2,demo-fuzz-3"}


def test_other_programs_can_read_it_still() -> None:
    """`make test-description` generates clients of it and notes that it could."""
    passed = (Path(__file__).parents[1] / "description" / "passed.sha256").read_text().strip()
    description_now = Path(description.__file__).with_name("openapi.json").read_bytes()
    assert hashlib.sha256(description_now).hexdigest() == passed, "run `make openapi test-description`"


def check_shape(name: str, value: object) -> None:
    """Raises where `value` is not what the component says."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(schema).validate(value)


@pytest.mark.parametrize("model", ["glm", "glm-think", "glm-search"])
@pytest.mark.parametrize("tools", [{}, {"tools": [LOOK]}, {"functions": [LOOK["function"]]}])
def test_chunks_and_answers_have_the_shapes_that_are_described(
    gateway: GatewayProcess, account: str, model: str, tools: dict[str, Any]
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "Please. [[agent]]"}], **tools}
    headers = {"Authorization": f"Bearer {account}"}
    url = f"{gateway.url}/v1/chat/completions"
    options = {"stream": True, "stream_options": {"include_usage": True}}
    streamed = requests.post(url, json=body | options, headers=headers, timeout=20).text
    events = [line[6:] for line in streamed.splitlines() if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    for event in events:
        check_shape("ChatCompletionChunk", json.loads(event))
    assert json.loads(events[-1])["usage"]
    assert (("tool_calls" in streamed) or ("function_call" in streamed)) == bool(tools)
    check_shape("ChatCompletion", requests.post(url, json=body, headers=headers, timeout=20).json())
    check_shape("Error", requests.post(url, json={}, headers=headers, timeout=20).json())


@pytest.mark.parametrize("model", ["glm", "glm-think", "glm-search"])
@pytest.mark.parametrize(
    "tools", [[], [{"type": "function"} | LOOK["function"]], [{"type": "custom", "name": "look"}]]
)
def test_events_of_responses_have_the_shapes_that_are_described(
    gateway: GatewayProcess, account: str, model: str, tools: list[dict[str, Any]]
) -> None:
    body = {"model": model, "input": "Please. [[agent]]", "tools": tools, "reasoning": {"summary": "auto"}}
    headers = {"Authorization": f"Bearer {account}"}
    url = f"{gateway.url}/v1/responses"
    streamed = requests.post(url, json=body | {"stream": True}, headers=headers, timeout=20).text
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: ")]
    for event in events:
        check_shape("ResponseEvent", event)
    check_shape("Response", events[-1]["response"])
    check_shape("Response", requests.post(url, json=body, headers=headers, timeout=20).json())
    assert "look" in streamed or not tools


@pytest.mark.parametrize("model", ["glm", "glm-think", "glm-search"])
@pytest.mark.parametrize("tools", [[], [{"name": "look", "input_schema": {"type": "object"}}]])
def test_events_of_messages_have_the_shapes_that_are_described(
    gateway: GatewayProcess, account: str, model: str, tools: list[dict[str, Any]]
) -> None:
    turns = [{"role": "user", "content": "Please. [[agent]]"}]
    body = {"model": model, "max_tokens": 1000, "messages": turns, "tools": tools}
    headers = {"x-api-key": account}
    url = f"{gateway.url}/v1/messages"
    streamed = requests.post(url, json=body | {"stream": True}, headers=headers, timeout=20).text
    events = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: ")]
    for event in events:
        check_shape("AnthropicEvent", event)
    assert events[-1]["type"] == "message_stop"
    check_shape("AnthropicMessage", requests.post(url, json=body, headers=headers, timeout=20).json())


@pytest.mark.parametrize("prompt", ["Please. [[text]]", "Please. [[error-frame at=3]]"])
def test_a_stream_is_what_the_description_says_of_its_events(
    gateway: GatewayProcess, account: str, prompt: str
) -> None:
    """As fuzzers read it: with its last event, good or bad."""
    messages = [{"role": "user", "content": prompt}]
    bodies: dict[str, dict[str, object]] = {
        "POST /v1/chat/completions": {"messages": messages},
        "POST /v1/responses": {"input": prompt},
        "POST /v1/messages": {"messages": messages, "max_tokens": 100},
    }
    for label, body in bodies.items():
        case = OPERATIONS[label].Case(
            body=body | {"model": "glm", "stream": True}, media_type="application/json"
        )
        response = case.call(base_url=gateway.url, headers={"x-api-key": account}, timeout=ANSWER_SECONDS)
        assert len(response.text.split("\n\n")) > 4
        case.validate_response(response, checks=CHECKS)


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/models/none", {}, "Error"),
        ("/v1/models/none", {"anthropic-version": "2023-06-01"}, "AnthropicError"),
        ("/v1/responses", {"anthropic-version": "2023-06-01"}, "Error"),
        ("/v1/messages", {}, "AnthropicError"),
        ("/v1/messages", {"content-length": "x"}, "Error"),
        ("/v1/models/none", {"content-length": "x"}, "Error"),
    ],
)
def test_a_failure_is_described_whoever_finds_it(
    gateway: GatewayProcess, path: str, headers: dict[str, str], shape: str
) -> None:
    """The server refuses what is no HTTP request, and knows no path."""
    answer = requests.get(gateway.url + path, headers=HEADERS | headers, timeout=ANSWER_SECONDS)
    assert 400 <= answer.status_code < 500
    check_shape(shape, answer.json())


def test_all_routes_are_asked() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())


@pytest.mark.parametrize(("label", "mode"), QUESTIONS)
def test_whatever_is_sent(gateway: GatewayProcess, label: str, mode: GenerationMode) -> None:
    headers = OPERATOR if label == "GET /metrics" else HEADERS
    cases = OPERATIONS[label].as_strategy(generation_mode=mode)

    @settings(
        max_examples=FEWER.get(label, EXAMPLES),
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case = data.draw(cases)
        response = case.call(base_url=gateway.url, headers=headers, timeout=ANSWER_SECONDS)
        case.validate_response(response, checks=CHECKS)

    ask()
