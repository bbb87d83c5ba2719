"""LangChain's client for Messages: tools whole and streamed, thinking, typed output, failures."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.clients.conftest import RunProgram
from tests.clients.test_tool_recipes import FENCED, TYPED, call, say
from upstream_emulator.emulator import UpstreamEmulator

SETTINGS = """
import os
from anthropic import APIStatusError
from langchain.agents import create_agent
from langchain.tools import tool
from langchain_anthropic import ChatAnthropic
from pydantic import BaseModel


def connect(**more):
    url, key = os.environ["OPENAI_BASE_URL"].removesuffix("/v1"), os.environ["OPENAI_API_KEY"]
    return ChatAnthropic(model="glm", base_url=url, api_key=key, max_tokens=2048, max_retries=0, **more)


@tool
def get_weather(city: str) -> str:
    "How warm it is in a city now."
    return f"{city}: 18 °C"


class Weather(BaseModel):
    city: str
    degrees: int


model = connect()
question = [{"role": "user", "content": "北京现在多少度？"}]
"""
TOOLS = """
armed = model.bind_tools([get_weather])
answer = ANSWER
print(answer.tool_calls[0]["name"], answer.tool_calls[0]["args"], answer.usage_metadata["output_tokens"] > 0)
history = [*question, answer, *(get_weather.invoke(call) for call in answer.tool_calls)]
print(armed.invoke(history).text)
"""
# An answer out of its pieces, as LangChain adds them up.
ADDED = "None\nfor piece in armed.stream(question):\n    answer = piece if answer is None else answer + piece"
THINKING = """
thinker = connect(thinking={"type": "enabled", "budget_tokens": 1024})
whole = thinker.invoke(question)
added = None
for piece in thinker.stream(question):
    added = piece if added is None else added + piece
for answer in (whole, added):
    kinds = [block["type"] for block in answer.content_blocks]
    print(kinds, answer.text)
again = thinker.invoke([*question, whole, {"role": "user", "content": "And?"}])
print(again.text)
"""
TYPED_OUTPUT = """
for method in ("json_schema", "function_calling"):
    print(model.with_structured_output(Weather, method=method).invoke(question))
ended = create_agent(model, [get_weather]).invoke({"messages": question})
print(ended["messages"][-1].text)
"""
FAILURES = """
for asked in (lambda: model.invoke(question), lambda: list(model.stream(question))):
    try:
        asked()
    except APIStatusError as error:
        print(type(error).__name__, error.body["error"]["code"])
"""


def run(run_program: RunProgram, text: str, credentials: str | None = None) -> list[str]:
    ended = run_program("python", SETTINGS + text, credentials)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.parametrize("answer", ["armed.invoke(question)", ADDED], ids=["whole", "streamed"])
def test_a_tool_and_its_result(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str, answer: str
) -> None:
    upstream.account(account, next=[call(city="北京"), "agent"])
    assert run(run_program, TOOLS.replace("ANSWER", answer)) == [
        "get_weather {'city': '北京'} True",
        "get_weather #1 gave: 北京: 18 °C",
    ]


def test_thinking_comes_apart_and_goes_back_in(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account, next=[f"think say={quote(text)}" for text in ("One.", "Two.", "Three.")])
    assert run(run_program, THINKING) == [
        "['reasoning', 'text'] One.",
        "['reasoning', 'text'] Two.",
        "Three.",
    ]


def test_typed_output_and_an_agent(run_program: RunProgram, upstream: UpstreamEmulator, account: str) -> None:
    upstream.account(account, next=[FENCED, TYPED, call(city="北京"), say("18 °C")])
    assert run(run_program, TYPED_OUTPUT) == ["city='北京' degrees=18"] * 2 + ["18 °C"]


def test_failures_are_those_of_anthropic(
    run_program: RunProgram, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account, next=["busy429", "cut"])
    assert run(run_program, FAILURES) == [
        "AnthropicRateLimitError account_answering",
        "APIStatusError answer_cut",
    ]
    assert (
        run(run_program, FAILURES, f"dead-{account}") == ["AnthropicAuthenticationError account_expired"] * 2
    )
