"""The one JSON value of an answer: found without inventing anything, checked, or told as wrong."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.json_format import JsonAnswer, JsonFormat, JsonInvalid
from tests.app.tools.test_detector_text import JSON

ANY = JsonFormat()
POINT = JsonFormat(
    {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "kind": {"enum": ["a", "b"]}},
        "required": ["x"],
        "additionalProperties": False,
    }
)
LIST = JsonFormat({"type": "array", "items": {"type": "integer"}})
NAME = JsonFormat({"type": "string"})

FOUND: list[tuple[JsonFormat, str, str]] = [
    (ANY, '{"a": 1}', '{"a": 1}'),
    (ANY, ' \n{"a": [1, {"b": "}"}]}\n', '{"a": [1, {"b": "}"}]}'),
    (ANY, '```json\n{"a": 1}\n```', '{"a": 1}'),
    (ANY, '```\n{"a": 1}\n```\n', '{"a": 1}'),
    (ANY, 'Here it is:\n\n```json\n{"a": "```"}\n```\nThat is all.', '{"a": "```"}'),
    (ANY, 'The answer is {"a": "say \\"}\\""} as asked.', '{"a": "say \\"}\\""}'),
    (ANY, 'See [1] and {x}: {"a": 1}', '{"a": 1}'),
    (ANY, '{"a": 1} [2]', '{"a": 1}'),
    (ANY, '{"a": "x\ny",}', '{"a": "x\\u000ay"}'),
    (LIST, "Sure: [1, 2] or so", "[1, 2]"),
    (LIST, '{"not": "it"} [1]', "[1]"),
    (NAME, '"text"', '"text"'),
    (POINT, '{"x": 1, "kind": "b"}', '{"x": 1, "kind": "b"}'),
    (POINT, '{"x": 1.0}', '{"x": 1.0}'),
    (ANY, '{"a": {"b": {}}}', '{"a": {"b": {}}}'),
    (ANY, '[link](http://x/{id}) {"a": 1}', '{"a": 1}'),
]
WRONG: list[tuple[JsonFormat, str, str]] = [
    (ANY, "", "no_json"),
    (ANY, "I cannot do that.", "no_json"),
    (ANY, '{"a": 1', "no_json"),
    (ANY, '{"a": "b', "no_json"),
    (ANY, "{'a': 1}", "no_json"),
    (ANY, '{"a": 1} {"b": 2}', "not_unique"),
    (ANY, '```json\n{"a": 1}\n```\n```json\n{"a": 2}\n```', "not_unique"),
    (ANY, '{} then {"a": 1}', "not_unique"),
    (ANY, "[1, 2]", "schema"),
    (ANY, '"text"', "schema"),
    (ANY, "3", "schema"),
    (ANY, "[1] or so", "schema"),
    (POINT, "{}", "schema"),
    (POINT, '{"x": "1"}', "schema"),
    (POINT, '{"x": 1, "y": 2}', "schema"),
    (POINT, '{"x": 1, "kind": "c"}', "schema"),
    (POINT, '[{"x": 1}]', "schema"),
    (LIST, '{"a": [1]}', "schema"),
    (NAME, "text", "no_json"),
]


@pytest.mark.parametrize(("json_format", "text", "value"), FOUND)
def test_the_value_is_found(json_format: JsonFormat, text: str, value: str) -> None:
    assert json_format.read(text) == JsonAnswer(value)


@pytest.mark.parametrize(("json_format", "text", "problem"), WRONG)
def test_what_is_wrong_is_said(json_format: JsonFormat, text: str, problem: str) -> None:
    found = json_format.read(text)
    assert isinstance(found, JsonInvalid)
    assert found.problem == problem
    assert bool(found.violations) == (problem == "schema")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", '"x" is a required property'),
        ('{"x": 1, "y": 2}', "'y' was unexpected"),
        ('{"x": "1"}', 'x: it is not of type "integer"'),
        ('{"x": 1, "kind": "c"}', 'kind: it is not one of "a" or "b"'),
    ],
)
def test_violations_name_their_place(text: str, words: str) -> None:
    found = POINT.read(text)
    assert isinstance(found, JsonInvalid)
    assert any(words in violation for violation in found.violations)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text(st.characters(exclude_characters='{}[]"')))
def test_a_value_among_prose_comes_out_to_the_byte(value: Any, prose: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert ANY.read(f"{prose}{text}{prose}") == JsonAnswer(text)


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    found = ANY.read(text)
    assert isinstance(found, JsonInvalid) or json.loads(found.text) == {} or "{" in text


@pytest.mark.parametrize(
    "text", ["[" * 200_000, '{"a":' * 60_000, "{x " * 90_000, "{x}" * 90_000, '{"' * 90_000, '["a' * 500_000]
)
def test_hostile_text_is_given_up_on(text: str) -> None:
    begun = time.thread_time()
    assert isinstance(ANY.read(text), JsonInvalid)
    assert time.thread_time() - begun < 2


def test_a_pattern_takes_linear_time() -> None:
    json_format = JsonFormat({"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}})
    begun = time.thread_time()
    assert isinstance(json_format.read(json.dumps({"a": "a" * 100_000 + "!"})), JsonInvalid)
    assert time.thread_time() - begun < 1


def test_a_schema_that_cannot_be_checked_is_told() -> None:
    assert JsonFormat({"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}}).read(
        "{}"
    ) == JsonAnswer("{}", is_checked=False)
    with pytest.raises(ValueError, match="characters"):
        JsonFormat({"description": "x" * 300_000})
