"""Calls that cannot be read are told as such: neither a call, nor text, nor silence."""

from __future__ import annotations

import pytest

from tests.app.tools.detecting import CLOSER, Answer, cut_everywhere, detect, opener

READ = opener("read_file")
A = '{"path":"a"}'
CALL_A = f"{READ}{A}{CLOSER}"
CALL_B = f'{READ}{{"path":"b"}}{CLOSER}'
NATIVE_A = "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>"
OBJECT_A = '{"function_call": {"name": "read_file", "arguments": {"path": "a"}}}'

DAMAGED: dict[str, tuple[str, tuple[str | None, str]]] = {
    "inner quotes": (f'{READ}{{"path":"echo "done""}}{CLOSER}', ("read_file", "not_json")),
    "inner quotes that end it early": (f'{READ}{{"path":"a "}} b"}}{CLOSER}', ("read_file", "not_json")),
    "inner quotes, then a comma": (f'{READ}{{"path":"a"}}, "b"}}{CLOSER}', ("read_file", "not_json")),
    "inner quotes over two lines": (f'{READ}{{"path":"a "}}\n"}}{CLOSER}', ("read_file", "not_json")),
    "a bracket too many on the next line": (f"{READ}{A}\n}}\n{CLOSER}", ("read_file", "not_json")),
    "a bracket too many": (f"{READ}{A}}}{CLOSER}", ("read_file", "not_json")),
    "a bracket too few": (f'{READ}{{"path":"a"{CLOSER}', ("read_file", "not_json")),
    "words": (f"{READ}path is a{CLOSER}", ("read_file", "not_json")),
    "required but missing": (f"{READ}{CLOSER}", ("read_file", "missing")),
    "null where something is required": (f"{READ}null{CLOSER}", ("read_file", "missing")),
    "a list": (f"{READ}[1,2]{CLOSER}", ("read_file", "not_an_object")),
    "one of two does not fit": (f'{READ}{A}{{"lines":1}}{CLOSER}', ("read_file", "not_json")),
    "three objects": (f"{READ}{A}{A}{A}{CLOSER}", ("read_file", "not_json")),
    "full-width quotes": (f"{READ}{{“path”:“a”}}{CLOSER}", ("read_file", "not_json")),
    "no name anywhere": (f'<call-k3x9>{{"path":"a"}}{CLOSER}', (None, "unknown_name")),
    "nothing follows": (READ, ("read_file", "unclosed")),
    "native, no closer": (NATIVE_A[:-12], ("read_file", "unclosed")),
    "native, value unopened": (
        "<tool_call>read_file<arg_key>path</arg_key>a</arg_value></tool_call>",
        ("read_file", "unclosed"),
    ),
    "native, name alone": ("<tool_call>read_file", ("read_file", "unclosed")),
    "object, cut": (OBJECT_A[:-1], ("read_file", "unclosed")),
}


@pytest.mark.parametrize("row", DAMAGED)
def test_a_damaged_call_is_told_as_such(row: str) -> None:
    said, malformed = DAMAGED[row]
    for pieces in cut_everywhere(f"Now.\n{said}"):
        answer = detect(pieces)
        assert (answer.text, answer.calls, answer.malformed) == ("Now.\n", (), malformed), pieces


@pytest.mark.parametrize(
    "said", [CALL_A, f'{READ}{{"path":"x","lines":12}}{CLOSER}', f"{opener('now')}{CLOSER}"]
)
def test_a_truncated_call_is_neither_a_call_nor_text(said: str) -> None:
    body = said.index(">") + 1
    end = said.index("}") + 1 if "}" in said else len(said)
    for place in range(len("<call-k3x9") + 1, end):
        answer = detect([said[:place]])
        assert (answer.text, answer.calls) == ("", ()), said[:place]
        assert answer.malformed is not None
        assert answer.malformed[1] == "unclosed"
        assert (answer.malformed[0] is None) == (place < body)
    if "}" in said:
        assert all(len(detect([said[:place]]).calls) == 1 for place in range(end, len(said)))


def test_a_good_call_before_a_damaged_one_stands() -> None:
    answer = detect([f"{CALL_A}{READ}oops{CLOSER}{CALL_B}"])
    assert answer == Answer(calls=(("read_file", A),), malformed=("read_file", "not_json"), is_over=True)
