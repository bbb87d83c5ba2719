"""Messages to prompt, and what a request means upstream."""

from __future__ import annotations

import base64
import json
import math
import textwrap
import time
from typing import Any

import pytest

from app.chat.mode import Mode, choose_mode
from app.chat.prompt import build_prompt, choose_spoken, has_history
from app.core.errors import InvalidRequest, PromptTooLong
from app.core.model_name import MODELS
from app.core.request import Role, TextPart, Turn
from app.core.usage import estimate_tokens
from app.formats.openai_chat.question import build_question
from app.formats.openai_chat.request import parse_chat_request
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID, ChatMode, Drawing


def read(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return build_question(parse_chat_request(json.dumps({"messages": messages}).encode())).turns


def prompt(*messages: dict[str, Any], continues: bool = False, max_chars: int = 10_000) -> str:
    return build_prompt(read(*messages), continues=continues, max_chars=max_chars)


USER = {"role": "user", "content": "second"}
HISTORY: list[dict[str, Any]] = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": [{"type": "text", "text": "first"}, {"type": "text", "text": "more"}]},
    {"role": "assistant", "content": "ok"},
]


def test_one_message_goes_as_it_is() -> None:
    assert prompt(USER) == "second"


def test_a_history_keeps_its_order_and_roles() -> None:
    text = prompt(*HISTORY, USER)
    marks = ["[System]\nbe kind", "[User]\nfirst\nmore", "[Assistant]\nok", "[User]\nsecond", "[Assistant]"]
    positions = [text.index(mark) for mark in marks[:-1]] + [text.rindex(marks[-1])]
    assert positions == sorted(positions)


def test_a_continuation_sends_the_new_message_alone() -> None:
    assert prompt(*HISTORY, USER, continues=True) == "second"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("![a cat](https://x.example/1.png) there", "there"),
        ("see [data](sandbox:/mnt/data/a.csv) now", "see data now"),
        ("saved /mnt/data/plot.png.", "saved"),
        ("a [link](https://x.example) stays", "a [link](https://x.example) stays"),
    ],
)
def test_what_only_an_earlier_answer_could_open_is_left_out(said: str, kept: str) -> None:
    text = prompt({"role": "assistant", "content": said}, USER)
    assert f"[Assistant]\n{kept}" in text
    assert "/mnt/data" not in text


MARKED: list[tuple[dict[str, Any], str]] = [
    ({"role": "developer", "content": "x"}, "[System]\nx\n"),
    ({"role": "tool", "content": "7", "tool_call_id": "t", "name": "sum"}, "[Tool result] sum\n7\n"),
    ({"role": "function", "content": "7"}, "[Tool result]\n7\n"),
    ({"role": "user", "content": "x", "name": "eve"}, "[User]\nx\n"),
    ({"role": "assistant", "refusal": "not that"}, "[Assistant]\nnot that\n"),
    ({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}, "[Assistant]\nno\n"),
    (
        {"role": "assistant", "tool_calls": [{"function": {"name": "sum", "arguments": "{}"}}, {"id": "x"}]},
        "[Assistant]\n(called sum with {})\n",
    ),
    (
        {"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf"}}]},
        "[User]\n[file a.pdf]\n",
    ),
    (
        {"role": "user", "content": [{"type": "file", "file_url": {"url": "https://x.example/secret"}}]},
        "[User]\n[file without a name]\n",
    ),
    (
        {
            "role": "user",
            "content": [{"type": "file", "file_url": {"url": "https://x.example/a/b%20c.pdf?k=1#x"}}],
        },
        "[User]\n[file b c.pdf]\n",
    ),
    (
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x.example/1.png"}}]},
        "[User]\n[image 1.png]\n",
    ),
    (
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}],
        },
        "[User]\n[image]\n",
    ),
    (
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}]},
        "[User]\n[sound]\n",
    ),
]


@pytest.mark.parametrize(("message", "turn"), MARKED)
def test_every_kind_of_turn_has_its_mark(message: dict[str, Any], turn: str) -> None:
    assert f"\n\n{turn}\n[User]\nsecond\n\n[Assistant]" in prompt(message, USER)


def test_silent_turns_are_left_out() -> None:
    assert prompt({"role": "assistant", "content": " "}, USER).count("[Assistant]") == 1


def test_a_drawing_gets_what_the_user_said_last_and_nothing_else() -> None:
    messages = read(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "一只狗"},
        {"role": "user", "content": "一只猫"},
        {"role": "assistant", "content": "![image](https://example.org/1.jpg)"},
    )
    assert [turn.parts for turn in choose_spoken(messages)] == [(TextPart("一只猫"),)]
    assert choose_spoken(messages[:1]) == messages[:1]


def test_only_one_message_is_no_history() -> None:
    assert not has_history(read(USER))
    assert has_history(read(USER, USER))


def test_one_message_that_is_no_users_is_marked() -> None:
    assert "[System]\nbe kind\n" in prompt(HISTORY[0])


@pytest.mark.parametrize("hostile", ["![" * 200_000, "[" * 400_000, "![a](" * 100_000, "/mnt/data/" * 50_000])
def test_cleaning_is_quick_whatever_the_text(hostile: str) -> None:
    begun = time.process_time()
    prompt({"role": "assistant", "content": hostile}, USER, max_chars=10**7)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("content", ["", "  ", None, []])
def test_nothing_to_answer(content: object) -> None:
    with pytest.raises(InvalidRequest):
        prompt({"role": "user", "content": content})


def test_too_much() -> None:
    with pytest.raises(PromptTooLong) as too_long:
        prompt({"role": "user", "content": "好" * 1100}, max_chars=1000)
    assert too_long.value.tokens is not None
    has, may_have = too_long.value.tokens
    assert (has, may_have) == (math.ceil(may_have * 1.1), estimate_tokens("好" * 1000))
    prompt({"role": "user", "content": "x" * 10}, max_chars=10)


DRAWS = Mode(assistant_id=DRAWING_ASSISTANT_ID, drawing=Drawing())


def mode(**fields: Any) -> Mode:
    body = json.dumps({"messages": [USER]} | fields).encode()
    return choose_mode(build_question(parse_chat_request(body)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Mode()),
        ({"model": "gpt-4o"}, Mode()),
        ({"model": "65c046a531d3fcb034918abe"}, Mode(assistant_id="65c046a531d3fcb034918abe")),
        ({"model": "glm-zero"}, Mode(chat_mode="thinking")),
        ({"model": "GLM-Think"}, Mode(chat_mode="thinking")),
        ({"model": "glm-think", "reasoning_effort": "none"}, Mode()),
        ({"reasoning_effort": "medium"}, Mode(chat_mode="thinking")),
        ({"reasoning_effort": "high"}, Mode(chat_mode="thinking")),
        ({"reasoning_effort": "xhigh"}, Mode(chat_mode="deep_thinking")),
        ({"model": "glm-deep-research"}, Mode(chat_mode="deep_research")),
        ({"model": "glm-think-search"}, Mode(chat_mode="thinking", web_search=True)),
        ({"web_search_options": {}}, Mode(web_search=True)),
        ({"model": "glm-search", "web_search": False}, Mode()),
        ({"model": "glm-5.3-flash"}, Mode(selected_model="glm-5.3-flash")),
        ({"model": "cogview-3"}, DRAWS),
        ({"model": "CogView-4-250304", "web_search": True}, DRAWS),
        ({"model": DRAWING_ASSISTANT_ID, "reasoning_effort": "high"}, DRAWS),
        ({"model": "glm-5.3-think"}, Mode(selected_model="glm-5.3", chat_mode="thinking")),
        ({"model": "glm-4.5"}, Mode(selected_model="glm-4.5")),
        ({"model": "glm-silent"}, Mode(is_silent=True)),
        ({"model": "glm-think-search-silent"}, Mode(chat_mode="thinking", web_search=True, is_silent=True)),
        (
            {"model": "glm-5.3-flash-Silent-think"},
            Mode(chat_mode="thinking", selected_model="glm-5.3-flash", is_silent=True),
        ),
        (
            {"model": "65c046a531d3fcb034918abe-silent"},
            Mode(assistant_id="65c046a531d3fcb034918abe", is_silent=True),
        ),
        ({"model": "silently"}, Mode()),
    ],
)
def test_what_a_request_means(fields: dict[str, Any], expected: Mode) -> None:
    assert mode(**fields) == expected


def test_every_listed_model_means_something_of_its_own() -> None:
    meanings = {name: mode(model=name) for name in MODELS}
    assert len(set(meanings.values())) == len(MODELS)
    assert meanings["glm"].assistant_id == DEFAULT_ASSISTANT_ID


@pytest.mark.parametrize(
    ("chat_mode", "effort"), [("", ""), ("thinking", "high"), ("deep_thinking", "max"), ("deep_research", "")]
)
def test_modes_and_efforts_go_in_pairs(chat_mode: ChatMode, effort: str) -> None:
    assert Mode(chat_mode=chat_mode).reasoning_effort == effort


@pytest.mark.parametrize("size", [100, 3_000, 300_000, 5_000_000])
@pytest.mark.parametrize(
    "form", ["好的 ![猫]({})", '![a]( {} "title")', '<img src="{}">', "{}", "[open]({})", "![]({})"]
)
@pytest.mark.parametrize("role", ["assistant", "user"])
def test_pictures_written_out_never_travel_as_words(role: Role, form: str, size: int) -> None:
    coded = base64.b64encode(bytes(range(256)) * (size // 192 + 1)).decode()
    for data in (coded, "\n".join(textwrap.wrap(coded[:20_000], 76)) + "=="):
        said = form.format(f"data:image/png;base64,{data}")
        begun_at = time.thread_time()
        merged = build_prompt(
            [Turn(role, (TextPart(said),)), Turn("user", (TextPart("更大"),))],
            continues=False,
            max_chars=2000,
        )
        assert time.thread_time() - begun_at < 1.0
        assert "base64," not in merged
        assert coded[100:120] not in merged
        assert "更大" in merged


def test_what_is_no_picture_stays_in_the_words() -> None:
    said = "What does data:text/plain;base64,aGVsbG8= mean? And `data:image/png;base64,...`?"
    assert prompt({"role": "user", "content": said}) == said


@pytest.mark.parametrize(
    "piece",
    [
        "data:",
        f"data:{'a' * 170} ",
        f"data:{'a' * 85};b=c;d=e;f=g;h=i;",
        "data:image/png;base64,",
        "![a](data:,",
        "data:a/b;c=d;",
        "data:;base64," + "A" * 61 + "\n",
    ],
)
def test_no_text_makes_the_cleaning_slow(piece: str) -> None:
    said = (TextPart(piece * (2_000_000 // len(piece))),)
    begun_at = time.thread_time()
    build_prompt([Turn("assistant", said), Turn("user", said)], continues=False, max_chars=10_000_000)
    assert time.thread_time() - begun_at < 4.0
