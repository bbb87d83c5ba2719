"""What becomes of arguments: delivered, typed by the schema, or told as unreadable. Never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.tool import Tool
from app.tools.arguments import ArgumentReader, Unreadable

ANY: dict[str, Any] = {}


def make_reader(properties: Any, **more: Any) -> ArgumentReader:
    return ArgumentReader(Tool("t", "", {"type": "object", "properties": properties, **more}))


def read(properties: Any, body: str, **more: Any) -> Any:
    found = make_reader(properties, **more).read(body)
    assert not isinstance(found, Unreadable), found
    assert len(found) == 1
    return json.loads(found[0].text)


TEXT, INT, NUM, BOOL = ({"type": t} for t in ("string", "integer", "number", "boolean"))
STRINGS = {"type": "array", "items": TEXT}
INTS = {"type": "array", "items": INT}
POINT = {"type": "object", "properties": {"x": INT, "y_pos": INT}}
KINDS = {
    "anyOf": [
        {"properties": {"k": {"const": "a"}, "n": INT}},
        {"properties": {"k": {"const": "b"}, "n": TEXT}},
    ]
}
MAYBE = {"anyOf": [TEXT, {"type": "null"}]}

# The schema of `v`, what was written for it, and what is delivered.
COERCED: list[tuple[Any, Any, Any]] = [
    (INT, "3", 3), (INT, " -3 ", -3), (INT, "5.0", 5), (INT, "1e3", 1000), (NUM, "1.5", 1.5), (NUM, "2", 2),
    (INT, str(2**63), 2**63), (BOOL, "true", True), (BOOL, "False", False), (BOOL, "TRUE", True),
    (INTS, "[1,2]", [1, 2]), (INTS, '["1", "2"]', [1, 2]), (STRINGS, "['a', 'b']", ["a", "b"]),
    (STRINGS, "<item>a</item>,<item>b</item>", ["a", "b"]), (INTS, "<item>1</item>\n<item>2</item>", [1, 2]),
    ({"type": "array", "items": POINT}, '<item>{"x":"1"}</item>', [{"x": 1}]),
    (STRINGS, "a.txt", ["a.txt"]), (INTS, "7", [7]), (INTS, 7, [7]),
    ({"type": "array", "items": POINT}, {"x": 1}, [{"x": 1}]),
    (POINT, '{"x": "1"}', {"x": 1}), (POINT, "{'x': 1, 'y_pos': 2}", {"x": 1, "y_pos": 2}),
    (POINT, '{"x": 1,}', {"x": 1}), ({"type": "object"}, "{'a': True, 'b': None}", {"a": True, "b": None}),
    (TEXT, 5, "5"), (TEXT, True, "true"), (TEXT, {"a": [1]}, '{"a":[1]}'), (TEXT, [1, "二"], '[1,"二"]'),
    (MAYBE, 5, "5"),
    ({"type": ["integer", "null"]}, "null", None), ({"type": ["integer", "null"]}, "4", 4),
    ({"anyOf": [INT, BOOL]}, "true", True), ({"oneOf": [INT, POINT]}, '{"x":"2"}', {"x": 2}),
    ({"enum": [1, 2]}, "2", 2), ({"const": True}, "true", True),
    ({"type": "integer", "nullable": True}, "null", None),
    ({"allOf": [INT, {"minimum": 1}]}, "2", 2), ({"$ref": "#/$defs/n"}, "2", 2),
    ({"$ref": "#/$defs/a%20b"}, "2", 2),
    ({"properties": {"x": INT}}, '{"x":"1"}', {"x": 1}), ({"items": INT}, "[1]", [1]),
    ({"type": "object", "additionalProperties": INT}, {"k": "1"}, {"k": 1}),
    ({"type": "array", "prefixItems": [TEXT, INT], "items": BOOL}, ["1", "2", "true"], ["1", 2, True]),
    ({"type": "array", "items": [TEXT, INT]}, ["1", "2"], ["1", 2]),
    (KINDS, {"k": "a", "n": "1"}, {"k": "a", "n": 1}), (KINDS, {"k": "b", "n": "1"}, {"k": "b", "n": "1"}),
    ({"$ref": "#/$defs/tree"}, {"n": "1", "sub": [{"n": "2", "sub": '[{"n": "3"}]'}]},
     {"n": 1, "sub": [{"n": 2, "sub": [{"n": 3}]}]}),
]  # fmt: skip

KEPT: list[tuple[Any, Any]] = [
    (TEXT, "123"), (TEXT, " a\n\t "), (TEXT, "true"), (TEXT, "null"), (TEXT, '{"a":1}'), (TEXT, ""),
    (TEXT, "\\n"), (TEXT, "🙂"), (MAYBE, "3"),
    (MAYBE, None), ({"type": ["string", "integer"]}, "3"), (ANY, "3"), (ANY, [1, "2"]),
    ({"anyOf": [TEXT, INT]}, "3"),
    (INT, "three"), (INT, "1.5"), (INT, "1e400"), (INT, "0x10"), (INT, ""), (INT, "１"), (INT, 1.0),
    (NUM, 3), (INT, None), (TEXT, None),
    (BOOL, "yes"), (BOOL, 1), (INTS, "a"), (POINT, "[1]"), (POINT, 5), (INTS, {"a": 1}),
    ({"type": "null"}, 5),
    (STRINGS, None), (INTS, "<item>1</item> and"), ({"type": "object"}, "{'a': b'x'}"),
    ({"type": "object"}, "{1: 2}"),
    ({"type": "object"}, "{'a': 1e999}"), ({"type": "nonsense"}, "3"), ({"type": 3}, "3"),
    ({"$ref": "#/nowhere"}, "3"),
    ({"$ref": "http://127.0.0.1:9/schema"}, "3"), ({"$ref": "#/$defs/self"}, "3"), (True, "3"), (None, "3"),
    ({"enum": ["a"]}, "A"), ({"enum": []}, "3"), ({"anyOf": "x", "allOf": {}}, "3"),
]  # fmt: skip

DEFS = {
    "n": INT,
    "a b": INT,
    "self": {"$ref": "#/$defs/self"},
    "tree": {
        "type": "object",
        "properties": {"n": INT, "sub": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
    },
}


@pytest.mark.parametrize(("schema", "written", "delivered"), COERCED, ids=str)
def test_a_value_is_typed_by_its_schema(schema: Any, written: Any, delivered: Any) -> None:
    reader = make_reader({"v": schema}, **{"$defs": DEFS})
    found = reader.read(json.dumps({"v": written}))
    assert not isinstance(found, Unreadable)
    value = json.loads(found[0].text)["v"]
    assert (value, type(value)) == (delivered, type(delivered))
    assert found[0].coerced > 0 or written == delivered


@pytest.mark.parametrize(("schema", "written"), KEPT, ids=str)
def test_everything_else_stays_as_it_is(schema: Any, written: Any) -> None:
    found = make_reader({"v": schema}, **{"$defs": DEFS}).read(json.dumps({"v": written}))
    assert not isinstance(found, Unreadable)
    value = json.loads(found[0].text)["v"]
    assert (value, type(value), found[0].coerced) == (written, type(written), 0)


@pytest.mark.parametrize(
    ("written", "delivered"),
    [
        ({"FilePath": "a"}, {"file_path": "a"}),
        ({"file-path": "a", "LINE": "3"}, {"file_path": "a", "line": 3}),
        ({"file_path": "a", "filePath": "b"}, {"file_path": "a", "filePath": "b"}),
        ({"filePath": "a", "file-path": "b"}, {"file_path": "a", "file-path": "b"}),
        ({"a_b": 1}, {"a_b": 1}),
        ({"zzz": "3", "file_path": "a"}, {"zzz": "3", "file_path": "a"}),
    ],
)
def test_keys_are_renamed_where_one_is_meant(written: Any, delivered: Any) -> None:
    properties = {"file_path": TEXT, "line": INT, "ab": TEXT, "aB": TEXT}
    value = read(properties, json.dumps(written))
    assert list(value.items()) == list(delivered.items())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{ "b" : 1.50, "a" : "é" }', '{"b":1.5,"a":"é"}'),
        ('"{\\"a\\": 1}"', '{"a":1}'),
        ('[{"a": 1}]', '{"a":1}'),
        ('"[{\\"a\\": 1}]"', '{"a":1}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('{"a":"\\ud83d"}', '{"a":"\\ud83d"}'),
        ('{"a":"x\ny",}', '{"a":"x\\ny"}'),
        ('{"a":"C:\\Dir"}', '{"a":"C:\\\\Dir"}'),
        ("", "{}"),
        (" \n", "{}"),
        ("null", "{}"),
    ],
)
def test_a_body_is_read(body: str, text: str) -> None:
    found = make_reader({}).read(body)
    assert not isinstance(found, Unreadable)
    assert [each.text for each in found] == [text]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
    ("", "missing"), ("null", "missing"), ("3", "not_an_object"), ("[]", "not_an_object"),
    ('"a"', "not_an_object"),
    ('[{"a":1},{"a":2}]', "not_an_object"), ('"\\"{}\\""', "not_an_object"), ("{", "not_json"),
    ('{"a":1', "not_json"),
    ('{"a":1}{"a":2}{"a":3}', "not_json"), ('{"a":1}{"b":2}', "not_json"), ('{"a":1} x', "not_json"),
    ("a=1", "not_json"),
    ],
)  # fmt: skip
def test_an_unreadable_body_is_told_as_such(body: str, reason: str) -> None:
    reader = make_reader({"a": INT}, required=["a"], additionalProperties=False)
    assert reader.read(body) == Unreadable(reason, len(body))  # type: ignore[arg-type]


def test_two_objects_that_both_fit_are_two_calls() -> None:
    found = make_reader({"a": INT}, required=["a"]).read('{"a":"1"}\n{"a":2}')
    assert not isinstance(found, Unreadable)
    assert [each.text for each in found] == ['{"a":1}', '{"a":2}']


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"a":{"b":[1', '{"a":{"b":[1]}}'),
        ('{"a":"}"', '{"a":"}"}'),
        ('{"a":{}', '{"a":{}}'),
        ('[{"a":1}', '{"a":1}'),
    ],
)
def test_brackets_are_added_where_the_upstream_says_that_it_is_whole(body: str, text: str) -> None:
    found = make_reader({}).read(body, closes_missing=True)
    assert not isinstance(found, Unreadable)
    assert found[0].text == text
    assert make_reader({}).read(body) == Unreadable("not_json", len(body))


@pytest.mark.parametrize(
    "body", ['{"a":"b', '{"a":', '{"a":1,', '{"a"', "{", '{"a":[1}', '{"a":tru', '{"a":1}}', "x"]
)
def test_nothing_but_brackets_is_added(body: str) -> None:
    assert make_reader({}).read(body, closes_missing=True) == Unreadable("not_json", len(body))


def test_invalid_arguments_are_delivered_with_what_is_wrong() -> None:
    found = make_reader({"a": INT}, required=["a"], additionalProperties=False).read('{"a":"x","b":1}')
    assert not isinstance(found, Unreadable)
    assert found[0].text == '{"a":"x","b":1}'
    assert len(found[0].verdict.violations) == 2
    assert "'b' was unexpected" in " ".join(found[0].verdict.violations)


@pytest.mark.parametrize(
    "parameters", [None, {}, [], "x", True, {"properties": []}, {"required": True}, {"type": "object"}]
)
def test_any_schema_can_be_read_by(parameters: Any) -> None:
    found = ArgumentReader(Tool("t", "", parameters)).read('{"a":"1"}')
    assert not isinstance(found, Unreadable)
    assert found[0].text == '{"a":"1"}'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"input":"a\\n{b}"}', "a\n{b}"),
        ("\n*** Begin\n  x\n", "*** Begin\n  x"),
        ('"a\\tb"', "a\tb"),
        ('{"input":1}', "1"),
        ('{"other":1}', '{"other":1}'),
        ('"a" and "b"', '"a" and "b"'),
        ("null", "null"),
    ],
)
def test_a_custom_tool_gets_its_text(body: str, text: str) -> None:
    found = ArgumentReader(Tool("t", kind="custom")).read(body)
    assert not isinstance(found, Unreadable)
    assert found[0].text == text


def test_a_custom_tool_without_text_is_unreadable() -> None:
    assert ArgumentReader(Tool("t", kind="custom")).read(" ") == Unreadable("missing", 1)


def test_native_pairs_are_typed() -> None:
    reader = make_reader({"s": TEXT, "n": INT, "l": STRINGS, "o": MAYBE, "p": MAYBE})
    arguments = reader.read_pairs({"s": " 1 ", "n": "2", "l": '["a"]', "o": "null", "p": "x", "q": "3"})
    assert arguments.text == '{"s":" 1 ","n":2,"l":["a"],"o":null,"p":"x","q":"3"}'
    assert arguments.coerced == 2
