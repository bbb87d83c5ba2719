"""What the prompt says of the tools, within its budget and its time."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from app.core.tool import Tool, ToolChoice
from app.tools.correction import ask_for_call, ask_for_json, ask_readable_call, ask_to_continue
from app.tools.dialect import Dialect
from app.tools.json_format import JsonFormat, JsonInvalid
from app.tools.name import Names
from app.tools.section import MAX_SCHEMAS_CHARS, SchemasTooLong, build_section, write_example
from app.tools.tool import ToolsRefused
from tests.app.tools.detecting import DIALECT, NOW, READ, SEARCH, TOOLS, Answer, detect

# Forbidding words are repeated to the user, so that the model says what it may not do.
NEGATIVE = re.compile(
    r"\b(?:not|never|don't|no|cannot|without permission|forbidden|disabled|only)\b|不|勿|禁", re.IGNORECASE
)


def make_tool(number: int, parameters: int) -> Tool:
    """A tool as editors send them: about 300 characters a parameter."""
    described = "Where it is, in words that go on for a while. " * 5
    properties = {
        f"parameter_{i}": {
            "type": "string",
            "title": f"P {i}",
            "description": described,
            "default": "x",
            "examples": ["a"],
        }
        for i in range(parameters)
    }
    return Tool(
        f"tool_{number}",
        "Does a thing to a file, carefully. " * 30,
        {
            "type": "object",
            "$schema": "https://json-schema.org/x",
            "properties": properties,
            "required": ["parameter_0"],
        },
    )


def show(section_schemas: str) -> list[Any]:
    return [json.loads(line) for line in section_schemas.splitlines() if line.startswith("{")]


def test_schemas_stand_one_a_line() -> None:
    section = build_section(
        Names([READ, Tool("wetter", "天气", {"properties": {"ort": {"description": "城市"}}})]),
        ToolChoice(),
        DIALECT,
    )
    assert section.tier == 0
    assert [tool["name"] for tool in show(section.schemas)] == ["read_file", "wetter"]
    assert show(section.schemas)[0] == {
        "name": "read_file",
        "description": "Read a file.",
        "parameters": READ.parameters,
    }
    assert (
        '"description":"天气","parameters":{"properties":{"ort":{"description":"城市"}}}' in section.schemas
    )


def test_the_rules_have_one_example_that_is_read_as_a_call() -> None:
    section = build_section(Names(TOOLS), ToolChoice(), DIALECT)
    assert section.rules.count(DIALECT.opener) == 1
    example = next(line for line in section.rules.splitlines() if line.startswith(DIALECT.opener))
    assert detect([example]) == Answer(calls=(("read_file", '{"path":"..."}'),))


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ({"properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]}, {"a": "x"}),
        (
            {"properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}}, "required": ["b", "a"]},
            {"b": True, "a": 1},
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/l"}},
                "required": ["a"],
                "$defs": {"l": {"type": "array"}},
            },
            {"a": []},
        ),
        ({"properties": {"a": {"const": 7}}, "required": ["a", "missing", 3]}, {"a": 7}),
        ({"properties": {"a": {}}, "required": "a"}, {}),
        ({"properties": {"a": {}}}, {}),
    ],
)
def test_the_example_is_made_of_the_schema(schema: Any, arguments: Any) -> None:
    example = write_example(Names([Tool("t", "", schema)]), DIALECT)
    assert example == DIALECT.write_call("t", json.dumps(arguments, separators=(",", ":")))


def test_the_shortest_example_with_a_parameter_is_shown() -> None:
    assert "read_file" in write_example(Names([NOW, SEARCH, READ, make_tool(1, 1)]), DIALECT)
    assert write_example(Names([NOW]), DIALECT) == DIALECT.write_call("now", "{}")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (ToolChoice(), "Call functions whenever they help, and"),
        (ToolChoice(is_parallel=False), "one in a turn"),
        (ToolChoice("required"), "with one call or several."),
        (ToolChoice("required", is_parallel=False), "with one call."),
        (ToolChoice("named", ("read_file",)), "of read_file"),
    ],
)
def test_the_choice_is_said(choice: ToolChoice, words: str) -> None:
    tools = [READ] if choice.mode == "named" else TOOLS
    assert words in build_section(Names(tools), choice, DIALECT).rules


def test_all_words_are_positive_and_one_line_is_chinese() -> None:
    names, schema = Names([READ]), JsonFormat({"type": "object"})
    for choice in (
        ToolChoice(),
        ToolChoice("required", is_parallel=False),
        ToolChoice("named", ("read_file",)),
    ):
        section = build_section(names, choice, DIALECT, json_format=schema)
        said = section.schemas.split("{")[0] + section.rules
        assert NEGATIVE.findall(said) == []
        assert len(re.findall(r"(?m)^.*[\u4e00-\u9fff].*$", section.rules)) == 1
        assert "<tool_call>" not in said


def test_the_format_of_json_is_asked_for_last() -> None:
    schema = {"type": "object", "properties": {"城": {"type": "string"}}}
    rules = build_section(Names([READ]), ToolChoice(), DIALECT, json_format=JsonFormat(schema)).rules
    assert rules.endswith(json.dumps(schema, ensure_ascii=False, separators=(",", ":")))
    assert "An answer without a call" in rules
    alone = build_section(Names([]), ToolChoice(), DIALECT, json_format=JsonFormat())
    assert (alone.schemas, alone.rules) == (
        "",
        "The whole answer is one JSON object, by itself and ready for a JSON parser.",
    )
    assert build_section(Names([]), ToolChoice(), DIALECT).rules == ""


def test_schemas_are_cut_in_tiers() -> None:
    names = Names([make_tool(i, 4) for i in range(10)])
    full = build_section(names, ToolChoice(), DIALECT)
    sizes = [len(full.schemas)]
    for tier in (1, 2, 3, 4):
        section = build_section(names, ToolChoice(), DIALECT, budget_chars=sizes[-1] - 400)
        assert section.tier == tier
        sizes.append(len(section.schemas))
        tool = show(section.schemas)[0]
        kept = tool["parameters"]["properties"]["parameter_0"]
        assert kept.keys() == ({"type", "description"} if tier < 4 else {"type"})
        assert "$schema" not in tool["parameters"]
        assert len(kept.get("description", "")) <= (230 if tier < 2 else 200)
        assert len(tool.get("description", "")) <= (1_050 if tier < 3 else 600 if tier < 4 else 0)
    assert sizes == sorted(sizes, reverse=True)


def test_names_of_properties_and_values_survive_the_cutting() -> None:
    properties = {
        "title": {"type": "string", "title": "T"}, "default": {"enum": [{"title": 1}], "default": 2},
        "list": {"items": {"anyOf": [{"title": "x", "type": "string"}]}, "description": 5},
    }  # fmt: skip
    section = build_section(
        Names([Tool("t", "d", {"properties": properties})]), ToolChoice(), DIALECT, budget_chars=10
    )
    assert show(section.schemas) == [
        {
            "name": "t",
            "parameters": {
                "properties": {
                    "title": {"type": "string"},
                    "default": {"enum": [{"title": 1}]},
                    "list": {"items": {"anyOf": [{"type": "string"}]}},
                }
            },
        }
    ]


def test_too_much_is_refused_with_its_size() -> None:
    properties = {f"parameter_{i}": {"type": "string"} for i in range(2_000)}
    tools = [Tool(f"t{i}", "", {"properties": properties}) for i in range(8)]
    with pytest.raises(SchemasTooLong, match=str(MAX_SCHEMAS_CHARS)) as refused:
        build_section(Names(tools), ToolChoice(), DIALECT)
    assert refused.value.place == "tools"


@pytest.mark.parametrize("schema", [{"description": "x" * 300_000}, {"a": [[]] * 90_000}])
def test_a_schema_beyond_the_bounds_is_refused_with_its_place(schema: Any) -> None:
    with pytest.raises(ToolsRefused, match="`big` cannot be offered") as refused:
        build_section(
            Names([READ, Tool("big", "", schema, place="tools[1].function")]), ToolChoice(), DIALECT
        )
    assert refused.value.place == "tools[1].function"


@pytest.mark.parametrize("budget_chars", [400_000, 100_000, 20_000])
def test_sixty_tools_of_200_kilobytes_take_milliseconds(budget_chars: int) -> None:
    tools = [make_tool(i, 8) for i in range(60)]

    def run(offered: list[Tool]) -> float:
        begun = time.thread_time()
        build_section(Names(offered), ToolChoice(), DIALECT, budget_chars=budget_chars)
        return time.thread_time() - begun

    assert len(json.dumps([tool.parameters for tool in tools])) > 150_000
    assert min(run(tools) for _ in range(5)) < 0.025


def test_a_word_of_another_form_is_a_mistake_of_ours() -> None:
    for word in ("", "abc", "abcde", "AB12", "a b1"):
        with pytest.raises(ValueError, match="form"):
            Dialect(word)


def test_results_are_numbered_and_told_apart() -> None:
    assert (
        DIALECT.write_result("read_file", 2, "hello", has_failed=False) == "[Result of read_file #2]\nhello"
    )
    assert DIALECT.write_result("now", 1, " \n", has_failed=True) == "[Result of now #1 failed]\n(no output)"


def test_corrections_are_short_and_show_the_form() -> None:
    names = Names(TOOLS)
    call = ask_readable_call("not_json", "read_file", names, DIALECT)
    assert "The call of read_file was unreadable" in call
    assert DIALECT.write_call("read_file", '{"path":"..."}') in call
    assert "The call was unreadable" in ask_readable_call("unknown_name", None, names, DIALECT)
    unmet = ask_for_call(names, DIALECT)
    assert "read_file or now or apply_patch or user_search" in unmet
    assert DIALECT.opener in unmet
    wrong = ask_for_json(JsonInvalid("schema", ('a: it is not of type "string"',)), JsonFormat())
    assert '- a: it is not of type "string"' in wrong
    several = ask_for_json(JsonInvalid("not_unique"), JsonFormat())
    none = ask_for_json(JsonInvalid("no_json"), JsonFormat())
    assert len({call, unmet, wrong, several, none, ask_to_continue()}) == 6
    assert all(len(text) < 700 for text in (call, unmet, wrong, several, none, ask_to_continue()))
