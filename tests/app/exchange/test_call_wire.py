"""Calls from the upstream's bytes to the client's: in every style, cut at every place, streamed and whole.

What a detector finds in a text is tested beside it; here the same rows travel all the way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.calls import CallOptions
from app.exchange.transforms.options import OutputOptions
from app.metrics.counters import Counters
from app.tools.name import Names
from tests.app.exchange.format_reader import Heard
from tests.app.exchange.wire import STYLES, Failed, Native, Part, Text, cut_everywhere, hear, write
from tests.app.tools.detecting import CLOSER, DIALECT, TOOLS, opener
from tests.app.tools.test_arguments import COERCED, DEFS, KEPT
from tests.app.tools.test_detector import CALL_A, FOREIGN, GOT_A, GOT_B, NATIVE_A, OBJECT_A, OWN, TEXT

AUTO = ToolChoice()
EACH_STYLE = pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)


def build_options(
    tools: Sequence[Tool] = TOOLS, choice: ToolChoice = AUTO, *, read_text: str | None = "", **wishes: Any
) -> OutputOptions:
    calls = CallOptions(DIALECT, Names(tools), choice, read_text, Counters())
    return OutputOptions(calls=calls, **wishes)


def assert_heard(parts: Sequence[Part], style: Any, expected: Heard, options: OutputOptions) -> None:
    for places in cut_everywhere(parts):
        assert hear(write(parts, style, places), options) == expected, places


@EACH_STYLE
@pytest.mark.parametrize("row", [*OWN, *FOREIGN])
def test_a_call_in_the_text(row: str, style: Any) -> None:
    said, answer = (OWN | FOREIGN)[row]
    finish = "tool_calls" if answer.calls else "stop"
    assert_heard([Text(said)], style, Heard(answer.text, answer.calls, finish), build_options())


@EACH_STYLE
@pytest.mark.parametrize("row", TEXT)
def test_what_is_no_call_is_text(row: str, style: Any) -> None:
    assert_heard([Text(TEXT[row])], style, Heard(TEXT[row]), build_options())


@EACH_STYLE
@pytest.mark.parametrize("said", [NATIVE_A, OBJECT_A, f"```json\n{OBJECT_A}\n```"])
@pytest.mark.parametrize("read_text", ["The file says: {}\n", None])
def test_a_foreign_form_that_may_have_been_read_is_text(said: str, read_text: str | None, style: Any) -> None:
    seen = None if read_text is None else read_text.format(said)
    assert_heard([Text(said)], style, Heard(said), build_options(read_text=seen))


A = '{"path": "a"}'
NATIVE = Native(A)
OTHER = Native('{"path": "b"}', id="tool-2")
SANDBOX = Native('{"code": "1+1"}', "execute_sandbox_code", "site-1")
FAILED_SANDBOX = Failed(SANDBOX)
SAD = Text("The function is not there.")
HI = Text("Let me look. ")
THOUGHT = Text("I should look. ", "think")
CALLED = Heard(calls=(GOT_A,), finish="tool_calls")

# What the upstream's own calls come to.
STRUCTURED: dict[str, tuple[list[Part], Heard]] = {
    "finished": ([NATIVE], CALLED),
    "the part failed": ([Native(A, status="error")], CALLED),
    "never ended": ([Native(A, status="")], CALLED),
    "without an id": ([Native(A, id=None)], CALLED),
    "the executor fails": ([NATIVE, Failed(NATIVE), SAD], CALLED),
    "not ended, the executor fails": ([Native(A, status=""), Failed(NATIVE), SAD], CALLED),
    "behind text": ([HI, NATIVE, Failed(NATIVE), SAD], Heard("Let me look. ", (GOT_A,), "tool_calls")),
    "behind thinking": (
        [THOUGHT, NATIVE, Failed(NATIVE), SAD],
        Heard(calls=(GOT_A,), finish="tool_calls", thinking="I should look. "),
    ),
    "two": ([NATIVE, OTHER, Failed(NATIVE), Failed(OTHER)], Heard(calls=(GOT_A, GOT_B), finish="tool_calls")),
    "two, each with its failure": ([NATIVE, Failed(NATIVE), OTHER, Failed(OTHER)], CALLED),
    "the site's own between": (
        [SANDBOX, FAILED_SANDBOX, HI, NATIVE, Failed(NATIVE)],
        Heard("Let me look. ", (GOT_A,), "tool_calls"),
    ),
    "the site's own alone": ([SANDBOX, FAILED_SANDBOX, SAD], Heard(SAD.text)),
    "undeclared": ([Native("{}", "rm"), SAD], Heard(SAD.text)),
    "another case": ([Native(A, "Read-File")], CALLED),
    "no closing brace": ([Native('{"path": "a"')], CALLED),
    "JSON in JSON": ([Native(json.dumps(A))], CALLED),
    "both routes": ([Text(CALL_A), NATIVE, Failed(NATIVE)], CALLED),
    "a custom tool": (
        [Native('{"input": "+a\\n"}', "apply_patch")],
        Heard(calls=(("apply_patch", "+a\n"),), finish="tool_calls"),
    ),
    "no arguments": ([Native("", "now")], Heard(calls=(("now", "{}"),), finish="tool_calls")),
}


@EACH_STYLE
@pytest.mark.parametrize("row", STRUCTURED)
def test_a_native_call(row: str, style: Any) -> None:
    parts, expected = STRUCTURED[row]
    assert_heard(parts, style, expected, build_options())


THINKING: dict[str, tuple[list[Part], Heard]] = {
    "alone": ([Text(CALL_A, "think")], Heard(calls=(GOT_A,), finish="tool_calls", thinking=CALL_A)),
    "behind thoughts": (
        [Text(f"I should. {CALL_A}\n", "think")],
        Heard(calls=(GOT_A,), finish="tool_calls", thinking=f"I should. {CALL_A}\n"),
    ),
    "in both": (
        [Text(f"I should. {CALL_A}", "think"), Text(f"Now. {CALL_A}")],
        Heard("Now. ", (GOT_A,), "tool_calls", thinking=f"I should. {CALL_A}"),
    ),
    "text follows": (
        [Text(CALL_A, "think"), Text("I have read it.")],
        Heard("I have read it.", thinking=CALL_A),
    ),
    "mentioned": (
        [Text(f"{CALL_A} would do. Or not.", "think"), Text("No.")],
        Heard("No.", thinking=f"{CALL_A} would do. Or not."),
    ),
}


@EACH_STYLE
@pytest.mark.parametrize("row", THINKING)
def test_a_call_in_the_thinking(row: str, style: Any) -> None:
    parts, expected = THINKING[row]
    assert_heard(parts, style, expected, build_options())


ARGUMENTS = [(schema, written, delivered) for schema, written, delivered in COERCED] + [
    (schema, written, written) for schema, written in KEPT
]


@EACH_STYLE
@pytest.mark.parametrize("native", [False, True], ids=["dialect", "native"])
def test_arguments_are_typed_by_their_schema(style: Any, *, native: bool) -> None:
    """Every row of the table of arguments, by both routes."""
    for schema, written, delivered in ARGUMENTS:
        tool = Tool("t", "", {"type": "object", "properties": {"v": schema}, "$defs": DEFS})
        body = json.dumps({"v": written}, ensure_ascii=False)
        part: Part = Native(body, "t") if native else Text(f"{opener('t')}{body}{CLOSER}")
        options = build_options([tool])
        for places in [(), tuple(range(1, len(part.text))), *[(at,) for at in range(1, len(part.text), 5)]]:
            heard = hear(write([part], style, places), options)
            ((name, arguments),) = heard.calls
            assert (name, heard.finish, heard.text) == ("t", "tool_calls", "")
            value = json.loads(arguments)["v"]
            assert (value, type(value)) == (delivered, type(delivered)), (schema, written, places)


# Strings that have to arrive to the byte, whatever stands in them.
STRINGS = {
    "quotes": 'say "hi", \\"there\\"',
    "backslashes": r"C:\Users\new\table \d+ \\ \u0041",
    "line breaks": "a\nb\r\n\tc\n",
    "emoji": "🙂 e\u0301 你好\u2028\u0000\u007f",
    "blanks": " \n\t padded \t\n ",
    "our marks": f"{opener('now')}{{}}{CLOSER}",
    "native marks": f"{NATIVE_A}</arg_value></tool_call>",
    "braces": '}]{["}',
    "fences": "```json\n{}\n```\n",
    "empty": "",
    "long": "".join(f"{n}: <b>{{x}}</b> \"'\\ 你\n" for n in range(500)),
}


@EACH_STYLE
@pytest.mark.parametrize("native", [False, True], ids=["dialect", "native"])
@pytest.mark.parametrize("row", STRINGS)
def test_a_string_arrives_to_the_byte(row: str, style: Any, *, native: bool) -> None:
    arguments = json.dumps({"path": STRINGS[row]}, ensure_ascii=False)
    part: Part = Native(arguments) if native else Text(f"{opener('read_file')}{arguments}{CLOSER}")
    for places in cut_everywhere([part]):
        heard = hear(write([part], style, places), build_options())
        assert [(name, json.loads(text)) for name, text in heard.calls] == [
            ("read_file", {"path": STRINGS[row]})
        ], places
        assert (heard.text, heard.finish) == ("", "tool_calls")


@EACH_STYLE
def test_raw_control_characters_and_wrong_escapes_are_mended(style: Any) -> None:
    said = f'{opener("read_file")}{{"path":"a\n\tb C:\\Users",}}{CLOSER}'
    expected = Heard(calls=(("read_file", '{"path":"a\\n\\tb C:\\\\Users"}'),), finish="tool_calls")
    assert_heard([Text(said)], style, expected, build_options())


@EACH_STYLE
@pytest.mark.parametrize("native", [False, True], ids=["dialect", "native"])
def test_half_a_character_becomes_one_that_can_be_sent(style: Any, *, native: bool) -> None:
    arguments = '{"path":"\\ud83d"}'
    part: Part = Native(arguments) if native else Text(f"{opener('read_file')}{arguments}{CLOSER}")
    expected = Heard(calls=(("read_file", arguments),), finish="tool_calls")
    assert_heard([part], style, expected, build_options())


NAMED = [Tool(n) for n in ("read_file", "search", "mcp.files/list", "天气", "x" * 100)]


@EACH_STYLE
@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Read_File", "read_file"), (" read-file ", "read_file"), ("user_search", "search"),
        ("mcp_files_list", "mcp.files/list"), ("mcp.files/list", "mcp.files/list"), ("user_tool", "天气"),
        ("天气", "天气"), ("x" * 64, "x" * 100), ("x" * 100, "x" * 100),
    ],
)  # fmt: skip
def test_names_come_back_as_the_clients_own(written: str, name: str, style: Any) -> None:
    expected = Heard(calls=((name, "{}"),), finish="tool_calls")
    options = build_options(NAMED)
    assert_heard([Text(f"{opener(written)}{{}}{CLOSER}")], style, expected, options)
    assert_heard([Native("{}", written), Failed(Native("{}", written))], style, expected, options)


@EACH_STYLE
@pytest.mark.parametrize("written", ["rm", "", " ", "read file", "read_file</arg_key>", "x" * 301])
def test_undeclared_names_are_no_calls(written: str, style: Any) -> None:
    said = f"{opener(written)}x{CLOSER} and so on"
    assert_heard([Text(said)], style, Heard(said), build_options(NAMED))
    assert_heard([Native("{}", written), SAD], style, Heard(SAD.text), build_options(NAMED))


@EACH_STYLE
def test_the_sites_own_names_are_its_own_where_it_calls_them(style: Any) -> None:
    assert_heard([Native("{}", "search"), SAD], style, Heard(SAD.text), build_options(NAMED))
    said = f"{opener('search')}{{}}{CLOSER}"
    called = Heard(calls=(("search", "{}"),), finish="tool_calls")
    assert_heard([Text(said)], style, called, build_options(NAMED))
