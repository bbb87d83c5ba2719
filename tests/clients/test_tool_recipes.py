"""The programs of docs/clients/ with tools or typed output: each calls, has its result, and answers.

What the model does is queued on the account; it reads in the prompt which tools there are and how to call.
"""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.clients.conftest import RunProgram
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator


class Recipe(NamedTuple):
    """Which code of a page is run, what the model does in each turn, and what is printed in the end."""

    page: str
    language: str
    headings: tuple[str, ...]
    does: tuple[str, ...]
    printed: tuple[str, ...]


def call(name: str = "", **arguments: object) -> str:
    """The function of that name, or the first of the prompt."""
    return f"agent args={quote(json.dumps(arguments))}" + (f" name={name}" if name else "")


def say(text: str) -> str:
    return f"text say={quote(text)}"


def python(page: str, *headings: str, does: tuple[str, ...], prints: tuple[str, ...]) -> Recipe:
    return Recipe(page, "python", ("Set up", *headings), does, prints)


def javascript(page: str, *headings: str, does: tuple[str, ...], prints: tuple[str, ...]) -> Recipe:
    return Recipe(page, "javascript", ("Set up", *headings), does, prints)


ASK = (call(city="北京"), "agent")
"""A call, and an answer in words that tells its result."""
TOLD = ("get_weather #1 gave: 北京: 18 °C",)

JSON = '{"city":"北京","degrees":18}'
TYPED = call(city="北京", degrees=18)
SAID = say(JSON)
FENCED = say(f"It is:\n```json\n{JSON}\n```\n")
READ = ("city='北京' degrees=18",)

RECIPES = [
    python("openai", "Tools", does=ASK, prints=TOLD),
    python("openai", "Typed output", does=(FENCED,), prints=READ),
    javascript("openai", "Tools", does=ASK, prints=TOLD),
    javascript("openai", "Typed output", does=(FENCED,), prints=(JSON,)),
    python("langchain", "Set up tools", "Tools", does=ASK, prints=TOLD),
    python("langchain", "Set up tools", "Typed output", does=(FENCED, TYPED, SAID), prints=READ * 3),
    python(
        "langchain",
        "Set up tools",
        "An agent",
        does=(*ASK, call(city="北京"), call("Weather", city="北京", degrees=18)),
        prints=TOLD + READ,
    ),
    python("langchain", "Set up tools", "LangGraph", does=ASK, prints=TOLD),
    javascript("langchain", "Tools", does=ASK, prints=TOLD),
    javascript(
        "langchain",
        "Tools",
        "Typed output",
        does=(*ASK, FENCED, TYPED, SAID),
        prints=(*TOLD, JSON, JSON, JSON),
    ),
    python("litellm", "Tools", does=ASK, prints=TOLD),
    python("litellm", "Typed output", does=(FENCED,), prints=READ),
    javascript("ai-sdk", "Tools", does=ASK, prints=("getWeather #1 gave: 北京: 18 °C",)),
    javascript("ai-sdk", "Tools", "Typed output", does=(*ASK, FENCED), prints=(JSON,)),
    python(
        "openai-agents", "Tools", "Responses", does=(*ASK, *ASK, say("20 °C")), prints=(*TOLD, *TOLD, "20 °C")
    ),
    python("pydantic-ai", "Tools", does=ASK, prints=TOLD),
    python(
        "pydantic-ai",
        "Tools",
        "Typed output",
        does=(*ASK, call(city="北京"), call("final_result", city="北京", degrees=18), FENCED),
        prints=TOLD + READ * 2,
    ),
    python("instructor", "Typed output", does=(TYPED, FENCED, SAID), prints=READ * 3),
    python("openai-agents", "Tools", does=ASK, prints=TOLD),
    python("openai-agents", "Typed output", does=(call(city="北京"), FENCED), prints=READ),
    python(
        "openai-agents",
        "Tools",
        "Handing over",
        does=(*ASK, call("transfer_to_weather"), call("get_weather", city="北京"), "agent"),
        prints=(*TOLD, "gave: 北京: 18 °C"),
    ),
    python(
        "openai-agents",
        "Your shell",
        does=(call(commands=["echo hello"]), "agent"),
        prints=("shell #1 gave: hello",),
    ),
    python(
        "smolagents",
        "Tools",
        does=(call(city="北京"), call("final_answer", answer="It has 18 °C.")),
        prints=("It has 18 °C.",),
    ),
    python(
        "smolagents",
        "Code",
        does=(say('I look.\n<code>\nfinal_answer(get_weather("北京"))\n</code>'),),
        prints=("北京: 18 °C",),
    ),
]
# What each calls a dead token.
FAILURES = {
    "pydantic-ai": "ModelAuthenticationError 401 account_expired",
    "instructor": "AuthenticationError account_expired",
    "openai-agents": "AuthenticationError account_expired",
    "smolagents": "AgentGenerationError",
}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: "-".join((*recipe[:2], recipe.headings[-1])))
def test_calls_results_and_answers(
    recipe: Recipe, run_program: RunProgram, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account, next=list(recipe.does))
    ended = run_program(recipe.language, read_code(recipe.page, recipe.language, *recipe.headings))
    assert ended.returncode == 0, ended.stderr
    rest = ended.stdout
    for words in recipe.printed:
        assert words in rest, ended.stdout
        rest = rest.partition(words)[2]
    asked = [sent for sent in upstream.requests() if sent["path"].endswith("assistant/stream")]
    assert len(asked) == len(recipe.does), "one question a turn"


# Not LangChain, whose JSON mode leaves the schema out: the stand-in reads schemas, not words.
WITHOUT_ACCOUNT = [
    recipe for recipe in RECIPES if recipe.headings[-1] == "Typed output" and recipe.page != "langchain"
]


@pytest.mark.parametrize("recipe", WITHOUT_ACCOUNT, ids=lambda recipe: "-".join(recipe[:2]))
def test_typed_output_without_an_account(recipe: Recipe, run_program: RunProgram) -> None:
    ended = run_program(recipe.language, read_code(recipe.page, recipe.language, *recipe.headings))
    assert ended.returncode == 0, ended.stderr
    typed = [words for words in recipe.printed if "degrees" in words]
    shown = {words.replace("北京", "示例").replace("18", "1") for words in typed}
    assert [line for line in ended.stdout.splitlines() if line in shown] == [*shown] * len(typed)


@pytest.mark.parametrize("page", FAILURES)
def test_failures(page: str, run_program: RunProgram, account: str) -> None:
    ended = run_program("python", read_code(page, "python", "Set up", "When it fails"), f"dead-{account}")
    assert ended.returncode == 1, ended.stdout
    assert FAILURES[page] in ended.stderr
    assert "Traceback" not in ended.stderr
