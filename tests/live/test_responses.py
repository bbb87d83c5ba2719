"""OpenAI Responses over real sockets, by the official client's own streams and parsers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import openai
import pytest
import requests
from openai import OpenAI
from pydantic import BaseModel

from demo.gateway import GatewayProcess
from tests.live.asking_responses import ARGS, ARGUMENTS, PATCH, READ, ask, streamed
from upstream_emulator.emulator import UpstreamEmulator


@streamed
def test_a_text_with_thinking_before_it(client: OpenAI, *, stream: bool) -> None:
    response = ask(client, "Hm? [[think]]", stream=stream, instructions="Be kind.")
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output_text
    assert response.output[0].summary[0].text
    assert (response.status, response.model) == ("completed", "glm")
    usage = response.usage
    assert usage.input_tokens > 0
    assert usage.output_tokens_details.reasoning_tokens > 0
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


FORMS = ["dialect", "unclosed", "fenced", "native", "native-cut", "tool-call", "think"]


@streamed
@pytest.mark.parametrize("form", FORMS)
def test_a_call_its_result_and_the_answer_with_the_whole_history(
    client: OpenAI, form: str, *, stream: bool
) -> None:
    items: list[Any] = [{"role": "user", "content": f"Please. [[agent form={form} {ARGS}]]"}]
    response = ask(client, items, stream=stream, tools=[READ], store=False)
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert (call.name, json.loads(call.arguments)) == ("read_file", json.loads(ARGUMENTS))
    items += [item.model_dump(exclude_none=True) for item in response.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "hello world"})
    response = ask(client, items, stream=stream, tools=[READ], store=False)
    assert response.output_text == "read_file #1 gave: hello world"


@streamed
def test_tools_come_back_in_their_own_kind(client: OpenAI, *, stream: bool) -> None:
    patch = "*** Begin Patch\n*** End Patch"
    args = quote(json.dumps({"input": patch}))
    response = ask(client, f"[[agent args={args}]]", stream=stream, tools=[PATCH])
    (call,) = response.output
    assert (call.type, call.name, call.input) == ("custom_tool_call", "apply_patch", patch)
    notes = {"type": "namespace", "name": "mcp__notes", "description": "Notes.", "tools": [READ]}
    response = ask(client, f"[[agent {ARGS}]]", stream=stream, tools=[notes, {"type": "tool_search"}])
    (call,) = response.output
    assert (call.type, call.name, call.namespace) == ("function_call", "read_file", "mcp__notes")


@streamed
def test_a_search_brings_its_pages(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    response = ask(client, "Weather? [[search]]", stream=stream, tools=[{"type": "web_search"}])
    assert sent_search(upstream)
    kinds = [item.type for item in response.output]
    assert kinds == ["web_search_call", "message"]
    search, message = response.output
    urls = {source.url for source in search.action.sources}
    (part,) = message.content
    assert part.annotations
    for cited in part.annotations:
        assert cited.type == "url_citation"
        assert cited.url in urls
        assert cited.url in part.text[cited.start_index : cited.end_index]
    beside = ask(client, "Weather? [[search]]", stream=stream, tools=[{"type": "web_search"}, READ])
    assert not sent_search(upstream)
    assert "web_search_call" not in [item.type for item in beside.output]


def sent_search(upstream: UpstreamEmulator) -> bool:
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("assistant/stream")]
    return bool(asked[-1]["meta_data"]["is_networking"])


class Weather(BaseModel):
    city: str
    degrees: int


@streamed
def test_json_that_fits_its_schema(client: OpenAI, *, stream: bool) -> None:
    say = quote('It is ```json\n{"city": "Beijing", "degrees": 18}\n```')
    question = f"[[text say={say}]]"
    if stream:
        with client.responses.stream(model="glm", input=question, text_format=Weather) as events:
            for _ in events:
                pass
            response: Any = events.get_final_response()
    else:
        response = client.responses.parse(model="glm", input=question, text_format=Weather)
    assert response.output_parsed == Weather(city="Beijing", degrees=18)


ENDS: dict[str, tuple[str, dict[str, Any]]] = {
    "filter at=3": ("content_filter", {}),
    "chunks n=40": ("max_output_tokens", {"max_output_tokens": 20}),
}


@streamed
@pytest.mark.parametrize("directive", ENDS)
def test_an_answer_that_ends_early_says_why(client: OpenAI, directive: str, *, stream: bool) -> None:
    responses: Any = client.responses
    reason, limits = ENDS[directive]
    more = {"model": "glm", "input": f"[[{directive}]]"} | limits
    if stream:
        (response,) = [
            event.response
            for event in responses.create(stream=True, **more)
            if event.type == "response.incomplete"
        ]
    else:
        response = responses.create(**more)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", reason)
    assert response.output_text


def test_silence_is_filled_with_events_and_failures_end_the_stream(client: OpenAI) -> None:
    events = list(client.responses.create(model="glm", input="[[stall at=3 seconds=30]]", stream=True))
    kinds = [event.type for event in events]
    assert kinds.count("response.in_progress") > 2
    assert kinds[-1] == "response.failed"
    last: Any = events[-1]
    assert last.response.error.code == "upstream_timeout"
    assert [event.sequence_number for event in events] == list(range(len(events)))


@streamed
def test_a_failure_before_the_answer_has_its_status(client: OpenAI, *, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, [{"role": "user", "content": [{"type": "hologram"}]}], stream=stream)
    assert refused.value.param == "input.0.content.0"
    with pytest.raises(openai.RateLimitError):
        ask(client, "[[throttled429]]", stream=stream)


@streamed
@pytest.mark.parametrize("where", ["user", "result"])
def test_pictures_of_users_and_of_tools(
    client: OpenAI, upstream: UpstreamEmulator, where: str, *, stream: bool
) -> None:
    png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{png}", "detail": "auto"}
    if where == "user":
        said: Any = [{"role": "user", "content": [{"type": "input_text", "text": "What?"}, picture]}]
    else:
        said = [
            {"role": "user", "content": "Look."},
            {"type": "function_call", "call_id": "c", "name": "read_file", "arguments": ARGUMENTS},
            {"type": "function_call_output", "call_id": "c", "output": [picture]},
        ]
    response = ask(client, said, stream=stream)
    assert "图片" in response.output_text


CODEX: dict[str, Any] = {
    "model": "glm",
    "instructions": "You are a coding agent.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Sandbox: on."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go. [[agent]]"}]},
        {"type": "reasoning", "summary": [], "content": None, "encrypted_content": "opaque"},
        {"type": "ghost_snapshot", "ghost_commit": {"id": "x"}},
        {"type": "custom_tool_call", "status": "completed", "call_id": "call_1", "name": "apply_patch",
         "input": "*** Begin Patch"},
        {"type": "custom_tool_call_output", "call_id": "call_1", "output": "failed"},
        {"type": "local_shell_call", "call_id": "call_2", "status": "completed",
         "action": {"type": "exec", "command": ["ls"], "timeout_ms": None}},
        {"type": "function_call_output", "call_id": "call_2", "output": "a.txt"},
    ],
    "tools": [
        READ,
        {"type": "custom", "name": "apply_patch", "description": "Edit.",
         "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin"}},
        {"type": "web_search", "external_web_access": False},
        {"type": "local_shell"},
        {"type": "image_generation", "output_format": "png"},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0198",
    "client_metadata": {"x-codex": "1"},
}  # fmt: skip


def test_a_request_in_the_shape_of_codex(gateway: GatewayProcess, account: str) -> None:
    answer = requests.post(
        f"{gateway.url}/v1/responses",
        json=CODEX,
        headers={"Authorization": f"Bearer {account}", "Accept": "text/event-stream"},
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (
        200,
        "text/event-stream",
    )
    *events, rest = answer.content.decode().split("\n\n")
    assert rest == ""
    last = json.loads(events[-1].split("\n")[1].removeprefix("data: "))
    assert last["type"] == "response.completed"
    assert last["response"]["output"][-1]["content"][0]["text"].endswith("gave: a.txt")


def test_with_x_api_key_and_without_v1(gateway: GatewayProcess, account: str) -> None:
    answer = requests.post(
        f"{gateway.url}/responses", json={"input": "Hi."}, headers={"x-api-key": account}, timeout=30
    )
    assert answer.json()["object"] == "response"
