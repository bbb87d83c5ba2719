"""What a second reading of public sources settled (protocol notes 0.2), by the product and row by row."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.eventually import eventually
from tests.live.asking import ask
from upstream_emulator.emulator import UpstreamEmulator

DELETIONS = (
    "/chatglm/mainchat-api/conversation/bulk_delete",
    "/chatglm/mainchat-api/conversation/delete",
    "/chatglm/backend-api/assistant/conversation/delete",
)


def read_name(account: str) -> str:
    return account.removeprefix("demo-")


@pytest.mark.parametrize("token", ["dead-one", "nobodys.token.here"])
def test_row_1_a_dead_token(gateway: GatewayProcess, token: str) -> None:
    answer = post(gateway, token, {"messages": [{"role": "user", "content": "x"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "account_expired")


def test_row_2_a_visitor_is_told_to_log_in(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """The token itself does not say so here: the answer to its refresh does."""
    upstream.account(read_name(account), is_guest=True)
    answer = post(gateway, account, {"messages": [{"role": "user", "content": "x"}]})
    assert answer.status_code == 401
    assert "visitor's" in (message := answer.json()["error"]["message"])
    assert "Log in at chatglm.cn first" in message
    check = requests.post(f"{gateway.url}/token/check", json={"token": account}, timeout=10)
    assert check.json() == {"live": False}


@pytest.mark.parametrize("stream", [True, False])
def test_row_4_an_assistant_that_nobody_has(
    client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    upstream.configure(assistants="known")
    with pytest.raises(APIStatusError) as raised:
        ask(client, "hi", stream=stream, model="0123456789abcdef01234567")
    assert (raised.value.status_code, raised.value.code) == (404, "model_not_found")


@pytest.mark.parametrize("stream", [True, False])
def test_rows_7_8_and_11_a_session_of_2026(client: OpenAI, *, stream: bool) -> None:
    heard = ask(client, "[[session]]", stream=stream)
    assert heard.text == "第一步：打开门。\n\n第二步：走进去。"
    assert heard.reasoning == "先想第一步。\n\n没有结果，接着想。"
    assert heard.finish == "stop"


@pytest.mark.parametrize("style", ["snapshot", "delta"])
@pytest.mark.parametrize("flag", [0, 1])
def test_row_10_every_manner_of_telling(client: OpenAI, style: str, flag: int) -> None:
    heard = ask(client, f"[[repeat style={style} flag={flag} dialect=2026]]", stream=True)
    assert heard.text == "哈哈哈哈哈！哈哈哈哈哈！哈"


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_row_12_the_calls_that_delete_in_turn(
    client: OpenAI, upstream: UpstreamEmulator, account: str, dead: int
) -> None:
    upstream.account(read_name(account), delete_next=["call400"] * dead)
    heard = ask(client, "hi", stream=False)
    (conversation_id,) = heard.ids
    client.delete(f"/conversations/{conversation_id}", cast_to=object)
    state = upstream.state()
    assert [path for path in DELETIONS if state["requests"].get(path)] == list(DELETIONS[: dead + 1])
    assert (state["undeleted"], state["wiped"]) == (0, 0)


def test_row_13_a_document_stands_before_the_text(
    client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    document = {"type": "file", "file": {"file_data": "data:text/plain;base64,aGVsbG8=", "filename": "a.txt"}}
    question: Any = [{"type": "text", "text": "read"}, document]
    answer = client.chat.completions.create(model="glm", messages=[{"role": "user", "content": question}])
    assert "文件 a.txt" in (answer.choices[0].message.content or "")
    (sent,) = [one for one in upstream.requests() if one["path"].endswith("assistant/stream")]
    parts = sent["body"]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["file", "text"]
    assert parts[0]["file"][0]["order"] == 0


def test_row_13_too_many_uploads(client: OpenAI, upstream: UpstreamEmulator, account: str) -> None:
    upstream.account(read_name(account), upload_next=["quota429"])
    document = {"type": "file", "file": {"file_data": "data:text/plain;base64,aGVsbG8=", "filename": "a.txt"}}
    messages: Any = [{"role": "user", "content": [document]}]
    with pytest.raises(APIStatusError) as raised:
        client.chat.completions.create(model="glm", messages=messages)
    assert (raised.value.status_code, raised.value.code) == (429, "upstream_throttled")
    assert raised.value.response.headers["retry-after"]


@pytest.mark.parametrize("how", ["", "part=1", "field=error_code"])
@pytest.mark.parametrize(("code", "status"), [(10062, 429), (10025, 502)])
def test_row_14_codes_in_frames(client: OpenAI, how: str, code: int, status: int) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[busy code={code} {how}]]", stream=True)
    assert raised.value.status_code == status
    assert ("retry-after" in raised.value.response.headers) == (status == 429)


def test_row_14_another_account_answers(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    for name in (read_name(account), f"{read_name(account)}-2"):
        upstream.account(name, next=["busy code=10062"] if name == read_name(account) else [])
    tokens = f"{account},{account}-2"
    answer = post(gateway, tokens, {"messages": [{"role": "user", "content": "[[text]]"}]})
    assert answer.status_code == 200


@pytest.mark.parametrize("mark", ["[turn0search0]", "【turn0search0,L3-L9】", "[turn0search0,L3]"])
def test_row_15_citation_marks_in_every_form(client: OpenAI, mark: str) -> None:
    usual = ask(client, "[[search]]", stream=True)
    assert "](http" in usual.text
    assert ask(client, f"[[search mark={quote(mark)}]]", stream=True).text == usual.text


@pytest.mark.parametrize("stream", [True, False])
def test_row_16_what_answered_is_told(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, *, stream: bool
) -> None:
    written = len(gateway.log())
    made: Any = client.chat.completions.create(
        model="glm-4.7-think", messages=[{"role": "user", "content": "[[text]]"}], stream=stream
    )
    answers = list(made) if stream else [made]
    assert {answer.system_fingerprint for answer in answers} == {"moe_52"}
    (sent,) = [one for one in upstream.requests() if one["path"].endswith("assistant/stream")]
    assert sent["body"]["meta_data"]["selected_model"] == "glm-4.7"
    eventually(lambda: "model=moe_52" in gateway.log()[written:])  # the line may come after the answer


def test_row_22_nothing_is_cut(client: OpenAI, upstream: UpstreamEmulator) -> None:
    """Long prompts are said to be answered badly; they are sent as they are all the same."""
    text = "长" * 93_000
    ask(client, text, stream=False)
    (sent,) = [one for one in upstream.requests() if one["path"].endswith("assistant/stream")]
    assert sent["body"]["messages"][0]["content"][0]["text"] == text


def test_row_23_a_token_of_another_site(gateway: GatewayProcess) -> None:
    """`{"id": "x", "email": "a@b"}`, and nothing that chatglm.cn's tokens say."""
    answer = post(gateway, "eyJhbGciOiJFUzI1NiJ9.eyJpZCI6IngiLCJlbWFpbCI6ImFAYiJ9.c2lnbmF0dXJl", {})
    assert answer.status_code == 401
    assert "chat.z.ai" in answer.json()["error"]["message"]


def post(gateway: GatewayProcess, credentials: str, body: dict[str, Any]) -> requests.Response:
    headers = {"Authorization": f"Bearer {credentials}"}
    return requests.post(f"{gateway.url}/v1/chat/completions", headers=headers, json=body, timeout=20)
