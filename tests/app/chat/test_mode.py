"""What the model's name and the request's switches make of the answer."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.chat.mode import Mode, choose_mode, choose_options
from app.core.effort import Effort
from app.core.errors import ModelNotFound
from app.core.request import Question, ReasoningDisplay, TextPart, Turn
from app.core.tool import JsonOutput, SearchTool, Tool, ToolChoice
from app.core.usage import TokenEstimate
from app.formats.openai_chat.question import build_question
from app.formats.openai_chat.request import parse_chat_request


@pytest.mark.parametrize(
    ("field", "model", "default", "expected"),
    [
        ("null", "glm", "content", "content"),
        ("null", "glm", "tags", "tags"),
        ("null", "glm-think-silent", "tags", "hidden"),
        ('"content"', "glm-SILENT-search", "hidden", "content"),
        ('"tags"', "glm", "hidden", "tags"),
        ('"hidden"', "glm", "content", "hidden"),
        ("null", "silent", "content", "content"),
    ],
)
def test_who_decides_about_thinking(
    field: str, model: str, default: ReasoningDisplay, expected: ReasoningDisplay
) -> None:
    body = f'{{"model":"{model}","reasoning":{field},"messages":[{{"role":"user","content":"x"}}]}}'
    question = build_question(parse_chat_request(body.encode()))
    assert choose_options(question, choose_mode(question), default).reasoning == expected


@pytest.mark.parametrize(
    ("model", "effort", "mode"),
    [
        ("glm", None, ("", "")),
        ("glm-think", None, ("thinking", "high")),
        ("glm", "none", ("", "")),
        ("glm-think", "none", ("", "")),
        ("glm-zero", "minimal", ("", "")),
        ("glm", "low", ("thinking", "high")),
        ("glm", "medium", ("thinking", "high")),
        ("glm", "high", ("thinking", "high")),
        ("glm", "xhigh", ("deep_thinking", "max")),
        ("glm-think", "max", ("deep_thinking", "max")),
        ("0123456789abcdef01234567", "low", ("thinking", "high")),
        ("glm-deepresearch", "none", ("deep_research", "")),
    ],
)
def test_how_much_is_thought(model: str, effort: Effort | None, mode: tuple[str, str]) -> None:
    chosen = choose_mode(Question((Turn("user", (TextPart("x"),)),), model, effort=effort))
    assert (chosen.chat_mode, chosen.reasoning_effort) == mode


def test_an_ordinary_request_passes_no_transform() -> None:
    question = Question((Turn("user", (TextPart("x"),)),), "glm")
    assert (
        list(choose_options(question, choose_mode(question), "content").build_transforms(TokenEstimate()))
        == []
    )


READ = Tool("read", parameters={"type": "object"})
SEARCHING = Question((Turn("user", (TextPart("x"),)),), "glm", search_tool=SearchTool())


@pytest.mark.parametrize(
    ("question", "searches"),
    [
        (SEARCHING, True),
        (replace(SEARCHING, tools=(READ,)), False),
        (replace(SEARCHING, tools=(READ,), search_tool=SearchTool(is_chosen=True)), True),
        (replace(SEARCHING, choice=ToolChoice("none")), False),
        (replace(SEARCHING, choice=ToolChoice("required")), True),
        (replace(SEARCHING, json_output=JsonOutput()), False),
        (replace(SEARCHING, search_tool=None), False),
        (replace(SEARCHING, model="glm-think-silent"), True),
    ],
)
def test_a_search_tool_turns_the_search_on_where_it_is_alone_or_chosen(
    question: Question, *, searches: bool
) -> None:
    assert choose_mode(question).web_search is searches
    assert question.offered_tools == (() if searches else question.tools)


@pytest.mark.parametrize(
    ("model", "selected"),
    [
        ("glm", ""),
        ("glm-think", ""),
        ("gpt-5", ""),
        ("chatglm-5", ""),
        ("glm-5.3", "glm-5.3"),
        ("glm-5.3-flash", "glm-5.3-flash"),
        ("GLM-4.7", "glm-4.7"),
        ("glm-4-air-0520", "glm-4-air-0520"),
        ("glm-6-anything.new", "glm-6-anything.new"),
        ("glm-5.3-flash-think-search", "glm-5.3-flash"),
        ("glm-4.7-deepresearch", "glm-4.7"),
        ("glm-5-deep-research-silent", "glm-5"),
        ("glm-5-zero", "glm-5"),
    ],
)
def test_a_model_with_a_number_is_passed_on(model: str, selected: str) -> None:
    """Protocol notes 0.2 row 16."""
    question = Question((Turn("user", (TextPart("x"),)),), model)
    assert choose_mode(question).selected_model == selected


@pytest.mark.parametrize(
    "name", ["glm", "glm-think", "glm-think-search", "glm-deepresearch", "glm-5.3", "glm-5.3-silent"]
)
def test_an_alias_means_what_stands_behind_it(name: str) -> None:
    turns = (Turn("user", (TextPart("x"),)),)
    mode = choose_mode(Question(turns, name))
    assert choose_mode(Question(turns, f"claude-{name}")) == mode
    assert choose_mode(Question(turns, f"Claude-{name.upper()}")).chat_mode == mode.chat_mode


@pytest.mark.parametrize("digits", [20, 23, 25, 28])
def test_what_nearly_is_an_assistants_id_is_refused(digits: int) -> None:
    """The default model would answer in its place, and nobody would know."""
    question = Question((Turn("user", (TextPart("x"),)),), "6A" + "0" * (digits - 2))
    with pytest.raises(ModelNotFound, match=f"has 24 digits, and this one has {digits}") as raised:
        choose_mode(question)
    assert raised.value.param == "model"


@pytest.mark.parametrize("model", ["0" * 19, "0" * 29, "f" * 32, "deadbeef", "g" * 23])
def test_other_names_mean_the_default(model: str) -> None:
    assert choose_mode(Question((Turn("user", (TextPart("x"),)),), model)) == Mode()
