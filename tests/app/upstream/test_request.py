"""The chat call's body, byte for byte as browsers of 2026 send it (protocol notes 3.1, REAL bodies)."""

from __future__ import annotations

import json

import pytest

from app.upstream.request import DRAWING_ASSISTANT_ID, Drawing, StreamRequest, build_stream_body

BODY_2026_02 = (
    '{"assistant_id":"65940acff94777010aa6b796","conversation_id":"","project_id":"","chat_type":"user_chat",'
    '"meta_data":{"cogview":{"rm_label_watermark":false},"is_test":false,"input_question_type":"xxxx",'
    '"channel":"","draft_id":"","chat_mode":"","is_networking":false,"quote_log_id":"","platform":"pc"},'
    '"messages":[{"role":"user","content":[{"type":"text","text":"你好"}]}]}'
)
BODY_2026_09 = (
    '{"assistant_id":"65940acff94777010aa6b796","conversation_id":"","project_id":"","chat_type":"user_chat",'
    '"meta_data":{"cogview":{"rm_label_watermark":false},"is_test":false,"input_question_type":"xxxx",'
    '"channel":"","draft_id":"","chat_mode":"thinking","reasoning_effort":"high",'
    '"selected_model":"glm-5.3-flash","is_networking":true,"quote_log_id":"","platform":"pc"},'
    '"messages":[{"role":"user","content":[{"type":"text","text":"你好"}]}]}'
)


# The body that was captured on 2026-09-30 (protocol notes 7), without the model and with our platform.
BODY_OF_A_DRAWING = (
    '{"assistant_id":"65a232c082ff90a2ad2f15e2","conversation_id":"","project_id":"","chat_type":"user_chat",'
    '"meta_data":{"cogview":{"aspect_ratio":"3:4","style":"none","scene":"none","chat_model":"",'
    '"rm_label_watermark":false},"is_test":false,"input_question_type":"xxxx","channel":"","draft_id":"",'
    '"chat_mode":"","reasoning_effort":"low","is_networking":false,"quote_log_id":"","platform":"pc"},'
    '"messages":[{"role":"user","content":[{"type":"text","text":"一只猫"}]}]}'
)


def test_a_drawing() -> None:
    request = StreamRequest(
        "一只猫",
        assistant_id=DRAWING_ASSISTANT_ID,
        reasoning_effort="low",
        drawing=Drawing(aspect_ratio="3:4"),
    )
    assert build_stream_body(request).decode() == BODY_OF_A_DRAWING


def test_a_plain_question() -> None:
    assert build_stream_body(StreamRequest("你好")).decode() == BODY_2026_02


def test_a_thinking_question_with_a_model_and_search() -> None:
    request = StreamRequest(
        "你好",
        chat_mode="thinking",
        reasoning_effort="high",
        selected_model="glm-5.3-flash",
        web_search=True,
    )
    assert build_stream_body(request).decode() == BODY_2026_09


def test_a_continued_conversation_of_another_assistant() -> None:
    request = StreamRequest("x", assistant_id="a" * 24, conversation_id="c" * 24)
    body = json.loads(build_stream_body(request))
    assert (body["assistant_id"], body["conversation_id"]) == ("a" * 24, "c" * 24)
    assert len(body["messages"]) == 1


@pytest.mark.parametrize(
    "prompt", ['"quoted"\\', "line\nline\r\n\t", "\u2028\u0000\u0085", "😀哈", "</script>"]
)
def test_any_text_arrives(prompt: str) -> None:
    body = json.loads(build_stream_body(StreamRequest(prompt)))
    assert body["messages"][0]["content"][0]["text"] == prompt
