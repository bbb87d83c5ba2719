"""Examples of schemas: what is made, and that a validator that knows nothing of it agrees."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel, Field

from upstream_emulator.filling import MAX_STEPS, fill

NUMBER = {"type": "integer"}
TREE = {
    "$ref": "#/$defs/tree",
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "subs": {"items": {"$ref": "#/$defs/tree"}}},
            "required": ["name", "subs"],
        }
    },
}


def check(schema: Any, value: Any) -> None:
    Draft202012Validator(schema, validate_formats=True).validate(value)


def required(**properties: Any) -> Any:
    return {"type": "object", "properties": properties, "required": list(properties)}


TABLE: list[tuple[Any, Any]] = [
    ({"type": "string"}, "example"),
    ({"type": "integer"}, 1),
    ({"type": "number"}, 1),
    ({"type": "boolean"}, True),
    ({"type": "null"}, None),
    ({}, "example"),
    (True, "example"),
    # one of several
    ({"enum": ["b", "a"]}, "b"),
    ({"enum": ["b", 2], "type": "integer"}, 2),
    ({"const": {"a": [1]}}, {"a": [1]}),
    ({"type": ["null", "string"]}, "example"),
    ({"anyOf": [{"type": "null"}, {"const": 5}]}, 5),
    ({"oneOf": [{"const": 5}, {"const": 6}]}, 5),
    ({"type": "string", "nullable": True}, "example"),
    # numbers
    ({"type": "integer", "minimum": 3}, 3),
    ({"type": "integer", "exclusiveMinimum": 3}, 4),
    ({"type": "integer", "maximum": -3}, -3),
    ({"type": "integer", "exclusiveMaximum": 1, "minimum": -1}, 0),
    ({"type": "integer", "minimum": 2.5}, 3),
    ({"type": "integer", "multipleOf": 7, "minimum": 10}, 14),
    ({"type": "number", "multipleOf": 0.25, "maximum": 0.6}, 0.5),
    ({"type": "number", "minimum": 0.2, "maximum": 0.4}, 0.3),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
    # texts
    ({"type": "string", "minLength": 10}, "example..."),
    ({"type": "string", "maxLength": 3}, "exa"),
    ({"type": "string", "pattern": "^[A-Z]{3}-\\d{2,4}$"}, "AAA-00"),
    ({"type": "string", "pattern": "^(?:on|off)$"}, "on"),
    ({"type": "string", "pattern": "^[^a-z@]+$", "minLength": 3}, "0000"),
    ({"type": "string", "pattern": "^#(?P<rgb>[0-9a-f]{6})?$", "minLength": 2}, "#000000"),
    ({"type": "string", "format": "date"}, "2026-01-31"),
    # lists
    ({"type": "array", "items": NUMBER}, [1]),
    ({"type": "array", "items": NUMBER, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
    ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["example", "example 2"]),
    ({"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2, "uniqueItems": True}, ["x", "y"]),
    ({"type": "array", "items": NUMBER, "maxItems": 0}, []),
    ({"type": "array", "items": False}, []),
    ({"type": "array", "prefixItems": [NUMBER, {"const": "a"}], "minItems": 2, "items": False}, [1, "a"]),
    ({"type": "array", "contains": {"const": 4}}, [4]),
    # objects
    (required(a=NUMBER, b={"type": "string"}), {"a": 1, "b": "example"}),
    ({"properties": {"a": NUMBER, "b": NUMBER}, "required": ["b"]}, {"b": 1}),
    ({"properties": {"a": NUMBER, "b": NUMBER}}, {"a": 1, "b": 1}),
    (required(a={"properties": {"b": NUMBER}}), {"a": {}}),
    ({"type": "object", "required": ["a"], "additionalProperties": NUMBER}, {"a": 1}),
    ({"type": "object", "minProperties": 2, "additionalProperties": NUMBER}, {"example1": 1, "example2": 1}),
    # several that speak of one value
    ({"allOf": [required(a=NUMBER), {"properties": {"a": {"minimum": 4}}}]}, {"a": 4}),
    ({"anyOf": [required(a=NUMBER)], **required(b=NUMBER)}, {"a": 1, "b": 1}),
    ({"allOf": [{"anyOf": [{"type": "string"}, NUMBER]}, {"type": "number"}]}, 1),
    # references
    ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": NUMBER}}, 1),
    ({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": NUMBER}}, 1),
    ({"$ref": "#/$defs/a", "minimum": 5, "$defs": {"a": NUMBER}}, 5),
    ({"$ref": "#/prefixItems/1", "prefixItems": [True, NUMBER]}, 1),
    (TREE, {"name": "example", "subs": []}),
    (required(next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), {"next": {"next": None}}),
    ({"type": "object", "properties": {"sub": {"$ref": "#"}, "n": NUMBER}}, {"sub": {}, "n": 1}),
]


@pytest.mark.parametrize(("schema", "value"), TABLE)
def test_an_example_of_each_kind(schema: Any, value: Any) -> None:
    assert fill(schema) == value
    check(schema, value)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"enum": []},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "minLength": 5, "maxLength": 4},
        required(a={"$ref": "#"}),
        {"$ref": "#/$defs/a", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": False}},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 10**9},
        {"type": "string", "minLength": 10**9},
    ],
)
def test_what_cannot_be_made_is_an_empty_object(schema: Any) -> None:
    assert fill(schema) == {}


def test_a_reference_that_leads_nowhere_allows_anything() -> None:
    for step in ("9" * 5_000, "²", "-1", "2", "0/x"):
        assert fill({"$ref": f"#/allOf/{step}", "allOf": [True]}) == "example"


def test_what_doubles_at_every_step_ends() -> None:
    ends = {
        f"d{i}": required(a={"$ref": f"#/$defs/d{i + 1}"}, b={"$ref": f"#/$defs/d{i + 1}"}) for i in range(50)
    }
    assert fill({"$ref": "#/$defs/d0", "$defs": ends}) == {}
    assert fill({"items": {"enum": [*range(20_000)]}, "minItems": 1_000, "type": "array"}) == {}
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(MAX_STEPS)}
    assert fill({"$ref": "#/$defs/d0", "$defs": chain}) == {}


def test_many_that_speak_of_one_value_are_heard() -> None:
    names = [f"p{number}" for number in range(500)]
    assert fill({"allOf": [required(**{name: NUMBER}) for name in names]}) == dict.fromkeys(names, 1)


class Unit(Enum):
    CELSIUS = "C"
    KELVIN = "K"


class Place(BaseModel):
    kind: Literal["place"]
    name: str = Field(min_length=2, max_length=40, pattern=r"^\w[\w ]+$")
    inside: Place | None


class Person(BaseModel):
    kind: Literal["person"]
    born: date
    mail: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$")


class Report(BaseModel):
    unit: Unit
    values: list[float] = Field(min_length=2)
    shares: dict[str, int]
    price: Decimal = Field(gt=Decimal("0.5"))
    pair: tuple[int, str]
    seen: set[int] = Field(min_length=3)
    about: Place | Person = Field(discriminator="kind")
    parts: list[Report]
    chance: float = Field(gt=0, lt=1)


def test_models_as_pydantic_describes_them() -> None:
    filled = fill(Report.model_json_schema(), "示例")
    report = Report.model_validate(filled)
    assert report.about.kind == "place"
    assert report.parts == []
    assert fill(Report.model_json_schema(), "示例") == filled


NAMES = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def numbers(draw: st.DrawFn) -> Any:
    low = draw(st.integers(-50, 50))
    schema: Any = {"type": draw(st.sampled_from(["integer", "number"]))}
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["minimum", "exclusiveMinimum"]))] = low
    if draw(st.booleans()):
        schema[draw(st.sampled_from(["maximum", "exclusiveMaximum"]))] = low + draw(st.integers(12, 60))
    if draw(st.booleans()):
        schema["multipleOf"] = draw(st.sampled_from([1, 2, 5, 0.5, 0.25]))
    return schema


@st.composite
def texts(draw: st.DrawFn) -> Any:
    least = draw(st.integers(0, 30))
    schema = {"type": "string", "minLength": least, "maxLength": least + draw(st.integers(0, 30))}
    return {key: found for key, found in schema.items() if key == "type" or draw(st.booleans())}


SCALARS = st.one_of(
    numbers(),
    texts(),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, True]),
    st.sampled_from(
        ["^[a-c]+$", "^\\d{2}:\\d{2}(:\\d{2})?$", "^(x|y)[^z]*$", "\\.txt$", "^[\\w.-]+@\\w+$"]
    ).map(lambda pattern: {"type": "string", "pattern": pattern}),
    st.lists(st.integers() | st.text(max_size=3) | st.none(), min_size=1, max_size=3).map(
        lambda allowed: {"enum": allowed}
    ),
    st.sampled_from(["#/$defs/leaf", "#/$defs/chain", "#/$defs/tree"]).map(lambda to: {"$ref": to}),
)


def _nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.dictionaries(NAMES, inner, max_size=4)
    return st.one_of(
        st.tuples(members, st.sets(NAMES), st.sampled_from([{}, {"additionalProperties": True}])).map(
            lambda made: {
                "type": "object",
                "properties": made[0],
                "required": sorted(made[1] & made[0].keys()),
                **made[2],
            }
        ),
        st.tuples(inner, st.integers(0, 3)).map(
            lambda made: {"type": "array", "items": made[0], "minItems": made[1]}
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
        inner.map(lambda one: {"allOf": [one, {"description": "said twice"}, one]}),
        members.map(lambda made: {"allOf": [required(**made), {"type": "object"}]}),
    )


SCHEMAS = st.recursive(SCALARS, _nest, max_leaves=12)
DEFINITIONS = {
    "leaf": {"type": "integer", "minimum": 3},
    "chain": required(next={"anyOf": [{"$ref": "#/$defs/chain"}, {"type": "null"}]}),
    "tree": required(
        subs={"type": "array", "items": {"$ref": "#/$defs/tree"}}, leaf={"$ref": "#/$defs/leaf"}
    ),
}


@settings(max_examples=300)
@given(SCHEMAS)
def test_every_example_is_allowed(inner: Any) -> None:
    schema = {**required(it=inner), "$defs": DEFINITIONS}
    check(schema, fill(schema))


@settings(max_examples=200)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.one_of(
    st.lists(inner, max_size=3),
    st.dictionaries(
        st.sampled_from([
            "type", "properties", "items", "required", "enum", "const", "$ref", "anyOf", "allOf", "minItems",
            "minimum", "multipleOf", "pattern", "prefixItems", "minLength", "minProperties", "contains",
        ]) | st.text(max_size=3),
        inner | st.sampled_from(["object", "array", "string", "number", "#", "#/items", "["]), max_size=4,
    ),
), max_leaves=20))  # fmt: skip
def test_no_nonsense_breaks_it(schema: Any) -> None:
    json.dumps(fill(schema))
