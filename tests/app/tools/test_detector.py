"""Where calls are found, and where text stays text: every row cut at every place gives the same."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.tool import Tool
from tests.app.tools.detecting import CLOSER, Answer, cut_everywhere, detect, make_detector, opener

READ = opener("read_file")
A = '{"path":"a"}'
B = '{"path":"b"}'
CALL_A = f"{READ}{A}{CLOSER}"
CALL_B = f"{READ}{B}{CLOSER}"
GOT_A = ("read_file", A)
GOT_B = ("read_file", B)
NATIVE_A = "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>"
NATIVE_LINES = "<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n</tool_call>"
OBJECT_A = '{"function_call": {"name": "read_file", "arguments": {"path": "a"}}}'

MARKS = f'{{"path":"{CLOSER}<call-k3x9 name=\\"now\\">{{}}<tool_call>```"}}'

# What the answer says, and what it comes to.
OWN: dict[str, tuple[str, Answer]] = {
    "alone": (CALL_A, Answer(calls=(GOT_A,))),
    "text before": (f"Let me read it.\n\n{CALL_A}", Answer("Let me read it.\n\n", (GOT_A,))),
    "text on the same line": (f"Reading {CALL_A}", Answer("Reading ", (GOT_A,))),
    "no closer": (f"{READ}{A}", Answer(calls=(GOT_A,))),
    "no closer, then text": (f"{READ}{A}\nDone", Answer(calls=(GOT_A,), is_over=True)),
    "no closer, text on the line": (f"{READ}{A} done it is\nx", Answer(calls=(GOT_A,), is_over=True)),
    "no closer, then a call": (f"{READ}{A}\n{CALL_B}", Answer(calls=(GOT_A, GOT_B))),
    "wrong closer": (f"{READ}{A}</call>", Answer(calls=(GOT_A,))),
    "closer of another word": (f"{READ}{A}</call-zzzz>", Answer(calls=(GOT_A,))),
    "native closer": (f"{READ}{A}</tool_call>\n", Answer(calls=(GOT_A,))),
    "half a closer": (f"{READ}{A}</call-", Answer(calls=(GOT_A,))),
    "adjacent": (CALL_A + CALL_B, Answer(calls=(GOT_A, GOT_B))),
    "on lines of their own": (f"{CALL_A}\n\n {CALL_B}\n", Answer(calls=(GOT_A, GOT_B))),
    "text between": (f"{CALL_A} and {CALL_B}", Answer(calls=(GOT_A,), is_over=True)),
    "text after": (f"{CALL_A}\nThe file says hello.", Answer(calls=(GOT_A,), is_over=True)),
    "an invented result": (f"{CALL_A}\n[Result of read_file #1]\nx", Answer(calls=(GOT_A,), is_over=True)),
    "in a fence": (f"```\n{CALL_A}\n```", Answer(calls=(GOT_A,))),
    "in a fence with a label": (f"Now:\n```json\n{CALL_A}\n```\n", Answer("Now:\n", (GOT_A,))),
    "two fences": (f"```\n{CALL_A}\n```\n```xml\n{CALL_B}\n```", Answer(calls=(GOT_A, GOT_B))),
    "inside of other code": (f"```python\nx = 1\n{CALL_A}", Answer("```python\nx = 1\n", (GOT_A,))),
    "a fence inside": (f"{READ}```json\n{A}\n```{CLOSER}", Answer(calls=(GOT_A,))),
    "blanks inside": (f"{READ}\n  {A}\n{CLOSER}", Answer(calls=(GOT_A,))),
    "single quotes": (f"<call-k3x9 name='read_file' >{A}{CLOSER}", Answer(calls=(GOT_A,))),
    "no quotes": (f"<call-k3x9  name = read_file>{A}{CLOSER}", Answer(calls=(GOT_A,))),
    "name in the JSON": (
        f'<call-k3x9>{{"name":"read_file","arguments":{A}}}{CLOSER}',
        Answer(calls=(GOT_A,)),
    ),
    "two objects": (f"{READ}{A}{B}{CLOSER}", Answer(calls=(GOT_A, GOT_B))),
    "nothing": (f"{opener('now')}{CLOSER}", Answer(calls=(("now", "{}"),))),
    "blank": (f"{opener('now')} \n {CLOSER}", Answer(calls=(("now", "{}"),))),
    "empty object": (f"{opener('now')}{{}}{CLOSER}", Answer(calls=(("now", "{}"),))),
    "null": (f"{opener('now')}null{CLOSER}", Answer(calls=(("now", "{}"),))),
    "closed in itself": ('<call-k3x9 name="now"/>', Answer(calls=(("now", "{}"),))),
    "nothing, wrong closer": (f"{opener('now')}</call>", Answer(calls=(("now", "{}"),))),
    "native arguments inside": (
        f"{READ}<arg_key>path</arg_key><arg_value>a</arg_value>{CLOSER}",
        Answer(calls=(GOT_A,)),
    ),
    "free text": (
        f"{opener('apply_patch')}\n*** Begin Patch\n+ <b> {{\n*** End Patch\n{CLOSER}",
        Answer(calls=(("apply_patch", "*** Begin Patch\n+ <b> {\n*** End Patch"),)),
    ),
    "free text in JSON": (
        f'{opener("apply_patch")}{{"input":"a\\n {CLOSER} b"}}{CLOSER}',
        Answer(calls=(("apply_patch", f"a\n {CLOSER} b"),)),
    ),
    "marks in a string": (
        f"{READ}{MARKS}{CLOSER}",
        Answer(calls=(("read_file", MARKS),)),
    ),
    "a native call after it": (CALL_A + NATIVE_A, Answer(calls=(GOT_A, GOT_A))),
}

FOREIGN: dict[str, tuple[str, Answer]] = {
    "native on one line": (NATIVE_A, Answer(calls=(GOT_A,))),
    "native on lines": (f"I look.\n{NATIVE_LINES}\n", Answer("I look.\n", (GOT_A,))),
    "native, two": (f"{NATIVE_A}\n{NATIVE_LINES}", Answer(calls=(GOT_A, GOT_A))),
    "native, nothing": ("<tool_call>now</tool_call>", Answer(calls=(("now", "{}"),))),
    "native, nothing, a line": ("<tool_call>now\n</tool_call>", Answer(calls=(("now", "{}"),))),
    "native with JSON": (
        f'<tool_call>{{"name":"read_file","arguments":{A}}}</tool_call>',
        Answer(calls=(GOT_A,)),
    ),
    "native, JSON as text": (
        '<tool_call>\n{"name":"read_file","arguments":"{\\"path\\":\\"a\\"}"}\n</tool_call>',
        Answer(calls=(GOT_A,)),
    ),
    "native, name then JSON": (f"<tool_call>read_file\n{A}</tool_call>", Answer(calls=(GOT_A,))),
    "native, name> then JSON": (f"<tool_call>read_file>{A}", Answer(calls=(GOT_A,))),
    "native, typed": (
        "<tool_call>read_file<arg_key>path</arg_key><arg_value> 7 \n</arg_value>"
        "<arg_key>lines</arg_key><arg_value>3</arg_value></tool_call>",
        Answer(calls=(("read_file", '{"path":" 7 \\n","lines":3}'),)),
    ),
    "native, its marks in a value": (
        "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>b</arg_value>x"
        "</arg_value></tool_call>",
        Answer(
            "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>b</arg_value>x"
            "</arg_value></tool_call>"
        ),
    ),
    "native, its closer in a value": (
        "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</tool_call>b</arg_value></tool_call>",
        Answer(calls=(("read_file", '{"path":"a</tool_call>b"}'),)),
    ),
    "native, the end of a value in it": (
        "<tool_call>read_file<arg_key>path</arg_key><arg_value>a</arg_value>b</arg_value></tool_call>",
        Answer(calls=(("read_file", '{"path":"a</arg_value>b"}'),)),
    ),
    "given up for one of ours": (OBJECT_A[:40] + CALL_B, Answer(calls=(GOT_B,))),
    "object": (f"Now.\n{OBJECT_A}", Answer("Now.\n", (GOT_A,))),
    "object, two": (f"{OBJECT_A}\n{OBJECT_A}", Answer(calls=(GOT_A, GOT_A))),
    "object on lines": (
        '{\n  "function_call": {\n    "name": "read_file",\n    "arguments": {"path": "a"}\n  }\n}\n',
        Answer(calls=(GOT_A,)),
    ),
    "object in a fence": (f"Now:\n```json\n{OBJECT_A}\n```\n", Answer("Now:\n", (GOT_A,))),
    "native in a fence": (f"```\n{NATIVE_A}\n```", Answer(calls=(GOT_A,))),
    "then one of ours": (NATIVE_A + CALL_B, Answer(calls=(GOT_A, GOT_B))),
    "then one of ours and text": (f"{NATIVE_A}{CALL_B} x", Answer(calls=(GOT_A, GOT_B), is_over=True)),
}

TEXT: dict[str, str] = {
    "native, then text": f"{NATIVE_A}\nThat is how GLM calls.",
    "object, then text": f"{OBJECT_A}\nThat is how it looks.",
    "object within a line": f"Like this: {OBJECT_A}",
    "object in a fence, then text": f"```json\n{OBJECT_A}\n```\nSo it goes.",
    "fence with more": f"```json\n{OBJECT_A}\n// more\n```",
    "native in other code": f"```python\n{NATIVE_A}\n",
    "object in other code": f"```js\n{OBJECT_A}\n```",
    "a fence in other code": f"```js\n```json\n{OBJECT_A}\n",
    "native in inline code": f"`{NATIVE_A}`",
    "native, open inline code": f"say `{NATIVE_A}",
    "native, undeclared": "<tool_call>rm<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>",
    "native, no name": "<tool_call></tool_call>",
    "native, tag in the name": "<tool_call>read_file</arg_key></tool_call>",
    "object, undeclared": '{"function_call": {"name": "rm", "arguments": {}}}',
    "object, something else": '{"function_call": "auto"}',
    "object with more": '{"function_call": {"name": "now", "arguments": {}}, "x": 1}',
    "another word": f'<call-zzzz name="read_file">{A}</call-zzzz>',
    "a longer word": f'<call-k3x9a name="read_file">{A}</call-k3x9a>',
    "undeclared": f'<call-k3x9 name="rm">{A}{CLOSER} and more',
    "opener in inline code": f"Write `{READ}` and then JSON.",
    "opener in a sentence": "Begin with `<call-k3x9>`, please.",
    "comparison": "if a <b and c< 10 then {d} or <tool",
    "fences": "```\n```\n``` \n~~~\n```json\n{}\n```\n````\n```\n````\n",
    "unfinished": "a < b, then <tool_cal",
}


@pytest.mark.parametrize("row", [*OWN, *FOREIGN])
def test_a_call_is_found_however_it_is_cut(row: str) -> None:
    said, expected = (OWN | FOREIGN)[row]
    for pieces in cut_everywhere(said):
        assert detect(pieces) == expected, pieces


@pytest.mark.parametrize("row", TEXT)
def test_what_is_no_call_is_text_however_it_is_cut(row: str) -> None:
    for pieces in cut_everywhere(TEXT[row]):
        assert detect(pieces) == Answer(TEXT[row]), pieces


@pytest.mark.parametrize("said", [NATIVE_A, NATIVE_LINES, OBJECT_A, f"```json\n{OBJECT_A}\n```"])
@pytest.mark.parametrize(
    "read",
    [
        "The manual says:\n{}\nand so on",
        '{{"content": "{}"}}',
    ],
)
def test_a_foreign_form_that_was_read_is_quoted(said: str, read: str) -> None:
    seen = read.format(said.replace('"', '\\"') if "content" in read else said)
    for pieces in cut_everywhere(said):
        assert detect(pieces, make_detector(read=[seen])) == Answer(said), pieces


def test_a_form_of_ours_counts_whatever_was_read() -> None:
    assert detect([CALL_A], make_detector(read=[CALL_A])) == Answer(calls=(GOT_A,))


def test_a_quotation_is_seen_in_other_blanks() -> None:
    read = '{"function_call":{"name":"read_file",\n  "arguments":{"path":"a"}}}'
    assert detect([OBJECT_A], make_detector(read=["x", read])) == Answer(OBJECT_A)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (CALL_A + CALL_B, Answer(calls=(GOT_A,), is_over=True)),
        (NATIVE_A + NATIVE_LINES, Answer(calls=(GOT_A,))),
        (f"{READ}{A}{B}{CLOSER}", Answer(calls=(GOT_A,), is_over=True)),
    ],
)
def test_one_call_at_a_time(said: str, expected: Answer) -> None:
    for pieces in cut_everywhere(said):
        assert detect(pieces, make_detector(is_parallel=False)) == expected, pieces


def test_there_are_at_most_64_calls() -> None:
    answer = detect([CALL_A * 70])
    assert len(answer.calls) == 64
    assert answer.is_over


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("read_file", "read_file"),
        (" read_file ", "read_file"),
        ("Read_File", "read_file"),
        ("read-file", "read_file"),
        ("user_search", "search"),
        ("search", "search"),
        ("mcp.files/list", "mcp.files/list"),
        ("mcp_files_list", "mcp.files/list"),
        ("天气", "天气"),
        ("user_tool", "天气"),
        ("x" * 100, "x" * 100),
        ("x" * 64, "x" * 100),
    ],
)
def test_a_name_is_understood(written: str, name: str) -> None:
    tools = [Tool(n) for n in ("read_file", "search", "mcp.files/list", "天气", "x" * 100)]
    said = f"{opener(written)}{{}}{CLOSER}"
    for pieces in cut_everywhere(said):
        assert detect(pieces, make_detector(tools)) == Answer(calls=((name, "{}"),))


@pytest.mark.parametrize(
    "written", ["read", "read_files", "", " ", "read file", 'a"b', "read_file<", "x" * 65]
)
def test_an_undeclared_name_is_text(written: str) -> None:
    said = f"{opener(written)}x{CLOSER}."
    for pieces in cut_everywhere(said):
        assert detect(pieces) == Answer(said), pieces


def test_undeclared_names_are_counted() -> None:
    detector = make_detector()
    detect([f"{opener('rm')}{{}}{CLOSER}" * 3], detector)
    assert detector.undeclared == 3


def test_nothing_is_read_after_the_end() -> None:
    detector = make_detector()
    detector.feed(f"{CALL_A}x")
    assert detector.is_over
    assert detector.feed(CALL_B) == []
    assert detector.finish() == []


def test_ids_come_from_outside() -> None:
    calls: list[Any] = make_detector().feed(f"{CALL_A}{CALL_B}x")
    assert [each.call.id for each in calls] == ["call_1", "call_2"]
    assert [each.form for each in calls] == ["dialect", "dialect"]


def test_repr_tells_the_state() -> None:
    detector = make_detector()
    assert repr(detector) == "<CallDetector 0 calls, idle>"
    detector.feed("<call")
    assert repr(detector) == "<CallDetector 0 calls, holding>"
    detector.feed(f"{CALL_A[5:]}x")
    assert repr(detector) == "<CallDetector 1 calls, over>"
