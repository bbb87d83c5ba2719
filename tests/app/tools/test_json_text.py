"""What is mended in JSON, what is not, and where a value ends."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tools.json_text import JsonScanner, NotJson, count_values, encode_json, measure_depth, parse_json
from tests.app.tools.test_detector_text import JSON

MENDED = {
    '{"a":"x\ny"}': {"a": "x\ny"},
    '{"a":"x\ty\r"}': {"a": "x\ty\r"},
    '{"a":"\x00\x1b"}': {"a": "\x00\x1b"},
    r'{"a":"C:\Users\temp"}': {"a": "C:\\Users\temp"},
    r'{"a":"\d+\."}': {"a": r"\d+\."},
    r'{"a":"\u12 \x41"}': {"a": r"\u12 \x41"},
    r'{"a":"\'"}': {"a": r"\'"},
    '{"a":"x\\\ny"}': {"a": "x\\\ny"},
    '{"a":1,}': {"a": 1},
    '{"a":[1,2 ,\n],\n}': {"a": [1, 2]},
    '{"a":",}",}': {"a": ",}"},
    r'{"a":"\\U \\",}': {"a": "\\U \\"},
}
REFUSED = [
    "", "{", '{"a":1', '{"a":"b', '{"a":"b"}}', "{a:1}", "{'a':1}", '{"a":True}', "{,}", "[,]", "[1,,2]",
    '{"a":1 "b":2}', '{"a":NaN}', '{"a":-Infinity}', '{"a":1e400}', '{"a":"say "hi""}', "“a”",
    "[" * 200 + "]" * 200, "[" * 100_000, '{"a":' + "1" * 5_000 + "}",
]  # fmt: skip


@pytest.mark.parametrize("text", MENDED)
def test_three_things_are_mended(text: str) -> None:
    parsed = parse_json(text)
    assert (parsed.value, parsed.is_repaired) == (MENDED[text], True)
    assert json.loads(parsed.text) == MENDED[text]


@pytest.mark.parametrize("text", REFUSED)
def test_nothing_else_is_mended(text: str) -> None:
    with pytest.raises(NotJson):
        parse_json(text)


@given(JSON)
def test_good_json_is_left_alone(value: object) -> None:
    text = json.dumps(value)
    parsed = parse_json(text)
    assert (parsed.value, parsed.text, parsed.is_repaired) == (value, text, False)
    assert json.loads(encode_json(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, 1.5]}, '{"b":1,"a":[true,null,1.5]}'),
        ("你好 \u2028", '"你好 \u2028"'),
        ("\ud83d", r'"\ud83d"'),
        ({"\udc00": "\ud83d\ude42 é"}, r'{"\udc00":"\ud83d\ude42 é"}'),
        (2**63, "9223372036854775808"),
        (-(2**200), str(-(2**200))),
    ],
)
def test_encoding(value: object, text: str) -> None:
    assert encode_json(value) == text
    encode_json(value).encode()


@given(JSON.filter(lambda value: isinstance(value, dict | list | str)), st.text(), st.integers(1, 7))
def test_the_end_of_a_value_is_found_in_any_pieces(value: object, rest: str, step: int) -> None:
    text = json.dumps(value, ensure_ascii=False)
    scanner = JsonScanner()
    place = 0
    while (end := scanner.feed((text + rest)[place : place + step])) < 0:
        place += step
    assert place + end == len(text)
    assert not scanner.is_broken


@pytest.mark.parametrize("text", ['{"a":<', '{"a":1</call', "[" * 200])
def test_what_goes_on_like_no_json_is_broken(text: str) -> None:
    scanner = JsonScanner()
    assert scanner.feed(text) >= 0
    assert scanner.is_broken


def test_measures() -> None:
    assert list(map(measure_depth, (1, [], [[{}]], {"a": [1]}))) == [0, 1, 3, 2]
    assert list(map(count_values, (1, [], [[{}]], {"a": [1, 2]}))) == [1, 1, 3, 4]
