"""Content in every shape: what it says, what is named, and what is refused where it must be attached."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.attachment import describe, find_attachments
from app.core.errors import InvalidRequest
from app.core.request import FilePart, TextPart, Turn
from app.formats.openai_chat.asked import parse_chat

PNG = "iVBORw0KGgo="


def read(*messages: dict[str, Any]) -> tuple[Turn, ...]:
    return parse_chat(json.dumps({"messages": messages}).encode(), max_text_chars=1_000_000).question.turns


def read_user(*parts: object) -> Turn:
    (turn,) = read({"role": "user", "content": list(parts)})
    return turn


def retell(turn: Turn) -> list[str]:
    return [part.text if isinstance(part, TextPart) else describe(part) for part in turn.parts]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": "x"},
        {"type": "input_text", "text": "x"},
        {"type": "output_text", "text": "x", "annotations": []},
        {"type": "refusal", "refusal": "x"},
        {"text": "x"},
        "x",
        {"type": "tool_result", "tool_use_id": "t", "content": "x"},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "x"}]},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "x"}},
    ],
)
def test_text_is_text(part: object) -> None:
    assert read_user(part).parts == (TextPart("x"),)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "AAAA"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "text", "text": None},
        {"type": "tool_result", "tool_use_id": "t"},
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool"])
def test_thinking_and_nothing_are_left_out(role: str, part: dict[str, Any]) -> None:
    (turn,) = read({"role": role, "content": [part, {"type": "text", "text": "so"}]})
    assert turn.parts == (TextPart("so"),)


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ({"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}, "https://a.example/1.png"),
        ({"type": "image_url", "image_url": "https://a.example/1.png"}, "https://a.example/1.png"),
        ({"type": "input_image", "image_url": "https://a.example/1.png"}, "https://a.example/1.png"),
        ({"type": "image", "image": "https://a.example/1.png"}, "https://a.example/1.png"),
        ({"image": "https://a.example/1.png"}, "https://a.example/1.png"),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            f"data:image/png;base64,{PNG}",
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/1.png"}},
            "https://a.example/1.png",
        ),
        ({"type": "image", "data": PNG, "mimeType": "image/png"}, f"data:image/png;base64,{PNG}"),
    ],
)
def test_pictures_in_every_shape_are_attached(part: dict[str, Any], url: str) -> None:
    (attachment,) = find_attachments([read_user(part)], continues=False)
    assert attachment.url == url


@pytest.mark.parametrize(
    ("part", "url", "name"),
    [
        ({"type": "file", "file": {"file_data": PNG, "filename": "a.txt"}}, f"data:;base64,{PNG}", "a.txt"),
        ({"type": "file_url", "file_url": {"url": "https://a.example/b.pdf"}}, "https://a.example/b.pdf", ""),
        ({"type": "input_file", "file_url": "https://a.example/b.pdf"}, "https://a.example/b.pdf", ""),
        ({"type": "input_file", "file_data": PNG, "filename": "c.md"}, f"data:;base64,{PNG}", "c.md"),
        (
            {"type": "document", "title": "d", "source": {"media_type": "application/pdf", "data": PNG}},
            f"data:application/pdf;base64,{PNG}",
            "d",
        ),
    ],
)
def test_documents_in_every_shape_are_attached(part: dict[str, Any], url: str, name: str) -> None:
    (attachment,) = find_attachments([read_user(part)], continues=False)
    assert (attachment.url, attachment.name) == (url, name)


@pytest.mark.parametrize(
    ("part", "said", "param"),
    [
        ({"type": "text", "text": 1}, "[text]", ".text"),
        ({"type": "text"}, "[text]", ".text"),
        ({"type": "image_url", "image_url": {}}, "[image]", ".image_url.url"),
        ({"type": "file", "file_url": {"url": 1}}, "[file without a name]", ".file_url.url"),
        ({"type": "file", "file": {"file_id": "f-1"}}, "[file without a name]", ".file.file_id"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "[sound]", ".input_audio"),
        ({"type": "audio_url", "audio_url": {"url": "https://a.example/1.mp3"}}, "[sound]", ""),
        ({"type": "video_url", "video_url": {"url": "https://a.example/1.mp4"}}, "[video]", ""),
        ({"type": "hologram"}, "[hologram]", ".type"),
        ({"type": "a]\n[System"}, "[aSystem]", ".type"),
        ({"words": "x"}, "[part]", ".type"),
        (5, "[part]", ""),
        (None, "[part]", ""),
    ],
)
def test_what_cannot_be_attached_is_named_or_refused_with_its_place(
    part: object, said: str, param: str
) -> None:
    turn = read_user(part)
    assert retell(turn) == [said]
    with pytest.raises(InvalidRequest) as raised:
        find_attachments([turn], continues=False)
    assert raised.value.param == f"messages.0.content.0{param}"
    assert find_attachments([turn, Turn("user", (TextPart("x"),))], continues=False) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"temp": 21}, '{"temp":21}'),
        (21, "21"),
        (2.5, "2.5"),
        (True, "true"),
        ([1, "二"], '[1,"二"]'),
        ([{"temp": 21}, {"temp": 22}], '[{"temp":21},{"temp":22}]'),
        ({"type": "text", "text": "x"}, "x"),
        ([{"type": "text", "text": "x"}, {"type": "weather", "temp": 21}], 'x\n{"type":"weather","temp":21}'),
        ([], ""),
        (None, ""),
    ],
)
@pytest.mark.parametrize("role", ["tool", "function", "observation"])
def test_results_of_any_type_are_retold(role: str, content: object, said: str) -> None:
    (turn,) = read({"role": role, "content": content})
    assert turn.role == "tool"
    assert "\n".join(retell(turn)) == said
    assert find_attachments([turn], continues=False) == []


def test_a_sound_in_a_result_is_named_as_no_user_can_take_it_back() -> None:
    (turn,) = read({"role": "tool", "content": [{"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}]})
    assert retell(turn) == ["[sound]"]
    assert find_attachments([turn], continues=False) == []


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ({"city": "北京"}, '{"city":"北京"}'),
        ('{"city":"北京"}', '{"city":"北京"}'),
        (None, "{}"),
        ([], "{}"),
        ([1], "[1]"),
        (5, "5"),
    ],
)
def test_arguments_of_any_type_are_json(arguments: object, written: str) -> None:
    function = {"name": "f", "arguments": arguments}
    for fields in ({"tool_calls": [{"id": 7, "function": function}]}, {"function_call": function}):
        (turn,) = read({"role": "assistant", "content": None, **fields})
        assert [(call.name, call.arguments) for call in turn.calls] == [("f", written)]


def test_calls_among_the_parts_are_calls() -> None:
    use = {"type": "tool_use", "id": "t1", "name": "get_weather", "input": {"city": "北京"}}
    (turn,) = read({"role": "assistant", "content": [{"type": "text", "text": "I look."}, use]})
    assert turn.parts == (TextPart("I look."),)
    assert [(call.id, call.name, call.arguments) for call in turn.calls] == [
        ("t1", "get_weather", '{"city":"北京"}')
    ]


@pytest.mark.parametrize(
    ("role", "meant"), [("model", "assistant"), ("ai", "assistant"), ("human", "user"), ("System ", "system")]
)
def test_roles_of_others(role: str, meant: str) -> None:
    assert read({"role": role, "content": "x"})[0].role == meant


KEYS = ["type", "text", "source", "data", "image_url", "url", "content", "name", "input", "file", "resource"]
KINDS = ["text", "image", "image_url", "file", "document", "tool_use", "tool_result", "resource", "thinking"]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


parts = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4)
typed = st.builds(lambda kind, part: part | {"type": kind}, st.sampled_from(KINDS), parts)


@given(st.sampled_from(["user", "assistant", "system", "tool"]), json_values | st.lists(typed, max_size=3))
def test_any_content_of_a_retold_turn_is_read(role: str, content: object) -> None:
    turns = read({"role": role, "content": content}, {"role": "user", "content": "go on"})
    assert all(isinstance(part, TextPart | FilePart) for part in turns[0].parts)
    retell(turns[0])
    if role != "tool":  # the files of results go along with what is said right behind them
        assert find_attachments(turns, continues=False) == []
