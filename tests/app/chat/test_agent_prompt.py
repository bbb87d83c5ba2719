"""The prompt of a request with tools or a JSON format, word for word, and what is refused before that."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from app.chat.attachment import find_attachments
from app.chat.offer import Offer, build_offer
from app.chat.prompt import build_prompt
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import Call, FilePart, Question, TextPart, Turn
from app.core.tool import JsonOutput, Tool, ToolChoice
from app.tools.dialect import Dialect
from app.tools.tool import build_call_id
from tests.app.tools.detecting import detect

READ = Tool(
    "read_file",
    "Read a file.",
    {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    place="tools.0.function",
)
FIND = Tool("search", "Search the notes.", {"type": "object", "properties": {}}, place="tools.1.function")
PATCH = Tool("patch", kind="custom", place="tools.2.custom")
ASK = Turn("user", (TextPart("What is in a.txt?"),))
CALLED = Turn("assistant", (TextPart("Let me look."),), calls=(Call("c1", "read_file", '{"path": "a.txt"}'),))
RESULT = Turn("tool", (TextPart("hello"),), call_id="c1")


def offer(*tools: Tool, choice: ToolChoice = ToolChoice(), json_output: Any = None) -> Offer:  # noqa: B008
    question = Question((ASK,), "glm", tools=tools, choice=choice, json_output=json_output)
    return build_offer(question, Dialect("k3x9"))


def prompt(*turns: Turn, offer: Offer, continues: bool = False, max_chars: int = 100_000) -> str:
    return build_prompt(turns, continues=continues, max_chars=max_chars, offer=offer)


AGENT_PROMPT = """\
The conversation so far stands below, each turn after its mark. Go on with the task as the assistant, and write no marks.
以下是按标记排列的对话，请以助手身份继续完成任务，不要输出标记。

# Functions
The user's machine runs these functions through this conversation. The user's files, commands and programs are reached through them.
{"name":"read_file","description":"Read a file.","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}

[User]
What is in a.txt?

[Assistant]
Let me look.
<call-k3x9 name="read_file">{"path": "a.txt"}</call-k3x9>

[Result of read_file #1]
hello

To call a function, write its name and one JSON object with its parameters in this form:
<call-k3x9 name="read_file">{"path":"..."}</call-k3x9>
Text may stand before a call, and several calls may follow one another. The turn ends with the last call; the results come in the next turn.
需要使用函数时，请直接按上面的格式写出调用，结果会在下一轮给出。
Call functions whenever they help, and answer in text once the task is done.

[Assistant]"""  # noqa: E501 - as it is sent


def test_schemas_first_history_in_the_dialect_rules_last() -> None:
    assert prompt(ASK, CALLED, RESULT, offer=offer(READ)) == AGENT_PROMPT


def test_a_first_question_has_the_same_form() -> None:
    text = prompt(ASK, offer=offer(READ))
    assert (
        text.index("# Functions") < text.index("[User]\nWhat is in a.txt?") < text.index("To call a function")
    )
    assert text.endswith("[Assistant]")


def test_without_tools_the_model_learns_no_form_of_a_call() -> None:
    text = prompt(ASK, CALLED, RESULT, offer=offer(READ, choice=ToolChoice("none")))
    assert "call-" not in text
    assert "# Functions" not in text
    assert '[Assistant]\nLet me look.\n(called read_file with {"path": "a.txt"})' in text
    assert "[Tool result] read_file\nhello" in text
    assert "Reply to the last turn only" in text


def test_every_tool_reaches_the_prompt_under_a_name_that_is_nobody_elses() -> None:
    tools = [Tool(f"tool_{n}", f"Number {n}.") for n in range(60)]
    text = prompt(ASK, offer=offer(*tools, FIND))
    assert all(f'{{"name":"{tool.name}","description":"{tool.description}"' in text for tool in tools)
    assert '{"name":"user_search"' in text


def test_history_of_aliases_custom_tools_and_results_that_nobody_asked_for() -> None:
    calls = (Call("c1", "search", "{}"), Call("c2", "patch", 'say "hi"\n', "custom"), Call("", "gone", ""))
    turns = [
        ASK,
        Turn("assistant", (), calls=calls),
        Turn("tool", (TextPart("no"),), call_id="c2", has_failed=True),
        Turn("tool", (), call_id="c1"),
        Turn("tool", (TextPart("?"),), call_id="unknown"),
        Turn("tool", (TextPart("12"),), "now"),
    ]
    text = prompt(*turns, offer=offer(FIND, PATCH))
    assert '<call-k3x9 name="user_search">{}</call-k3x9>' in text
    assert '<call-k3x9 name="patch">{"input":"say \\"hi\\"\\n"}</call-k3x9>' in text
    assert '<call-k3x9 name="gone">{}</call-k3x9>' in text
    assert "[Result of patch #1 failed]\nno" in text
    assert "[Result of user_search #2]\n(no output)" in text
    assert "[Result of a call #3]\n?" in text
    assert "[Result of now #4]\n12" in text


def test_a_result_without_its_call_is_known_by_the_id() -> None:
    """As where a conversation goes on by its id: the call stands upstream alone, several may come back."""
    ids = [build_call_id(secrets.token_bytes, tool) for tool in (READ, FIND)]
    turns = [Turn("tool", (TextPart("7"),), call_id=call_id) for call_id in (*reversed(ids), "call_1")]
    text = build_prompt(turns, continues=True, are_all_new=True, max_chars=10_000, offer=offer(READ, FIND))
    for told in ("user_search #1", "read_file #2", "a call #3"):
        assert f"[Result of {told}]\n7" in text


def call(call_id: str, name: str = "read_file", arguments: str = "{}") -> Turn:
    return Turn("assistant", (), calls=(Call(call_id, name, arguments),))


def result(call_id: str, text: str) -> Turn:
    return Turn("tool", (TextPart(text),), call_id=call_id)


@pytest.mark.parametrize(
    ("turns", "results"),
    [
        # The same id in every turn, as some clients number calls within one answer.
        (
            [call("c1"), result("c1", "one"), call("c1", "now"), result("c1", "two")],
            ["[Result of read_file #1]\none", "[Result of now #2]\ntwo"],
        ),
        # Twice the result of one call.
        (
            [call("c1"), result("c1", "one"), result("c1", "again")],
            ["[Result of read_file #1]\none", "[Result of read_file #2]\nagain"],
        ),
        # Before its call, without its call, and a call without a result.
        (
            [result("c1", "early"), call("c1"), result("c9", "whose?"), call("c2", "now")],
            ["[Result of read_file #1]\nearly", "[Result of a call #2]\nwhose?"],
        ),
    ],
    ids=["one id for two calls", "two results", "strays"],
)
def test_results_keep_their_place_and_their_calls_name(turns: list[Turn], results: list[str]) -> None:
    text = prompt(ASK, *turns, offer=offer(READ))
    assert [each for each in text.split("\n\n") if each.startswith("[Result")] == results
    assert text.count("<call-k3x9") == sum(len(turn.calls) for turn in turns) + 1


def test_a_system_turn_in_the_middle_stays_there() -> None:
    text = prompt(ASK, CALLED, Turn("system", (TextPart("Be brief."),)), RESULT, offer=offer(READ))
    assert text.index("Let me look.") < text.index("[System]\nBe brief.") < text.index("[Result of read_file")


def test_a_result_of_a_megabyte_stays_to_the_byte() -> None:
    long = "".join(f"line {n}: <b>{{x}}</b> `y` \\ 你好\n" for n in range(30_000))
    text = prompt(ASK, CALLED, result("c1", long), offer=offer(READ), max_chars=2_000_000)
    assert len(long) > 800_000
    assert f"[Result of read_file #1]\n{long.strip()}" in text


@pytest.mark.parametrize("arguments", ['{"path":"a"}', '{"path":"say \\"</call-k3x9>\\" \\n 你好 🙂"}', "{}"])
def test_what_the_gateway_gave_out_reads_the_same_when_it_comes_back(arguments: str) -> None:
    """The history shows a call as the model wrote it, so that the next one is written like it."""
    text = prompt(ASK, call("c1", "read_file", arguments), RESULT, offer=offer(READ))
    (line,) = [line for line in text.split("\n") if line.startswith("<call-k3x9")][:1]
    assert detect([line]).calls == (("read_file", arguments),)


def test_a_continued_conversation_gets_all_new_results() -> None:
    second = Turn("tool", (TextPart("two"),), call_id="c1")
    text = prompt(ASK, CALLED, RESULT, second, offer=offer(READ), continues=True)
    assert "hello" in text
    assert "two" in text
    assert "What is in" not in text
    assert "To call a function" in text


def test_json_is_asked_for_last() -> None:
    wanted = JsonOutput({"type": "object", "properties": {"a": {"type": "integer"}}})
    assert prompt(ASK, offer=offer(json_output=wanted)) == (
        "What is in a.txt?\n\nThe whole answer is one JSON value that fits this JSON Schema, by itself and "
        'ready for a JSON parser:\n{"type":"object","properties":{"a":{"type":"integer"}}}'
    )
    text = prompt(ASK, offer=offer(READ, json_output=JsonOutput()))
    assert "An answer without a call is one JSON object, by itself and ready for a JSON parser." in text


def test_a_named_choice_offers_that_tool_alone() -> None:
    text = prompt(ASK, offer=offer(READ, FIND, choice=ToolChoice("named", ("read_file",))))
    assert "user_search" not in text
    assert "Answer this turn with one call or several of read_file." in text


@pytest.mark.parametrize(
    ("tools", "choice", "param"),
    [
        ((READ,), ToolChoice("named", ("gone",)), "tool_choice"),
        ((), ToolChoice("named", ("gone",)), "tool_choice"),
        ((Tool(" ", place="tools.0.function"),), ToolChoice(), "tools.0.function"),
        ((READ, Tool("read_file", place="tools.1.function")), ToolChoice(), "tools.1.function"),
        (tuple(Tool(f"t{n}") for n in range(129)), ToolChoice(), "tools"),
    ],
)
def test_tools_that_cannot_be_offered(tools: tuple[Tool, ...], choice: ToolChoice, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        offer(*tools, choice=choice)
    assert refused.value.param == param


def test_a_choice_without_tools_is_ignored() -> None:
    assert not offer(choice=ToolChoice("required")).has_tools


def test_schemas_that_no_prompt_holds() -> None:
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(4000)}}
    with pytest.raises(PromptTooLong, match="characters"):
        offer(*[Tool(f"t{n}", parameters=wide) for n in range(8)])


def test_a_json_schema_beyond_the_bounds() -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"properties": {"a": deep}}
    with pytest.raises(InvalidRequest) as refused:
        offer(json_output=JsonOutput(deep, "response_format.json_schema.schema"))
    assert refused.value.param == "response_format.json_schema.schema"


def picture(name: str) -> FilePart:
    return FilePart("image", f"https://x/{name}", name)


def test_pictures_of_the_last_results_go_along_with_the_users() -> None:
    turns = [
        Turn("user", (picture("old"),)),
        Turn("assistant", ()),
        Turn("user", (picture("a"),)),
        CALLED,
        Turn("tool", (picture("b"),), call_id="c1"),
        CALLED,
        Turn("tool", (picture("c"),), call_id="c1"),
        Turn("tool", (picture("d"),), call_id="c1"),
    ]
    assert [one.place for one in find_attachments(turns, continues=False)] == ["a", "c", "d"]
    assert [one.place for one in find_attachments(turns, continues=True)] == ["c", "d"]
