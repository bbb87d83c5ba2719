"""Drawing in a chat, as users of the drawing assistant ask for it."""

from __future__ import annotations

import pytest
from openai import OpenAI

from tests.live.asking import ask, ask_messages
from upstream_emulator.emulator import UpstreamEmulator

DRAWING_ASSISTANT = "65a232c082ff90a2ad2f15e2"


def sent_body(upstream: UpstreamEmulator) -> dict[str, object]:
    (body,) = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    assert isinstance(body, dict)
    return body


@pytest.mark.parametrize("model", ["cogview-3", DRAWING_ASSISTANT])
def test_pictures_come_in_order_streamed_and_whole(client: OpenAI, model: str) -> None:
    whole = ask(client, "一只猫", stream=False, model=model)
    streamed = ask(client, "一只猫", stream=True, model=model)
    for heard in (whole, streamed):
        pictures = heard.text.split("\n\n")
        assert [picture[-9:] for picture in pictures] == [f"_{number}_0.jpg)" for number in range(4)]
        assert all(picture.startswith("![image](http") for picture in pictures)
        assert heard.finish == "stop"


def test_only_what_the_user_said_last_is_drawn(client: OpenAI, upstream: UpstreamEmulator) -> None:
    messages = [{"role": "user", "content": "一只狗"}, {"role": "assistant", "content": "好"}]
    ask_messages(client, [*messages, {"role": "user", "content": "一只猫"}], stream=False, model="cogview-3")
    body = sent_body(upstream)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "一只猫"}]}]
    assert body["assistant_id"] == DRAWING_ASSISTANT


@pytest.mark.parametrize("stream", [False, True])
def test_a_picture_in_an_ordinary_chat(client: OpenAI, stream: bool) -> None:
    heard = ask(client, "[[draw-e1]]", stream=stream)
    assert heard.text.startswith("![image](https://sfile.chatglm.cn/testpath/")
    assert heard.text.endswith("希望您喜欢。")
