"""Messages requests in, neutral questions out; what is wrong is named by its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Call, FilePart, Question, TextPart, Turn
from app.core.tool import ANY_CHOICE, JsonOutput, SearchTool, Tool, ToolChoice
from app.formats.anthropic_messages.asked import parse_message

USER: Any = {"role": "user", "content": "hi"}
READ: Any = {"name": "read_file", "description": "Read.", "input_schema": {"type": "object"}}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
BILLING = "x-anthropic-billing-header: cc_version=2.1.196; cc_entrypoint=cli"


def ask(*messages: Any, **fields: Any) -> Question:
    body = {"max_tokens": 1024, "messages": list(messages) or [USER], **fields}
    return parse_message(json.dumps(body).encode(), max_text_chars=10_000).question


def read_parts(*blocks: Any) -> list[Any]:
    """Of one user message: texts as such, files as (kind, url, place, name)."""
    (turn,) = ask({"role": "user", "content": list(blocks)}).turns
    return [
        part.text if isinstance(part, TextPart) else (part.kind, part.url, part.place, part.name)
        for part in turn.parts
    ]


def test_a_conversation() -> None:
    question = ask(
        {"role": "user", "content": "Read a.txt."},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "secret", "signature": "x"},
                {"type": "redacted_thinking", "data": "x"},
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": "a.txt"}},
                {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "hello", "cache_control": {}},
                {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": True},
                {"type": "text", "text": "Go on."},
            ],
        },
        {"role": "system", "content": "Be short."},
        system="You help.",
        model="glm-5.3",
    )
    calls = (Call("toolu_1", "read_file", '{"path": "a.txt"}'), Call("toolu_2", "now", "{}"))
    assert question.turns == (
        Turn("system", (TextPart("You help."),)),
        Turn("user", (TextPart("Read a.txt."),)),
        Turn("assistant", (TextPart("Let me look."),), calls=calls),
        Turn("tool", (TextPart("hello"),), call_id="toolu_1"),
        Turn("tool", (), call_id="toolu_2", has_failed=True),
        Turn("user", (TextPart("Go on."),)),
        Turn("system", (TextPart("Be short."),)),
    )
    assert (question.model, question.max_tokens, question.keeps_conversation) == ("glm-5.3", 1024, False)


@pytest.mark.parametrize(
    "system",
    [
        [{"type": "text", "text": BILLING}, {"type": "text", "text": "You help.", "cache_control": {}}],
        f"{BILLING}\nYou help.",
    ],
)
def test_the_header_of_an_agents_bill_is_left_out(system: Any) -> None:
    assert ask(system=system).turns[0] == Turn("system", (TextPart("You help."),))
    assert ask({"role": "system", "content": system}, USER).turns[0].parts == (TextPart("You help."),)


def test_pictures_and_documents() -> None:
    png = {"type": "base64", "media_type": "image/png", "data": "iVBORw0="}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    place = "messages.0.content"
    assert read_parts(
        {"type": "image", "source": png},
        {"type": "image", "source": {"type": "url", "url": "https://x.example/1.png"}},
        {"type": "document", "title": "a.pdf", "source": pdf},
        {"type": "document", "source": {"type": "url", "url": "https://x.example/2.pdf"}},
        {"type": "document", "title": "T", "context": "C", "source": {"type": "text", "data": "all of it"}},
        {"type": "document", "source": {"type": "content", "content": "one"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "two"}]}},
        {
            "type": "search_result",
            "title": "S",
            "source": "https://s.example",
            "content": [{"type": "text", "text": "x"}],
        },
    ) == [
        ("image", "data:image/png;base64,iVBORw0=", f"{place}.0.source.data", ""),
        ("image", "https://x.example/1.png", f"{place}.1.source.url", ""),
        ("file", "data:application/pdf;base64,JVBERi0=", f"{place}.2.source.data", "a.pdf"),
        ("file", "https://x.example/2.pdf", f"{place}.3.source.url", ""),
        "T\nC",
        "all of it",
        "one",
        "two",
        "S\nhttps://s.example",
        "x",
    ]


def test_results_hold_pictures_and_say_which_tools_were_found() -> None:
    content = [
        {"type": "image", "source": {"type": "url", "url": "https://x.example/1.png"}},
        {"type": "tool_reference", "tool_name": "mcp__git__log"},
        {"type": "browser_state", "tabs": [{"id": 1}]},
    ]
    result = {"type": "tool_result", "tool_use_id": "t", "content": content}
    (turn,) = ask({"role": "user", "content": [result]}).turns
    picture, reference = turn.parts
    assert isinstance(picture, FilePart)
    assert picture.place == "messages.0.content.0.content.0.source.url"
    assert reference == TextPart("The tool mcp__git__log is available now.")


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_the_summary_of_what_was_compacted_elsewhere_is_read(role: str) -> None:
    summary = {"type": "compaction", "content": "Anna is ill.", "signature": "x", "encrypted_content": "x"}
    failed = {"type": "compaction", "content": None}
    turn, asked = ask({"role": role, "content": [summary, failed]}, USER).turns
    assert (turn.role, turn.parts) == (role, (TextPart("Anna is ill."),))
    assert asked.parts == (TextPart("hi"),)


def test_kinds_that_nobody_knows_are_skipped() -> None:
    error = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert read_parts(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": error},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]},
        {"type": "of tomorrow", "new": {"shape": [1]}},
        {"type": "text", "text": "hi", "citations": None},
    ) == ["hi"]


def test_files_by_id_are_refused_where_they_would_be_attached() -> None:
    block = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
    (turn,) = ask({"role": "user", "content": [block]}).turns
    (part,) = turn.parts
    assert isinstance(part, FilePart)
    assert isinstance(part.unusable, UnsupportedValue)
    assert part.unusable.param == "messages.0.content.0.source.file_id"


def test_unknown_fields_are_ignored() -> None:
    more = {"context_management": {"edits": []}, "metadata": {"user_id": "x"}, "betas": [1], "temperature": 1}
    assert ask(**more, container=None, mcp_servers=[], speed="fast") == ask()


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "adaptive"}}, None),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, None),
        ({"thinking": {"type": "between_tools"}}, None),
        ({"output_config": {"effort": "high"}}, None),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}, "none"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "medium"),
        ({"thinking": {"type": "enabled"}, "output_config": {"effort": "xhigh"}}, "xhigh"),
        ({"thinking": {"type": "enabled"}, "output_config": {"effort": "of tomorrow"}}, "medium"),
    ],
)
def test_thinking_is_what_enabled_asks_for(fields: dict[str, Any], effort: str | None) -> None:
    assert ask(**fields).effort == effort


def test_thinking_can_be_left_out_of_the_answer() -> None:
    assert ask(thinking={"type": "enabled"}).reasoning is None
    assert ask(thinking={"type": "enabled", "display": "omitted"}).reasoning == "hidden"


def test_tools() -> None:
    server = [
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
    ]
    more = {"type": "custom", "name": "now", "strict": True, "defer_loading": False, "cache_control": {}}
    question = ask(tools=[READ, *server, more])
    assert question.tools == (
        Tool("read_file", "Read.", {"type": "object"}, place="tools.0"),
        Tool("now", "", None, place="tools.3"),
    )
    assert (question.choice, question.search_tool) == (ANY_CHOICE, None)


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ({"type": "auto"}, ToolChoice()),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "read_file"}, ToolChoice("named", ("read_file",))),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(is_parallel=False)),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required", is_parallel=False)),
    ],
)
def test_choices(choice: Any, wanted: ToolChoice) -> None:
    assert ask(tools=[READ], tool_choice=choice).choice == wanted


@pytest.mark.parametrize(
    ("fields", "is_native"),
    [
        ({"tools": [SEARCH]}, True),
        ({"tools": [SEARCH], "tool_choice": {"type": "any"}}, True),
        ({"tools": [SEARCH], "tool_choice": {"type": "none"}}, False),
        ({"tools": [SEARCH, READ]}, False),
        ({"tools": [SEARCH, READ], "tool_choice": {"type": "tool", "name": "web_search"}}, True),
        ({"tools": [SEARCH, READ], "tool_choice": {"type": "tool", "name": "read_file"}}, False),
        ({"tools": [{**SEARCH, "type": "web_search_20260318"}]}, True),
    ],
)
def test_a_search_that_is_alone_or_chosen_is_the_upstreams(fields: Any, is_native: bool) -> None:
    question = ask(**fields)
    assert question.searches_natively is is_native
    assert isinstance(question.search_tool, SearchTool)


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_json(name: str) -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    fields = {name: {"format": wanted} if name == "output_config" else wanted}
    place = "output_config.format.schema" if name == "output_config" else "output_format.schema"
    assert ask(**fields).json_output == JsonOutput({"type": "object"}, place)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "messages.0.content.0.source"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}]},
            "messages.0.content.0.source",
        ),
        ({"stop_sequences": [""]}, "stop_sequences.0"),
        ({"stop_sequences": ["x"] * 17}, "stop_sequences"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{"name": "f", "input_schema": {"x": "y" * 512 * 1024}}]}, "tools.0.input_schema"),
        ({"tools": [READ], "tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tools": [READ], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"model": "x" * 257}, "model"),
    ],
)
def test_what_is_wrong_is_named(fields: Any, param: str) -> None:
    body = {"messages": [USER], **fields}
    with pytest.raises(InvalidRequest) as refused:
        parse_message(json.dumps(body).encode(), max_text_chars=1_000_000)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("stream", "is_streamed"), [({}, False), ({"stream": None}, False), ({"stream": True}, True)]
)
def test_only_true_asks_for_a_stream(stream: Any, is_streamed: bool) -> None:
    body = json.dumps({"messages": [USER], **stream}).encode()
    assert parse_message(body, max_text_chars=1000).stream is is_streamed


@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3(", b"\xed\xa0\x80"])
def test_what_is_retold_undecoded_is_utf8_too(wrong: bytes) -> None:
    block = b'{"type": "tool_use", "id": "a", "name": "b", "input": {"text": "%b"}}' % wrong
    with pytest.raises(InvalidRequest, match="not UTF-8"):
        parse_message(
            b'{"messages": [{"role": "assistant", "content": [%b]}]}' % block, max_text_chars=10_000
        )


@pytest.mark.parametrize("fields", [{}, {"system": ""}, {"system": []}, {"tools": [READ]}])
def test_messages_without_a_block_ask_nothing(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        ask({"role": "user", "content": []}, {"role": "assistant", "content": []}, **fields)
    assert raised.value.param == "messages"


def test_a_message_without_a_block_is_skipped_beside_others() -> None:
    turns = ask({"role": "user", "content": []}, USER).turns
    assert turns == (Turn("user", (TextPart("hi"),)),)
