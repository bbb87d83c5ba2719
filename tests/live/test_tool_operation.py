"""Tools over real sockets: every form once, quotations, and what happens around a call that takes long."""

from __future__ import annotations

import base64
import json
import re
import resource
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from openai import OpenAI

from demo.gateway import GatewayProcess
from tests.app.tools.test_detector import FOREIGN, NATIVE_A, NATIVE_LINES, OBJECT_A, OWN, TEXT
from tests.app.tools.test_detector_damage import DAMAGED
from tests.eventually import eventually
from tests.live.conftest import StartGateway, connect, list_states
from tests.live.test_tools import ARGS, READ, Answer, count_questions, queue, streamed, user
from tests.raw_client import RawClient, open_chat
from upstream_emulator.emulator import UpstreamEmulator

NOW: Any = {"type": "function", "function": {"name": "now"}}
SEARCH: Any = {"type": "function", "function": {"name": "search"}}
PATCH: Any = {"type": "custom", "custom": {"name": "apply_patch"}}
TOOLS = [READ, NOW, SEARCH, PATCH]


def write(said: str, **more: object) -> str:
    """Have the model say so, in the process's own dialect."""
    fields = " ".join(f"{key}={value}" for key, value in more.items())
    return f"agent written={quote(said.replace('call-k3x9', 'call-word'), safe='<')} {fields}"


def take_calls(message: Any) -> list[tuple[str, str]]:
    found = []
    for call in message.tool_calls or ():
        named = call.function if call.type == "function" else call.custom
        found.append((named.name, named.arguments if call.type == "function" else named.input))
    return found


@pytest.mark.parametrize("row", [*OWN, *FOREIGN])
def test_every_form_once(client: OpenAI, upstream: UpstreamEmulator, account: str, row: str) -> None:
    said, expected = (OWN | FOREIGN)[row]
    queue(upstream, account, write(said))
    create: Any = client.chat.completions.create
    (choice,) = create(model="glm", messages=[{"role": "user", "content": "x"}], tools=TOOLS).choices
    strings = json.dumps(take_calls(choice.message)).replace("call-k3x9", "")
    words = json.dumps([list(call) for call in expected.calls]).replace("call-k3x9", "")
    assert len(take_calls(choice.message)) == len(expected.calls)
    assert row in {"marks in a string", "free text in JSON"} or strings == words
    assert choice.finish_reason == ("tool_calls" if expected.calls else "stop")


@streamed
@pytest.mark.parametrize("row", DAMAGED)
def test_every_damage_once(
    client: OpenAI, upstream: UpstreamEmulator, account: str, row: str, *, stream: bool
) -> None:
    said, _ = DAMAGED[row]
    queue(upstream, account, write(said), f"agent {ARGS} name=read_file")
    answer = Answer(client, user("x")[:1], stream=stream, tools=[READ])
    assert [(name, json.loads(arguments)["path"]) for _, name, arguments in answer.calls] == [
        ("read_file", "a.txt")
    ]
    assert (answer.text, answer.finish) == ("", "tool_calls")
    assert count_questions(upstream) == 2


@streamed
@pytest.mark.parametrize("row", TEXT)
def test_every_look_alike_once(
    client: OpenAI, upstream: UpstreamEmulator, account: str, row: str, *, stream: bool
) -> None:
    queue(upstream, account, write(TEXT[row].replace("call-k3x9a", "call-worda")))
    answer = Answer(client, user("x")[:1], stream=stream, tools=[READ])
    assert (answer.calls, answer.finish) == ([], "stop")
    word = re.compile("call-[a-z0-9]{4}")  # drawn by the process
    assert word.sub("call-", answer.text) == word.sub("call-", TEXT[row])


QUOTED = [NATIVE_A, NATIVE_LINES, OBJECT_A, f"```json\n{OBJECT_A}\n```"]


@streamed
@pytest.mark.parametrize("place", ["question", "result", "history", "file", "continued"])
@pytest.mark.parametrize("said", QUOTED, ids=["native", "native lines", "object", "fenced"])
def test_a_quoted_form_is_never_a_call(
    client: OpenAI, upstream: UpstreamEmulator, account: str, said: str, place: str, *, stream: bool
) -> None:
    """Wherever the model has read it, also where the gateway has not."""
    more: dict[str, Any] = {}
    document = f"The manual:\n{said}\nThat is how."
    called = {"id": "c", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    messages: list[Any] = [{"role": "user", "content": "What does it say?"}]
    match place:
        case "question":
            messages = [{"role": "user", "content": document}]
        case "result":
            messages += [
                {"role": "assistant", "tool_calls": [called]},
                {"role": "tool", "tool_call_id": "c", "content": document},
            ]
        case "history":
            messages = [{"role": "assistant", "content": document}, *messages]
        case "file":
            data = base64.b64encode(document.encode()).decode()
            attached = {"filename": "a.txt", "file_data": f"data:text/plain;base64,{data}"}
            parts = [{"type": "file", "file": attached}, {"type": "text", "text": "?"}]
            messages = [{"role": "user", "content": parts}]
        case "continued":
            queue(upstream, account, "text")
            asked = [{"role": "user", "content": document}]
            create: Any = client.chat.completions.create
            more = {"extra_body": {"conversation_id": create(model="glm", messages=asked).id}}
    queue(upstream, account, write(said))
    answer = Answer(client, messages, stream=stream, tools=[READ], **more)
    assert (answer.text, answer.calls, answer.finish) == (said, [], "stop")


@streamed
def test_another_account_calls_where_one_fails(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    queue(upstream, account, "throttled429")
    queue(upstream, f"{account}-b", f"agent {ARGS}")
    queue(upstream, f"{account}-c", f"agent {ARGS}")
    with connect(gateway, f"{account},{account}-b,{account}-c") as client:
        answer = Answer(client, user("x"), stream=stream, tools=[READ])
    assert [name for _, name, _ in answer.calls] == ["read_file"]
    assert upstream.state()["undeleted"] <= 1


LONG = "agent fill=500000 step=4000 pace=30"
LONG_SECONDS = 3.75


def open_long_call(gateway: GatewayProcess, account: str, directive: str = LONG) -> RawClient:
    question = f"Please. [[{directive} {ARGS}]]"
    return open_chat(gateway.url, account, question, stream=True, tools=[READ], timeout_seconds=30)


def test_a_client_that_leaves_a_held_call_frees_its_account(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    raw = open_long_call(gateway, account, "agent fill=500000 step=400 pace=20")  # half a minute
    raw.read_until(b": ping")
    raw.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=10)
    eventually(lambda: list_states(gateway, account) == ["ready"], 10)
    upstream.wait_until(lambda state: state["undeleted"] <= 1)


def read_memory_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def test_a_call_of_half_a_megabyte_has_heartbeats_and_bounded_memory(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    pid = gateway.worker_pid
    assert pid is not None
    with open_long_call(gateway, account, "agent fill=500000 step=50000") as raw:
        raw.read_answer()
    before, most = read_memory_bytes(pid), 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.wait(0.01):
            most = max(most, read_memory_bytes(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    with open_long_call(gateway, account) as raw:
        body = raw.read_answer().body.decode()
    ended.set()
    watching.join()
    events = [event for event in body.split("\n\n") if event.startswith("data: {")]
    calls = [
        call
        for event in events
        for call in json.loads(event[6:])["choices"][0]["delta"].get("tool_calls", ())
    ]
    assert len(calls) == 1
    assert len(json.loads(calls[0]["function"]["arguments"])["content"]) == 500_000
    assert body.count("[DONE]") == 1
    assert [json.loads(event[6:])["choices"][0]["finish_reason"] for event in events][-1] == "tool_calls"
    assert body.count(": ping") >= LONG_SECONDS / 0.2 / 4, (
        "a heartbeat each 0.2 s, most of them on a busy machine late"
    )
    # The call as text, as JSON, as bytes and once more on its way out.
    assert most - before < 16 * 1024 * 1024


def test_a_megabyte_of_angle_brackets_is_text(
    client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    said = "<" * 1_000_000
    queue(upstream, account, write(said, step=4000, pace=0))
    answer = Answer(client, user("x")[:1], stream=True, tools=[READ])
    assert (answer.text, answer.calls, answer.finish) == (said, [], "stop")


def test_after_an_early_end_the_account_answers_and_the_conversation_goes(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """An upstream that talks on behind the call does not hold anybody up."""
    gateway = start_gateway(application="tests.live.patient:app")
    after = quote(" and then I wait for it. " * 400)
    with connect(gateway, account) as client:
        for _ in range(3):
            begun = time.monotonic()
            messages = [
                {"role": "system", "content": "s"},
                *user(f"agent after={after} pace=20 deaf=1 {ARGS}"),
            ]
            answer = Answer(client, messages, stream=True, tools=[READ])
            assert (len(answer.calls), answer.finish) == (1, "tool_calls")
            assert time.monotonic() - begun < 15, "the whole answer takes a minute"
    state = upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert state["requests"]["/chatglm/mainchat-api/stream/stop_stream"] == 3
    assert count_questions(upstream) == 3


@streamed
def test_no_question_costs_more_than_two_answers(
    client: OpenAI, upstream: UpstreamEmulator, account: str, *, stream: bool
) -> None:
    """Whatever the model does wrong, one after the other; and the SDK does not try again by itself."""
    wrong = [
        f"agent form=broken {ARGS}",
        "agent form=prose",
        "think only=1",
        "text say=no",
        f"agent form=broken {ARGS} say=Look.",
        "agent form=native args=%7B%22path",
    ]
    more: Any = {"tools": [READ], "tool_choice": "required", "response_format": {"type": "json_object"}}
    patient = client.with_options(max_retries=3)
    for first in wrong:
        for second in wrong:
            before = count_questions(upstream)
            queue(upstream, account, first, second, *wrong)
            with pytest.raises(Exception, match="tool") as raised:
                Answer(patient, user("x"), stream=stream, **more)
            assert getattr(raised.value, "code", None) in ("tool_call_malformed", "tool_choice_unmet")
            assert count_questions(upstream) - before == 2, (first, second)
