"""What a model's name means before anybody is asked."""

from __future__ import annotations

import pytest

from app.core.model_name import MODELS, find_assistant_id, may_name_assistant

ID = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "name", [ID, ID.upper(), f"写作助手-{ID}", f"a-b {ID[:20]}-{ID}", f"-{ID}", f"glm-{ID}"]
)
def test_an_id_alone_or_behind_a_dash(name: str) -> None:
    assert find_assistant_id(name) == ID


@pytest.mark.parametrize(
    "name", [f"x{ID}", f"{ID}-x", f"写作助手-{ID[1:]}", f"写作助手 {ID}", "glm", "", f"{ID}\n"]
)
def test_everything_else_is_none(name: str) -> None:
    assert find_assistant_id(name) is None


@pytest.mark.parametrize("name", ["写作助手", "Translator", "My Writer", "助手-v2", "é"])
def test_names_that_may_be_an_assistants(name: str) -> None:
    assert may_name_assistant(name)


@pytest.mark.parametrize(
    "name",
    [
        *MODELS, *(f"claude-{name}" for name in MODELS), "GLM", " glm-x ", "glm 写作", "cogview写",
        ID, ID[1:], f"写作助手-{ID}", "gpt-4o", "claude-sonnet-4-5", "o1", "deepseek-chat", "qwen2.5",
        "vendor/model", "a_b", "gpt", "GPT", "default", "auto", "", " ",
    ],
)  # fmt: skip
def test_what_has_a_meaning_or_is_sent_for_a_model_names_nobody(name: str) -> None:
    """Who made an assistant may rename it at any time."""
    assert not may_name_assistant(name)
