"""Tools that OpenAI's clients run themselves, over real sockets: the call, what came of it, the answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from openai import BadRequestError, OpenAI

from tests.live.asking_responses import ARGS, ARGUMENTS, READ, ask, prompts, streamed
from upstream_emulator.emulator import UpstreamEmulator

OPERATION = {"type": "create_file", "path": "a.txt", "diff": "+a"}
TOOLS: list[Any] = [
    {"type": "shell", "environment": {"type": "local"}},
    {"type": "local_shell"},
    {"type": "apply_patch"},
]
ROUNDS = [
    (
        "shell",
        {"commands": ["ls"]},
        {"output": [{"stdout": "a.txt\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]},
        "a.txt",
    ),
    ("local_shell", {"command": ["ls"]}, {"output": "a.txt"}, "a.txt"),
    ("apply_patch", OPERATION, {"status": "completed", "output": "Created."}, "Created."),
]
rounds = pytest.mark.parametrize(("name", "arguments", "result", "told"), ROUNDS)


def script(name: str, arguments: Any, form: str = "dialect") -> str:
    return f"Please. [[agent name={name} form={form} args={quote(json.dumps(arguments))}]]"


@streamed
@rounds
def test_a_call_what_came_of_it_and_the_answer(
    client: OpenAI,
    upstream: UpstreamEmulator,
    name: str,
    arguments: Any,
    result: Any,
    told: str,
    *,
    stream: bool,
) -> None:
    items: list[Any] = [{"role": "user", "content": script(name, arguments)}]
    response = ask(client, items, stream=stream, tools=TOOLS, tool_choice="required")
    (call,) = response.output
    assert call.type == f"{name}_call"
    said = call.operation if name == "apply_patch" else call.action
    assert arguments.items() <= said.model_dump().items()
    came = {"type": f"{call.type}_output", "call_id": call.call_id} | result
    ask(client, [came], stream=stream, tools=TOOLS, previous_response_id=response.id)
    assert f"[Result of {name} #1]\n{told}" in prompts(upstream)[-1]
    items += [call.model_dump(exclude_none=True), came]
    response = ask(client, items, stream=stream, tools=TOOLS)
    assert response.output_text == f"{name} #1 gave: {told}"


@rounds
def test_the_model_may_call_natively(
    client: OpenAI, name: str, arguments: Any, result: Any, told: str
) -> None:
    response = ask(client, script(name, arguments, "native"), stream=False, tools=TOOLS)
    assert [item.type for item in response.output] == [f"{name}_call"]


@streamed
def test_tools_of_an_item_can_be_called(client: OpenAI, upstream: UpstreamEmulator, *, stream: bool) -> None:
    more = {"type": "additional_tools", "role": "developer", "tools": [READ]}
    items = [{"role": "user", "content": f"Please. [[agent {ARGS}]]"}, more]
    (call,) = ask(client, items, stream=stream).output
    assert (call.type, call.name, json.loads(call.arguments)) == (
        "function_call",
        "read_file",
        json.loads(ARGUMENTS),
    )
    assert "Read a file." in prompts(upstream)[-1]


@streamed
def test_a_call_that_no_tool_is_left_for_is_refused(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    tools = [{"type": "mcp", "server_label": "x", "server_url": "https://mcp.example"}]
    with pytest.raises(BadRequestError, match="not available here: mcp") as raised:
        ask(client, "hi", stream=stream, tools=tools, tool_choice="required")
    assert (raised.value.code, raised.value.param) == ("unsupported_value", "tool_choice")
    assert not prompts(upstream)
