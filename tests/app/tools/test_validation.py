"""Schemas of strangers: nothing fetched, nothing that hangs, nothing that crashes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.core.tool import Tool
from app.tools.arguments import ArgumentReader, Arguments, Unreadable
from app.tools.schema import MAX_SCHEMA_CHARS, MAX_SCHEMA_DEPTH, Schema, check_schema
from app.tools.validation import MAX_REFERENCE_PATHS, Validation, Verdict, count_reference_paths

LEAF = {"type": "integer"}


def chain(length: int, link: Callable[[str], Any], **more: Any) -> Any:
    """`a` refers to a definition that refers to the next, and so on, to an integer."""
    definitions = {f"d{i}": link(f"#/$defs/d{i + 1}") for i in range(length)} | {f"d{length}": LEAF}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions, **more}


def twice(reference: str) -> Any:
    return {"allOf": [{"$ref": reference}, {"$ref": reference}]}


def once(reference: str) -> Any:
    return {"anyOf": [{"$ref": reference}]}


def read(schema: Any, value: Any) -> Arguments:
    found = ArgumentReader(Tool("t", "", schema)).read(json.dumps(value))
    assert not isinstance(found, Unreadable)
    return found[0]


def test_a_diamond_is_typed_and_not_validated() -> None:
    begun = time.thread_time()
    arguments = read(chain(40, twice), {"a": "5"})
    assert time.thread_time() - begun < 1
    assert (arguments.text, arguments.verdict) == ('{"a":5}', Verdict(is_known=False))


def test_a_small_diamond_is_validated() -> None:
    assert read(chain(10, twice), {"a": 5}).verdict == Verdict()
    assert len(read(chain(10, twice), {"a": []}).verdict.violations) > 0


@pytest.mark.parametrize("length", [300, 5_000])
def test_a_chain_that_would_exhaust_the_stack_is_not_followed(length: int) -> None:
    # Followed to its end by the validator, 10,000 links crash the process.
    assert read(chain(length, once), {"a": "x"}).verdict == Verdict(is_known=False)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"not": {"$ref": "#"}},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"a": {"if": {"$ref": "#/$defs/a"}}}, "dependentSchemas": {"k": {"$ref": "#/$defs/a"}}},
    ],
)
def test_a_schema_that_leads_back_to_itself_is_not_asked(schema: Any) -> None:
    assert read(schema, {"a": "x"}) == Arguments('{"a":"x"}', verdict=Verdict(is_known=False))


def test_recursion_into_the_value_is_validated() -> None:
    tree = {"type": "object", "properties": {"sub": {"type": "array", "items": {"$ref": "#"}}, "n": LEAF}}
    assert read(tree, {"sub": [{"sub": [{"n": 1}]}]}).verdict == Verdict()
    assert len(read(tree, {"sub": [{"sub": [{"n": []}]}]}).verdict.violations) == 1


def test_branching_recursion_is_counted_by_the_depth_of_the_value() -> None:
    node = {"properties": {"c": twice("#")}}
    assert count_reference_paths(node, 0) == 1
    assert count_reference_paths(node, 3) == 15
    assert count_reference_paths(node, 20) == MAX_REFERENCE_PATHS + 1
    deep: Any = {}
    for _ in range(30):
        deep = {"c": deep}
    assert read(node, deep).verdict == Verdict(is_known=False)


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        schema = {
            "$id": url,
            "$schema": url,
            "properties": {
                "a": {"$ref": url},
                "b": LEAF,
                "c": {"$dynamicRef": f"{url}#x"},
                "d": {"$ref": "other#/x"},
            },
        }
        arguments = read(schema, {"a": "x", "b": "y", "c": 1, "d": 2})
        with pytest.raises(TimeoutError):
            server.accept()
    assert arguments.text == '{"a":"x","b":"y","c":1,"d":2}'
    assert [text[:1] for text in arguments.verdict.violations] == ["b"]


@pytest.mark.parametrize("pattern", ["(a+)+$", "(x+x+)+y", r"(\w*a){20}b", "^(?:a|aa)+$", "[01]*1[01]{300}2"])
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    begun = time.thread_time()
    arguments = read({"properties": {"a": {"pattern": pattern}}}, {"a": "aax01" * 40_000 + "!"})
    assert time.thread_time() - begun < 2
    assert arguments.verdict.is_known


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "[", "a{1,100000}{1,1000}", "x" * 2_000, r"(?<!a)b"])
def test_a_pattern_that_cannot_be_read_is_dropped(pattern: str) -> None:
    schema = {"properties": {"a": {"pattern": pattern}, "b": {"pattern": "^ok$"}}}
    verdict = read(schema, {"a": "q", "b": "bad"}).verdict
    assert verdict.violations == ('b: it does not match "^ok$"',)


def test_a_key_pattern_that_cannot_be_read_takes_what_depends_on_it_along() -> None:
    schema = {"patternProperties": {"(?=x)": LEAF}, "additionalProperties": False, "required": ["z"]}
    assert read(schema, {"a": 1}).verdict.violations == ('the value: "z" is a required property',)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"}, {"properties": {"a": {"type": 3}}}, {"properties": {"a": {"enum": 1}}},
        {"minimum": "x"}, {"$ref": "#/nowhere"}, {"required": True}, {"allOf": 3}, {"enum": ["\ud800"]},
        {"properties": {"a": {"exclusiveMinimum": True}}},
    ],
)  # fmt: skip
def test_what_is_no_schema_says_nothing(schema: Any) -> None:
    assert read(schema, {"a": 1}).verdict == Verdict(is_known=False)


@pytest.mark.parametrize(
    ("schema", "value", "violations"),
    [
        ({"type": "array", "items": [LEAF, {"type": "string"}], "additionalItems": False}, [1, "a", 2], 1),
        ({"type": "integer", "nullable": True}, None, 0),
        ({"definitions": {"x": LEAF}, "properties": {"k": {"$ref": "#/definitions/x"}}}, {"k": "s"}, 1),
        ({"type": "string", "format": "email"}, "no mail", 0),
        ({"properties": {"title": {"type": "string"}, "default": LEAF}}, {"title": 3, "default": "x"}, 2),
        ({"type": "integer"}, 1.0, 0),
        ({"type": "integer"}, 2**100, 0),
        ({"type": "string"}, "\ud800", 0),
        ({}, 1, 0),
    ],
)
def test_older_and_looser_schemas(schema: Any, value: Any, violations: int) -> None:
    assert len(Validation(schema).check(value).violations) == violations


def test_violations_are_short_and_few() -> None:
    schema = {"additionalProperties": False, "properties": {"a": {"enum": ["x" * 500]}}}
    verdict = Validation(schema).check({"a": "y" * 100_000, **{f"k{i}" * 50: 1 for i in range(50)}})
    assert 1 <= len(verdict.violations) <= 5
    assert all(len(text) <= 300 and "yyy" not in text for text in verdict.violations)


def test_long_values_against_large_schemas_are_not_compared() -> None:
    schema = {"properties": {"a": {"items": {"anyOf": [{"const": {"k": i}} for i in range(5_000)]}}}}
    begun = time.thread_time()
    verdict = read(schema, {"a": [{"k": 4_999}] * 3_000}).verdict
    assert time.thread_time() - begun < 1
    assert not verdict.is_known


def test_many_wrong_items_are_told_by_the_first() -> None:
    begun = time.thread_time()
    verdict = read({"properties": {"a": {"items": LEAF}}}, {"a": ["x"] * 40_000}).verdict
    assert time.thread_time() - begun < 2
    assert len(verdict.violations) == 1


def test_coercion_gives_up_beyond_its_bound() -> None:
    schema = {"properties": {"a": {"items": LEAF}}}
    begun = time.thread_time()
    assert read(schema, {"a": ["1"] * 120_000}).coerced == 0
    assert read(schema, {"a": ["1"] * 1_000}).coerced == 1_000
    wide = {"anyOf": [{"properties": {f"k{i}": LEAF}} for i in range(900)]}
    read({"properties": {"a": {"items": wide}}}, {"a": [{"k1": "1"}] * 20_000})
    assert time.thread_time() - begun < 3


def test_the_bounds_of_a_schema() -> None:
    deep: Any = LEAF
    for _ in range(MAX_SCHEMA_DEPTH):
        deep = {"not": deep}
    assert check_schema(LEAF, 20) is None
    assert "characters" in str(check_schema({}, MAX_SCHEMA_CHARS + 1))
    assert "deeper" in str(check_schema(deep, 1_000))
    assert Validation(deep).check(1) == Verdict(is_known=False)


def test_types_of_hostile_unions_end() -> None:
    schema = Schema(chain(40, twice))
    begun = time.thread_time()
    assert schema.read_types({"$ref": "#/$defs/d5"}) == frozenset({"integer"})
    wide = Schema({"anyOf": [{"$ref": "#"}] * 5_000})
    assert wide.read_types(wide.root) is None
    assert len(wide.list_views(wide.root)) == 1
    narrow = Schema({"allOf": [{"$ref": "#"}] * 3})
    assert narrow.read_types(narrow.root) is None
    assert time.thread_time() - begun < 1


def test_the_validator_is_loaded_by_the_first_call_alone() -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    code = "import sys, app.tools.detector, app.tools.section; print('jsonschema_rs' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
