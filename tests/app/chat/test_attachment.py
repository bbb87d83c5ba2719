"""Which attachments go along with a question, in what order, and what is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.chat.attachment import find_attachments
from app.chat.prompt import build_prompt
from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import Turn
from app.formats.openai_chat.question import build_question
from app.formats.openai_chat.request import parse_chat_request

PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/1.png", "detail": "high"}}
SAME_AS_LINK = {"type": "file", "file_url": {"url": "https://x.example/2.pdf"}}
DATA = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}}
BARE = {"type": "file", "file": {"file_data": "JVBERi0="}}
TEXT = {"type": "text", "text": "what?"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}


def read(*contents: Any, role: str = "user") -> list[Turn]:
    messages = [{"role": role, "content": content} for content in contents]
    return list(build_question(parse_chat_request(json.dumps({"messages": messages}).encode())).turns)


def find(*contents: Any, continues: bool = False) -> list[tuple[str, str, str]]:
    found = find_attachments(read(*contents), continues=continues)
    return [(one.url, one.name, one.place) for one in found]


def test_every_shape_in_its_order() -> None:
    assert find([PICTURE, TEXT, SAME_AS_LINK, DATA, BARE]) == [
        ("https://x.example/1.png", "", "messages.0.content.0.image_url.url"),
        ("https://x.example/2.pdf", "", "messages.0.content.2.file_url.url"),
        ("data:application/pdf;base64,JVBERi0=", "a.pdf", "messages.0.content.3.file.file_data"),
        ("data:;base64,JVBERi0=", "", "messages.0.content.4.file.file_data"),
    ]


def test_those_of_the_last_user_message_alone() -> None:
    assert [param for *_, param in find([PICTURE], "and?", [TEXT, DATA])] == [
        "messages.2.content.1.file.file_data"
    ]
    assert find([PICTURE], "and?") == []


def test_what_follows_the_users_message_does_not_hide_it() -> None:
    messages = [*read([PICTURE, TEXT]), *read("7", role="tool")]
    assert [one.url for one in find_attachments(messages, continues=False)] == ["https://x.example/1.png"]
    assert find_attachments(messages, continues=True) == []


def test_words_right_behind_results_do_not_hide_them_or_the_task() -> None:
    """As agents send reminders beside every result."""
    step = [*read("calling", role="assistant"), *read([DATA], role="tool"), *read("remember this")]
    found = find_attachments([*read([PICTURE, TEXT]), *step, *step], continues=False)
    assert [one.name or one.url for one in found] == ["https://x.example/1.png", "a.pdf"]
    found = find_attachments(
        [*read([PICTURE, TEXT]), *step, *read("ok", role="assistant"), *read("now?")], continues=False
    )
    assert found == []


def test_a_continued_conversation_sends_its_last_message() -> None:
    assert len(find([PICTURE], [TEXT, PICTURE], continues=True)) == 1


@pytest.mark.parametrize(
    ("part", "error", "param"),
    [
        (AUDIO, UnsupportedValue, "messages.0.content.1.input_audio"),
        (
            {"type": "file", "file": {"file_id": "file-1"}},
            UnsupportedValue,
            "messages.0.content.1.file.file_id",
        ),
        ({"type": "file", "file": {}}, InvalidRequest, "messages.0.content.1.file.file_data"),
        ({"type": "file", "file": {"file_data": ""}}, InvalidRequest, "messages.0.content.1.file.file_data"),
        ({"type": "file"}, InvalidRequest, "messages.0.content.1.file"),
    ],
)
def test_what_cannot_be_attached_is_named(
    part: dict[str, Any], error: type[InvalidRequest], param: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        find([TEXT, part])
    assert type(raised.value) is error
    assert raised.value.param == param


@pytest.mark.parametrize("content", [[PICTURE], [PICTURE, {"type": "text", "text": ""}]])
def test_with_files_the_text_may_be_empty(content: list[Any]) -> None:
    assert build_prompt(read(content), continues=False, max_chars=99, has_files=True).strip() == ""
    assert "[image 1.png]" in build_prompt(
        read("so", content), continues=False, max_chars=999, has_files=True
    )


def test_files_that_go_along_are_not_named_in_a_plain_prompt() -> None:
    assert build_prompt(read([PICTURE, TEXT]), continues=False, max_chars=99, has_files=True) == "what?"
