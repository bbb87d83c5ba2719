"""Which tools a choice leaves, and ids."""

from __future__ import annotations

import re
import secrets

import pytest

from app.core.tool import Tool, ToolChoice
from app.tools.tool import MAX_TOOLS, ToolsRefused, build_call_id, choose_tools, is_call_of

TOOLS = [Tool("a"), Tool("b"), Tool("c")]


@pytest.mark.parametrize(
    ("choice", "offered"),
    [
        (ToolChoice(), "abc"),
        (ToolChoice("none"), ""),
        (ToolChoice("required"), "abc"),
        (ToolChoice("named", ("b",)), "b"),
        (ToolChoice("auto", ("c", "a")), "ac"),
        (ToolChoice("required", ("c",)), "c"),
    ],
)
def test_what_is_offered(choice: ToolChoice, offered: str) -> None:
    assert [tool.name for tool in choose_tools(TOOLS, choice)] == list(offered)
    assert choice.is_forced == (choice.mode in ("required", "named"))


@pytest.mark.parametrize("choice", [ToolChoice(), ToolChoice("required"), ToolChoice("auto", ("a",))])
def test_a_choice_without_tools_is_ignored(choice: ToolChoice) -> None:
    assert choose_tools([], choice) == ()


@pytest.mark.parametrize(("tools", "mode"), [(TOOLS, "named"), ([], "named"), (TOOLS, "auto")])
def test_a_choice_of_what_nobody_declared_is_refused(tools: list[Tool], mode: str) -> None:
    with pytest.raises(ToolsRefused, match="`x`") as refused:
        choose_tools(tools, ToolChoice(mode, ("x",)))  # type: ignore[arg-type]
    assert refused.value.place == "tool_choice"


def test_too_many_tools_are_refused_after_filtering() -> None:
    many = [Tool(f"t{i}") for i in range(MAX_TOOLS + 1)]
    assert len(choose_tools(many, ToolChoice("auto", ("t1", "t2")))) == 2
    assert len(choose_tools(many[1:], ToolChoice())) == MAX_TOOLS
    with pytest.raises(ToolsRefused, match="128"):
        choose_tools(many, ToolChoice())


def test_ids() -> None:
    read, listing = Tool("read"), Tool("read", namespace="files")
    drawn = build_call_id(secrets.token_bytes, read)
    assert re.fullmatch(r"call_[0-9a-f]{24}", drawn)
    assert build_call_id(lambda n: b"\x0a" * n, read)[:-8] == "call_" + "0a" * 8
    assert is_call_of(drawn, read)
    assert is_call_of(drawn.replace("call_", "toolu_"), read)
    assert not is_call_of(drawn, listing)
    assert not is_call_of("", read)
