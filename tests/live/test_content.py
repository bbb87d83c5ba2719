"""Citations and the code interpreter, as the official client sees them."""

from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

PAGE = "https://www.weather.com.cn/weather/101010100.shtml"
STYLES = ("style=snapshot", "style=snapshot dialect=2026", "style=delta", "style=delta flag=0", "style=mixed")
RAN = "```python\nprint(1+1)\n```\n\n```text\n2\n```\n\n结果是 2。"


def ask_whole(client: OpenAI, question: str) -> Any:
    messages: Any = [{"role": "user", "content": question}]
    return client.chat.completions.create(model="glm-search", messages=messages).choices[0].message


def ask_streamed(client: OpenAI, question: str) -> tuple[str, Any]:
    """The text, and the annotations of the last chunk."""
    messages: Any = [{"role": "user", "content": question}]
    stream = client.chat.completions.create(model="glm-search", messages=messages, stream=True)
    deltas = [chunk.choices[0].delta for chunk in stream]
    assert [hasattr(delta, "annotations") for delta in deltas[:-1]] == [False] * (len(deltas) - 1)
    return "".join(delta.content or "" for delta in deltas), getattr(deltas[-1], "annotations", None)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scenario", ["search", "search-e1"])
def test_citations_are_links_and_annotations(client: OpenAI, scenario: str, style: str) -> None:
    message = ask_whole(client, f"[[{scenario} {style}]]")
    assert f"今天北京晴[1]({PAGE})，18~28℃。" in message.content
    (note,) = message.annotations
    assert (note.type, note.url_citation.url, note.url_citation.title) == ("url_citation", PAGE, "北京天气")
    place = slice(note.url_citation.start_index, note.url_citation.end_index)
    assert message.content[place] == f"[1]({PAGE})"
    assert ask_streamed(client, f"[[{scenario} {style}]]") == (message.content, [note.model_dump()])


def test_an_answer_without_citations_has_no_annotations(client: OpenAI) -> None:
    assert ask_whole(client, "[[text]]").annotations == []
    assert ask_streamed(client, "[[text]]")[1] is None


@pytest.mark.parametrize("style", STYLES)
def test_code_and_its_output_are_fenced(client: OpenAI, style: str) -> None:
    assert ask_whole(client, f"[[code {style}]]").content == RAN
    assert ask_streamed(client, f"[[code {style}]]")[0] == RAN
