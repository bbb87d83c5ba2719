"""Anthropic's SDK for Python on /v1/messages: an agent's step, a search, failures, every answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote

from app.core.event import ReplyEvent, ToolCalled
from app.core.usage import TokenEstimate, Usage
from app.formats.anthropic_messages.encoder import EventEncoder, MessageFolder
from app.formats.format import ReplyHead
from tests.app.formats.openai_responses.test_every_answer import TOOL_ANSWERS, read_calls
from tests.app.upstream.pipeline import play
from tests.clients.conftest import RunProgram
from tests.fixture_table import load_fixtures
from tests.message_reader import forget_ids
from upstream_emulator.emulator import UpstreamEmulator

CLIENT = """
import os, anthropic
url, key = os.environ["OPENAI_BASE_URL"].removesuffix("/v1"), os.environ["OPENAI_API_KEY"]
client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)
"""
AGENT = (
    CLIENT
    + """
tool = {"name": "get_weather", "description": "Now.", "input_schema": {"type": "object", "properties": {}}}
question = {"role": "user", "content": "Weather?"}
with client.messages.stream(model="glm", max_tokens=999, tools=[tool], messages=[question]) as stream:
    kinds = [event.type for event in stream]
    first = stream.get_final_message()
call = first.content[-1]
print(call.name, call.input, first.stop_reason, kinds.count("message_stop"), kinds[-1])
result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees"}
messages = [question, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
answer = client.messages.create(model="glm", max_tokens=999, tools=[tool], messages=messages)
print(answer.content[0].text, answer.stop_reason, answer.usage.output_tokens > 0)
thinking = {"type": "enabled", "budget_tokens": 1024}
with client.messages.stream(model="glm", max_tokens=2048, thinking=thinking, messages=[question]) as stream:
    print([block.type for block in stream.get_final_message().content])
search = {"type": "web_search_20250305", "name": "web_search"}
with client.messages.stream(model="glm", max_tokens=999, tools=[search], messages=[question]) as stream:
    found = stream.get_final_message()
_, result, text = found.content
print([block.type for block in found.content], text.citations[0].url == result.content[0].url)
print(client.messages.count_tokens(model="glm", tools=[tool], messages=[question]).input_tokens > 50)
print("claude-glm" in [model.id for model in client.models.list()])
"""
)
RUNNER = (
    CLIENT
    + """
@anthropic.beta_tool
def get_weather() -> str:
    '''Now.'''
    return "18 degrees"

question = {"role": "user", "content": "Weather?"}
ask = {"model": "glm", "max_tokens": 999, "system": "Be brief.", "messages": [question]}
ask["tools"] = [get_weather]
print(client.beta.messages.tool_runner(**ask).until_done().content[0].text)
print(client.beta.messages.tool_runner(**ask, stream=True).until_done().content[0].text)
try:
    client.beta.messages.thread(model="glm", max_tokens=999).send(question)
except anthropic.BadRequestError as error:
    print(type(error).__name__)
"""
)
OWN_TOOLS = (
    CLIENT
    + """
import subprocess
from anthropic.tools import BetaLocalFilesystemMemoryTool

question = {"role": "user", "content": "Go on."}
ask = {"model": "glm", "max_tokens": 999}
memory = BetaLocalFilesystemMemoryTool(os.environ["HOME"])
runner = client.beta.messages.tool_runner(**ask, messages=[question], tools=[memory])
print(runner.until_done().content[0].text)
tools, messages = [{"type": "bash_20250124", "name": "bash"}], [question]
wanted = {"type": "tool", "name": "bash"}
first = client.messages.create(**ask, messages=messages, tools=tools, tool_choice=wanted)
call = first.content[-1]
printed = subprocess.run(["bash", "-c", call.input["command"]], capture_output=True, text=True).stdout
result = {"type": "tool_result", "tool_use_id": call.id, "content": printed}
messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
print(client.messages.create(**ask, messages=messages, tools=tools).content[0].text)

@anthropic.beta_tool
def get_weather() -> str:
    '''Now.'''
    return "18 degrees"

@anthropic.beta_tool
def get_time() -> str:
    '''Now.'''
    return "noon"

runner = client.beta.messages.tool_runner(**ask, messages=[question], tools=[get_weather])
for number, message in enumerate(runner):
    if number == 0:
        runner.add_tools(get_time)
    if number == 1:
        runner.remove_tools("get_weather")
    print([block.name for block in message.content if block.type == "tool_use"] or message.content[0].text)
"""
)
FAILURES = (
    CLIENT
    + """
def tell(**fields):
    try:
        with client.messages.stream(**{"model": "glm", "max_tokens": 9} | fields) as stream:
            stream.get_final_message()
    except anthropic.APIStatusError as error:
        print(type(error).__name__, error.body["error"]["code"], bool(error.request_id))

question = {"role": "user", "content": "x"}
tell(messages=[])
tell(messages=[question])
tell(messages=[question])
client = client.with_options(api_key="dead-" + client.api_key)
tell(messages=[question])
"""
)
FOLDING = """
import base64, json, sys, anthropic, httpx2
streams = [base64.b64decode(line) for line in open(sys.argv[1])]
left = iter(streams)

def answer(request):
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=next(left))

http_client = httpx2.Client(transport=httpx2.MockTransport(answer))
client = anthropic.Anthropic(api_key="x", base_url="http://127.0.0.1:9", http_client=http_client)
for _ in streams:
    with client.messages.stream(model="glm", max_tokens=9, messages=[]) as stream:
        print(json.dumps(stream.get_final_message().to_dict()))
"""


def run(run_program: RunProgram, text: str) -> list[str]:
    ended = run_program("python", text)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_an_agents_step_and_a_search(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str
) -> None:
    steps = ["agent again=1 name=get_weather", f"text say={quote('It is 18.')}", "think", "search"]
    upstream.account(account, next=steps)
    assert run(run_program, AGENT) == [
        "get_weather {} tool_use 1 message_stop",
        "It is 18. end_turn True",
        "['thinking', 'text']",
        "['server_tool_use', 'web_search_tool_result', 'text'] True",
        "True",
        "True",
    ]


def test_its_tool_runner_sends_all_of_the_conversation(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str
) -> None:
    """It would have the server hold it, sends only what is new then, and takes no for an answer."""
    steps = ["agent name=get_weather", f"text say={quote('It is 18.')}"]
    upstream.account(account, next=steps * 2)
    said = ["It is 18.", "It is 18.", "ThreadUnsupportedRequestError"]
    assert run(run_program, RUNNER) == said
    asked = [sent for sent in upstream.requests() if sent["account"] == account]
    prompts = [json.dumps(sent["body"]) for sent in asked if sent["path"].endswith("assistant/stream")]
    kept = ("Be brief.", "Weather?", "get_weather")
    assert [all(words in prompt for words in kept) for prompt in prompts] == [True] * 4
    assert ["18 degrees" in prompt for prompt in prompts] == [False, True] * 2


def test_tools_that_the_program_runs_come_without_a_schema_or_late(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str, tmp_path: Path
) -> None:
    note = {"command": "create", "path": "/memories/a.txt", "file_text": "hello"}
    memory = f"agent name=memory args={quote(json.dumps(note))}"
    bash = f"agent name=bash args={quote(json.dumps({'command': 'echo $((6 * 7))'}))}"
    calls = [f"agent again=1 name={name}" for name in ("get_weather", "get_time", "get_weather")]
    upstream.account(account, next=[memory, memory, bash, bash, *calls])
    said = run(run_program, OWN_TOOLS)
    assert said[:4] == [
        "memory #1 gave: File created successfully at: /memories/a.txt",
        "bash #1 gave: 42",
        "['get_weather']",
        "['get_time']",
    ]
    assert (tmp_path / "memories/a.txt").read_text() == "hello"
    (text,) = said[4:]
    assert text.startswith("<call-")


def test_failures_are_its_own(run_program: RunProgram, upstream: UpstreamEmulator, account: str) -> None:
    """Before the answer with a status, within it as the last event."""
    upstream.account(account, next=["busy429", "cut"])
    assert run(run_program, FAILURES) == [
        "BadRequestError invalid_value True",
        "RateLimitError account_answering True",
        "APIStatusError answer_cut True",
        "AuthenticationError account_expired True",
    ]


def list_answers() -> Iterator[list[ReplyEvent]]:
    """Every recorded answer, and every way in which a model calls a function."""
    for fixture in load_fixtures():
        if fixture.finish is not None:
            yield list(play([fixture.data]).events)
    for text, _ in TOOL_ANSWERS.values():
        events = read_calls(text)
        if not any(isinstance(event, ToolCalled) and event.kind == "custom" for event in events):
            yield events


def test_every_answer_is_folded_as_the_whole_is(run_program: RunProgram, tmp_path: Path) -> None:
    head, rng = ReplyHead("65f6c28546bae1f0fbb532de", "glm", 1), Random(7)
    streams, wholes = [], []
    for events in list_answers():
        encoder = EventEncoder(head, Usage(TokenEstimate()))
        folder = MessageFolder(head, Usage(TokenEstimate()))
        folder.add(events)
        wholes.append(json.loads(folder.encode()))
        cut = rng.randint(0, len(events))
        pieces = [
            encoder.start(),
            encoder.encode(events[:cut]),
            encoder.heartbeat(),
            encoder.encode(events[cut:]),
        ]
        streams.append(base64.b64encode(b"".join(pieces)).decode())
    path = tmp_path / "streams"
    path.write_text("\n".join(streams))
    folded = run(run_program, FOLDING.replace("sys.argv[1]", repr(str(path))))
    assert len(folded) == len(wholes) > 100
    for line, whole in zip(folded, wholes, strict=True):
        message = json.loads(line)
        assert forget_ids(message)["content"] == forget_ids(whole)["content"]
        assert (message["stop_reason"], message["stop_sequence"]) == (
            whole["stop_reason"],
            whole["stop_sequence"],
        )
        assert message["usage"]["output_tokens"] == whole["usage"]["output_tokens"]
