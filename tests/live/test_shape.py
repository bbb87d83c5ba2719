"""Where an answer ends and how its thinking is shown, through gunicorn and the official client."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from openai import APIStatusError, BadRequestError, OpenAI

from tests.live.asking import ask
from tests.live.conftest import StartGateway, connect
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
WITH_USAGE: dict[bool, Any] = {True: {"stream_options": {"include_usage": True}}, False: {}}
STYLES = ("style=snapshot", "style=delta", "style=mixed", "style=delta flag=0")
THINKING = f"[[think thought={quote('我先想想。')} say={quote('答案是七。')}]]"
# Far more than is read before the end that a test asks for.
LONG = "[[chunks n=2000 size=30 pace=5]]"


@BOTH
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("stop", "text"), [("终点", "一路上，"), (["点。", "没有", "路上"], "一")])
def test_a_stop_sequence_ends_the_text(
    client: OpenAI, style: str, stop: Any, text: str, *, stream: bool
) -> None:
    heard = ask(client, f"[[text say={quote('一路上，终点。还有')} {style}]]", stream=stream, stop=stop)
    assert (heard.text, heard.finish) == (text, "stop")


@BOTH
def test_a_stop_sequence_that_never_comes_changes_nothing(client: OpenAI, *, stream: bool) -> None:
    question = f"[[text say={quote('一路上，终')}]]"
    assert ask(client, question, stream=stream, stop=["终点", "上，x"]).text == "一路上，终"


@BOTH
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_a_long_answer_is_cut_and_the_upstream_left(
    client: OpenAI, upstream: UpstreamEmulator, field: str, *, stream: bool
) -> None:
    heard = ask(client, LONG, stream=stream, extra_body={field: 40}, **WITH_USAGE[stream])
    assert heard.finish == "length"
    assert 35 <= heard.usage.completion_tokens <= 40
    state = upstream.wait_until(lambda state: state["open_streams"] == 0)
    assert state["stopped_early"] == 1
    # The account is free at once.
    assert ask(client, "你好", stream=stream).finish == "stop"


@BOTH
def test_a_stop_sequence_leaves_the_upstream(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    heard = ask(client, LONG, stream=stream, stop="。")
    assert heard.finish == "stop"
    assert heard.text
    assert "。" not in heard.text
    assert upstream.wait_until(lambda state: state["open_streams"] == 0)["stopped_early"] == 1


@BOTH
def test_an_answer_that_fits_is_not_cut(client: OpenAI, *, stream: bool) -> None:
    heard = ask(client, "[[text]]", stream=stream, max_tokens=1000, stop=["\u2603"])
    assert heard.finish == "stop"
    assert heard.text == ask(client, "[[text]]", stream=stream).text


@BOTH
def test_thinking_counts_for_the_length(client: OpenAI, *, stream: bool) -> None:
    heard = ask(client, THINKING, stream=stream, max_tokens=2, **WITH_USAGE[stream])
    assert (heard.text, heard.finish) == ("", "length")
    assert "我先想想。".startswith(heard.reasoning)
    assert heard.usage.completion_tokens_details.reasoning_tokens == heard.usage.completion_tokens == 2


@pytest.mark.parametrize("fields", [{"stop": ["a"] * 5}, {"max_tokens": 0}, {"reasoning": "yes"}])
def test_nonsense_is_refused_by_name(client: OpenAI, fields: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError) as raised:
        ask(client, "你好", stream=False, extra_body=fields)
    assert raised.value.param == next(iter(fields))


@BOTH
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("reasoning", "text", "thought"),
    [
        ("content", "答案是七。", "我先想想。"),
        ("tags", "<think>\n我先想想。\n</think>\n\n答案是七。", ""),
        ("hidden", "答案是七。", ""),
    ],
)
def test_thinking_is_shown_as_wished(
    client: OpenAI, style: str, reasoning: str, text: str, thought: str, *, stream: bool
) -> None:
    question = THINKING.replace("]]", f" {style}]]")
    heard = ask(client, question, stream=stream, extra_body={"reasoning": reasoning}, **WITH_USAGE[stream])
    assert (heard.text, heard.reasoning, heard.finish) == (text, thought, "stop")
    assert heard.usage.completion_tokens_details.reasoning_tokens > 0


@BOTH
def test_a_silent_model_gives_the_answer_alone(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    heard = ask(client, THINKING, stream=stream, model="glm-think-search-silent")
    assert (heard.text, heard.reasoning, heard.models) == ("答案是七。", "", {"glm-think-search-silent"})
    sent = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/stream")][-1]
    assert sent["meta_data"].items() >= {"chat_mode": "thinking", "is_networking": True}.items()
    assert ask(client, "[[search]]", stream=stream, model="glm-silent").text == "今天北京晴，18~28℃。"


@BOTH
def test_thinking_alone_is_no_answer_when_it_is_hidden(client: OpenAI, *, stream: bool) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, "[[think only=1]]", stream=stream, extra_body={"reasoning": "hidden"})
    assert (raised.value.status_code, raised.value.code) == (502, "empty_answer")


@BOTH
def test_the_operator_chooses_the_default(start_gateway: StartGateway, account: str, *, stream: bool) -> None:
    gateway = start_gateway(GLM_REASONING="tags")
    with connect(gateway, account) as client:
        heard = ask(client, THINKING, stream=stream)
        assert heard.text == "<think>\n我先想想。\n</think>\n\n答案是七。"
        assert ask(client, THINKING, stream=stream, extra_body={"reasoning": "content"}).text == "答案是七。"
