"""Names that cannot travel go under an alias, and every alias leads back to one tool."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.tool import Tool
from app.tools.name import SITE_NAMES, Names
from app.tools.tool import ToolsRefused


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("read_file", "read_file"),
        ("mcp__git-hub__list", "mcp__git-hub__list"),
        ("search", "user_search"),
        ("python", "user_python"),
        ("files/read.v2", "files_read_v2"),
        ("read file", "read_file"),
        ("天气", "user_tool"),
        ("/open", "user_open"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_tool_is_offered_under_a_name_that_travels(name: str, offered: str) -> None:
    tool = Tool(name)
    names = Names([tool])
    assert list(names.tools) == [offered]
    assert names.offer(tool) == offered
    assert names.resolve(offered) is tool
    assert names.resolve(name) is tool


def test_aliases_give_way_to_real_names_and_to_each_other() -> None:
    tools = [
        Tool(name) for name in ("a.b", "a/b", "a_b", "search", "user_search", "y" * 64 + "1", "y" * 64 + "2")
    ]
    names = Names(tools)
    assert list(names.tools) == [
        "a_b_2",
        "a_b_3",
        "a_b",
        "user_search_2",
        "user_search",
        "y" * 64,
        "y" * 62 + "_2",
    ]
    assert [names.resolve(names.offer(tool)) for tool in tools] == tools


@given(
    st.lists(
        st.text(min_size=1).filter(str.strip) | st.sampled_from(sorted(SITE_NAMES)), unique=True, max_size=12
    )
)
def test_aliases_are_safe_and_lead_back(written: list[str]) -> None:
    tools = [Tool(name) for name in written]
    names = Names(tools)
    assert len(names.tools) == len(tools)
    for tool in tools:
        offered = names.offer(tool)
        assert re.fullmatch("[A-Za-z0-9_-]{1,64}", offered)
        assert offered not in SITE_NAMES
        assert names.resolve(offered) is tool


def test_tools_of_two_namespaces_may_share_a_name() -> None:
    tools = [Tool("list", namespace="git"), Tool("list", namespace="mail"), Tool("list")]
    names = Names(tools)
    assert list(names.tools) == ["git__list", "mail__list", "list"]
    assert [names.resolve(name) for name in names.tools] == tools


def test_another_case_is_understood_where_one_tool_is_meant() -> None:
    names = Names([Tool("Read"), Tool("READ"), Tool("Write-File")])
    assert names.resolve("Read") == Tool("Read")
    assert names.resolve("read") is None
    assert names.resolve("write_file") == Tool("Write-File")


def test_the_site_keeps_its_names_on_the_native_route() -> None:
    tool = Tool("search")
    names = Names([tool])
    assert names.resolve_native("search") is None
    assert names.resolve_native("user_search") is tool
    assert names.resolve_native("finish") is None


def test_names_of_the_history_travel_as_well() -> None:
    names = Names([Tool("search"), Tool("user_open")])
    assert [names.alias(name) for name in ("search", "gone", "a.b", "open")] == [
        "user_search",
        "gone",
        "a_b",
        "user_open_2",
    ]


def test_a_tool_may_be_declared_twice_if_it_is_the_same() -> None:
    assert len(Names([Tool("a", "x", {}), Tool("a", "y", {})]).tools) == 1
    with pytest.raises(ToolsRefused, match="twice") as refused:
        Names([Tool("a", "", {}), Tool("a", "", {"type": "object"}, place="tools[1]")])
    assert refused.value.place == "tools[1]"


@pytest.mark.parametrize("name", ["", "  "])
def test_a_tool_needs_a_name(name: str) -> None:
    with pytest.raises(ToolsRefused, match="name"):
        Names([Tool(name)])
