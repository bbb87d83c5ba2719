"""Tools and JSON over real sockets: the official client, the gateway, and a model that reads its prompt."""

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
from upstream_emulator.emulator import UpstreamEmulator

READ: Any = {
    "type": "function",
    "function": {
        "name": "read_file",
        "description": "Read a file.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
            "required": ["path"],
        },
    },
}
SEARCH: Any = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}
ARGUMENTS = '{"path":"a.txt","lines":3}'
ARGS = f"args={quote(ARGUMENTS)}"


class Answer:
    """What an agent has at the end, streamed or whole."""

    def __init__(self, client: OpenAI, messages: Any, *, stream: bool, **more: Any) -> None:
        self.text, self.finish, self.message = "", "", None
        self.calls: list[tuple[str, str, str]] = []
        if stream:
            with client.chat.completions.stream(model="glm", messages=messages, **more) as events:
                for _ in events:
                    pass
                choice: Any = events.get_final_completion().choices[0]
        else:
            choice = client.chat.completions.create(model="glm", messages=messages, **more).choices[0]
        self.message, self.finish = choice.message, choice.finish_reason
        self.text = choice.message.content or ""
        for call in choice.message.tool_calls or ():
            self.calls.append((call.id, call.function.name, call.function.arguments))


def user(directive: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"Please. [[{directive}]]"}]


streamed = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
FORMS = ["dialect", "unclosed", "wrong-closer", "fenced", "native", "native-cut", "tool-call", "think"]


@streamed
@pytest.mark.parametrize("style", ["style=delta", "style=snapshot dialect=2026 flag=1", "style=delta flag=0"])
@pytest.mark.parametrize("form", FORMS)
def test_a_call_in_every_form_its_result_and_the_answer(
    client: OpenAI, upstream: UpstreamEmulator, form: str, style: str, *, stream: bool
) -> None:
    messages = user(f"agent form={form} {ARGS} {style}")
    answer = Answer(client, messages, stream=stream, tools=[READ])
    ((call_id, name, arguments),) = answer.calls
    assert (name, json.loads(arguments), answer.finish) == ("read_file", json.loads(ARGUMENTS), "tool_calls")
    assert "call-" not in answer.text
    called: Any = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    messages += [
        {"role": "assistant", "content": answer.text or None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": call_id, "content": "hello world"},
    ]
    answer = Answer(client, messages, stream=stream, tools=[READ])
    assert (answer.text, answer.calls, answer.finish) == ("read_file #1 gave: hello world", [], "stop")


@streamed
def test_text_before_a_call_is_kept_and_after_it_nothing_is_read(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    directive = f"agent say=Look:%20 after={quote(' and then I wait for it. ' * 50)} count=2 pace=5 {ARGS}"
    answer = Answer(client, user(directive), stream=stream, tools=[READ])
    assert answer.text == "Look: "
    assert len(answer.calls) == 2
    assert upstream.state()["stopped_early"] == 1


@streamed
def test_names_of_the_site_come_back_as_the_clients_own(client: OpenAI, *, stream: bool) -> None:
    answer = Answer(client, user("agent"), stream=stream, tools=[SEARCH])
    assert [name for _, name, _ in answer.calls] == ["search"]


def queue(upstream: UpstreamEmulator, account: str, *directives: str) -> None:
    """What the model does next, whatever it is asked."""
    upstream.account(account.removeprefix("demo-"), next=list(directives))


@streamed
@pytest.mark.parametrize("say", ["", "say=Look:%20"])
def test_an_unreadable_call_is_corrected(
    client: OpenAI, upstream: UpstreamEmulator, account: str, say: str, *, stream: bool
) -> None:
    queue(upstream, account, f"agent form=broken {ARGS} {say}", f"agent {ARGS} name=read_file")
    answer = Answer(client, user("x"), stream=stream, tools=[READ])
    assert [arguments for _, _, arguments in answer.calls] == [ARGUMENTS]
    assert answer.text == ("Look: " if say else "")
    assert count_questions(upstream) == 2


def count_questions(upstream: UpstreamEmulator) -> int:
    return sum(sent["path"].endswith("assistant/stream") for sent in upstream.requests())


TROUBLES: dict[str, Any] = {
    "tool_call_malformed": ([f"agent form=broken {ARGS}"] * 2, {"tools": [READ]}),
    "tool_choice_unmet": (["agent form=prose"] * 2, {"tools": [READ], "tool_choice": "required"}),
    "json_not_valid": (["text say=no", "text say=never"], {"response_format": {"type": "json_object"}}),
}


@streamed
@pytest.mark.parametrize("code", TROUBLES)
def test_what_stays_wrong_is_an_error_that_nobody_tries_again(
    client: OpenAI, upstream: UpstreamEmulator, account: str, code: str, *, stream: bool
) -> None:
    directives, more = TROUBLES[code]
    queue(upstream, account, *directives)
    with pytest.raises(openai.APIStatusError) as raised:
        Answer(client.with_options(max_retries=2), user("x"), stream=stream, **more)
    assert (raised.value.status_code, raised.value.code) == (502, code)
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert count_questions(upstream) == 2


@streamed
def test_a_forced_choice(client: OpenAI, upstream: UpstreamEmulator, account: str, *, stream: bool) -> None:
    queue(upstream, account, "agent form=prose", f"agent {ARGS} name=read_file")
    choice: Any = {"type": "function", "function": {"name": "read_file"}}
    answer = Answer(client, user("x"), stream=stream, tools=[READ, SEARCH], tool_choice=choice)
    assert (answer.text, [name for _, name, _ in answer.calls]) == ("", ["read_file"])


@streamed
def test_thinking_alone_is_asked_to_go_on(
    client: OpenAI, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    queue(upstream, account, "think only=1", "text say=Done.")
    answer = Answer(client, user("x"), stream=stream, tools=[READ])
    assert (answer.text, answer.finish) == ("Done.", "stop")
    assert count_questions(upstream) == 2


def test_without_a_call_the_deltas_are_those_without_tools(client: OpenAI) -> None:
    directive = f"text say={quote('A tag <b>, some `code` and 1 < 2. ' * 10)}"

    def listen(**more: Any) -> list[str | None]:
        create: Any = client.chat.completions.create
        chunks = create(model="glm", messages=user(directive), stream=True, **more)
        return [chunk.choices[0].delta.content for chunk in chunks]

    with_tools, without = listen(tools=[READ]), listen()
    assert "".join(filter(None, with_tools)) == "".join(filter(None, without))
    assert abs(len(with_tools) - len(without)) <= 10  # those that end in what may begin a call


class Weather(BaseModel):
    city: str
    degrees: int


def test_json_that_fits_its_schema(client: OpenAI, upstream: UpstreamEmulator, account: str) -> None:
    bad, good = 'It is {"city": "Beijing"}.', '```json\n{"city": "Beijing", "degrees": 18}\n```'
    queue(upstream, account, f"text say={quote(bad)}", f"text say={quote(good)}")
    completion = client.chat.completions.parse(
        model="glm", messages=[{"role": "user", "content": "Weather?"}], response_format=Weather
    )
    assert completion.choices[0].message.parsed == Weather(city="Beijing", degrees=18)
    assert count_questions(upstream) == 2


def test_functions_of_2023(client: OpenAI) -> None:
    create: Any = client.chat.completions.create
    (choice,) = create(model="glm", messages=user(f"agent {ARGS}"), functions=[READ["function"]]).choices
    assert (choice.message.function_call.name, choice.finish_reason) == ("read_file", "function_call")


def test_what_operators_see(gateway: GatewayProcess, client: OpenAI) -> None:
    Answer(client, user("agent form=native args=%7B%22path%22:5%7D"), stream=False, tools=[READ])
    headers = {"Authorization": "Bearer metrics-key-of-the-tests"}
    lines = requests.get(f"{gateway.url}/metrics", headers=headers, timeout=10).text.splitlines()
    counts = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(counts['glm_tool_calls_total{form="native",route="native"}']) >= 1
    assert float(counts['glm_answer_checks_total{finding="coerced"}']) >= 1
