"""Switches of other APIs: each means what the documentation says, and who wins where several speak."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import InvalidRequest
from app.core.request import Question
from app.formats.openai_chat.asked import parse_chat
from app.formats.openai_chat.request import ChatRequest

DOCS = Path(__file__).parents[4] / "docs"
ROW = re.compile(r"^\| `(\".*?)` \| [^|`]+ \| `(\".*?)` \|$", re.MULTILINE)
FOREIGN = {
    "thinking", "enable_thinking", "think", "chat_template_kwargs", "include_reasoning", "reasoning_format",
    "enable_search", "plugins",
}  # fmt: skip


def ask(**fields: Any) -> Question:
    body = {"messages": [{"role": "user", "content": "hi"}], "model": "glm"} | fields
    return parse_chat(json.dumps(body).encode(), max_text_chars=1_000_000).question


def read_table(name: str) -> list[tuple[str, str]]:
    return ROW.findall((DOCS / name).read_text("utf-8"))


TABLE = read_table("features.md")


def test_both_languages_have_the_same_table() -> None:
    assert len(TABLE) >= 20
    assert read_table("features.zh-CN.md") == TABLE


@pytest.mark.parametrize(("sent", "same"), TABLE)
def test_each_row_is_so(sent: str, same: str) -> None:
    fields, ours = json.loads(f"{{{sent}}}"), json.loads(f"{{{same}}}")
    assert ask(**fields) == ask(**ours)
    assert None in ours.values() or ask(**fields) != ask()


def test_every_field_of_others_has_a_row() -> None:
    assert set(ChatRequest.__struct_fields__) >= FOREIGN
    assert {name for name in FOREIGN if not any(f'"{name}"' in sent for sent, _ in TABLE)} == set()


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({"reasoning_effort": "none", "reasoning": {"effort": "high"}}, "none"),
        ({"reasoning_effort": "low", "thinking": {"type": "disabled"}}, "low"),
        ({"reasoning_effort": "HIGH "}, "high"),
        ({"reasoning_effort": "", "enable_thinking": True}, "medium"),
        ({"reasoning_effort": "auto", "thinking": {"type": "disabled"}}, "none"),
        ({"reasoning": {"enabled": False, "effort": "high"}}, "none"),
        ({"reasoning": {"enabled": True, "effort": "max"}}, "max"),
        ({"reasoning": {"enabled": True}}, "medium"),
        ({"reasoning": True}, "medium"),
        ({"reasoning": {"max_tokens": 0}}, "none"),
        ({"reasoning": {"exclude": True}}, None),
        ({"reasoning": {"summary": "auto"}}, None),
        ({"reasoning": {}}, None),
        ({"reasoning": []}, None),
        ({"reasoning": {"effort": "huge"}}, None),
        ({"reasoning": "hidden"}, None),
        ({"reasoning": {"effort": "low"}, "thinking": {"type": "disabled"}}, "low"),
        ({"thinking": "enabled"}, "medium"),
        ({"thinking": True}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024, "clear_thinking": False}}, "medium"),
        ({"thinking": {"type": "auto"}, "enable_thinking": False}, "none"),
        ({"thinking": []}, None),
        ({"thinking": 5}, None),
        ({"enable_thinking": "false"}, "none"),
        ({"enable_thinking": None}, None),
        ({"enable_thinking": {"x": 1}}, None),
        ({"chat_template_kwargs": []}, None),
        ({"chat_template_kwargs": {"reasoning_effort": "low"}}, "low"),
        ({"chat_template_kwargs": {"enable_thinking": "x" * 100_000}}, None),
        ({"think": "low"}, "low"),
    ],
)
def test_how_much_is_thought(fields: dict[str, Any], effort: str | None) -> None:
    assert ask(**fields).effort == effort


@pytest.mark.parametrize(
    ("fields", "display"),
    [
        ({"reasoning": "tags", "include_reasoning": False}, "tags"),
        ({"reasoning": {"exclude": False}, "reasoning_format": "hidden"}, "hidden"),
        ({"reasoning": {"exclude": True}, "reasoning_format": "raw"}, "hidden"),
        ({"reasoning": ""}, None),
        ({"include_reasoning": True}, None),
        ({"reasoning_format": "none of these"}, None),
        ({"reasoning_format": ["raw"]}, None),
    ],
)
def test_where_it_is_shown(fields: dict[str, Any], display: str | None) -> None:
    assert ask(**fields).reasoning == display


@pytest.mark.parametrize(
    ("fields", "searches"),
    [
        ({"web_search": False, "web_search_options": {}, "enable_search": True}, False),
        ({"web_search_options": [], "enable_search": False}, True),
        ({"enable_search": False}, False),
        ({"enable_search": "yes"}, None),
        ({"plugins": [{"id": "file-parser"}]}, None),
        ({"plugins": {}}, None),
        ({"tools": [{"type": "web_search"}]}, True),
        ({"tools": [{"type": "web_search", "web_search": {"enable": False}}]}, False),
        ({"tools": [{"type": "retrieval"}]}, None),
        ({"tools": [{"type": "web_search"}, {"type": "function", "function": {"name": "f"}}]}, None),
    ],
)
def test_whether_the_web_is_searched(fields: dict[str, Any], searches: bool | None) -> None:
    assert ask(**fields).web_search is searches


@pytest.mark.parametrize(
    ("field", "value"),
    [("reasoning_effort", "huge"), ("reasoning", "none"), ("reasoning", 5), ("reasoning", ["content"])],
)
def test_a_word_of_ours_that_nobody_knows_is_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as raised:
        ask(**{field: value})
    assert raised.value.param == field
