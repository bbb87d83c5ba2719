"""Pictures and documents of earlier turns: known where a chat goes on, attached again where it does not."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from openai import BadRequestError, OpenAI

from tests.live.asking import ask_messages
from tests.live.conftest import StartGateway, connect
from tests.live.test_going_on import Chat, assistant, list_new, user
from upstream_emulator.emulator import UpstreamEmulator


def test_pictures_stay_known_and_come_along_where_a_chat_begins_anew(
    client: OpenAI, upstream: UpstreamEmulator
) -> None:
    note = {"type": "file", "file": {"file_data": "data:text/plain;base64,aGVsbG8=", "filename": "a.txt"}}
    chat = Chat(client)
    chat.say([{"type": "text", "text": "look"}, note])
    chat.say("and then?")
    assert len(upstream.state()["uploads"]) == 1
    chat.messages[0]["content"][0]["text"] = "look, edited"
    said = chat.say("once more")
    assert "文件 a.txt" in said
    assert list_new(upstream) == [True, False, True]
    assert len(upstream.state()["uploads"]) == 1, "the same bytes are uploaded once"


def build_note(number: int) -> dict[str, Any]:
    data = base64.b64encode(f"note {number}".encode()).decode()
    return {
        "type": "file",
        "file": {"file_data": f"data:text/plain;base64,{data}", "filename": f"{number}.txt"},
    }


def test_files_of_earlier_turns_come_along_the_newest_first_up_to_a_limit(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    """One that cannot be read any more fails nothing, and is uploaded to nobody."""
    broken = {"type": "file", "file": {"file_data": "data:image/png;base64,AAAA", "filename": "broken.png"}}
    messages: list[Any] = []
    for number in range(1, 5):
        messages += [user([{"type": "text", "text": f"q{number}"}, build_note(number)]), assistant("a")]
    messages += [user([{"type": "text", "text": "q5"}, broken]), assistant("a")]
    messages += [user([{"type": "text", "text": "last"}, build_note(6)])]
    with connect(start_gateway(GLM_FILES_MAX_COUNT="4"), account) as client:
        said = [ask_messages(client, messages, stream=True).text for _ in range(2)]
    assert list_new(upstream) == [True, True]
    sent = [f"{number}.txt" for number in range(1, 7) if f"文件 {number}.txt" in said[0]]
    assert sent == ["3.txt", "4.txt", "6.txt"]
    assert len(upstream.state()["uploads"]) == 3, "the second time they are known"


def test_too_many_new_files_are_refused_and_too_many_old_ones_are_not(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    many = user([build_note(number) for number in range(4)])
    with connect(start_gateway(GLM_FILES_MAX_COUNT="3"), account) as client:
        with pytest.raises(BadRequestError):
            ask_messages(client, [many], stream=False)
        ask_messages(client, [many, assistant("a"), user("b")], stream=False)
    assert len(upstream.state()["uploads"]) == 3


def test_an_old_link_that_is_dead_does_not_matter(client: OpenAI, upstream: UpstreamEmulator) -> None:
    link = {"type": "image_url", "image_url": {"url": "https://127.0.0.1:1/gone.png"}}
    messages = [user([{"type": "text", "text": "a"}, link]), assistant("b"), user("c")]
    assert ask_messages(client, messages, stream=True).finish == "stop"
