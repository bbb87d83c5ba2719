"""What people are told who can mend it: where to go, with numbers, in both languages; over a real socket.

English comes first and is always the same, since programs match it. The clients show it as docs/clients say.
"""

from __future__ import annotations

import pytest
import requests
from openai import APIError, APIStatusError, NotFoundError, OpenAI

from demo.gateway import ROOT, GatewayProcess
from tests.live.asking import ask, ask_messages
from tests.live.conftest import StartGateway, connect
from tests.live.error_row import ACCOUNTS, CREDENTIALS, FILES, PATHS, Row, make_jwt
from tests.raw_client import open_chat
from upstream_emulator.emulator import UpstreamEmulator

KEY = "glm-" + "k" * 43
WITH_KEYS = {"GATEWAY_API_KEYS": f"laptop={KEY}", "GLM_REFRESH_TOKENS": "demo-owner"}
BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


def check(row: Row, error: APIStatusError) -> str:
    """The message, which is what the row says."""
    assert (error.status_code, error.code) == (row.status, row.code)
    assert isinstance(error.body, dict)
    message: str = error.body["message"]
    assert message.startswith(row.english)
    begin = next(place for place, letter in enumerate(message) if "\u4e00" <= letter <= "\u9fff")
    assert row.chinese in message
    assert row.where in message[begin:]
    assert row.where in message[: message.index(row.chinese)]
    assert error.response.headers.get("x-should-retry") == (None if row.retries else "false")
    assert message in str(error) or repr(message)[1:-1] in str(error)
    return message


@BOTH
@pytest.mark.parametrize("row", ACCOUNTS, ids=lambda row: row.sent)
def test_what_the_upstream_says_of_an_account(client: OpenAI, row: Row, *, stream: bool) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask(client, f"[[{row.sent}]]", stream=stream)
    check(row, raised.value)


@BOTH
@pytest.mark.parametrize("row", CREDENTIALS, ids=lambda row: row.english[-30:])
def test_what_was_pasted(gateway: GatewayProcess, row: Row, *, stream: bool) -> None:
    with connect(gateway, row.sent) as client, pytest.raises(APIStatusError) as raised:
        ask(client, "hello", stream=stream)
    message = check(row, raised.value)
    assert row.code == "account_expired" or row.sent not in message


@BOTH
@pytest.mark.parametrize("row", FILES, ids=lambda row: row.sent[:30])
@pytest.mark.parametrize("count", [1, 3])
def test_which_file_it_is(client: OpenAI, row: Row, count: int, *, stream: bool) -> None:
    fine = "data:text/plain;name=fine.txt;base64,aGVsbG8="
    links = [fine] * (count - 1) + [row.sent]
    parts = [{"type": "image_url", "image_url": {"url": link}} for link in links]
    content = [{"type": "text", "text": "what is this?"}, *parts]
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, [{"role": "user", "content": content}], stream=stream)
    message = check(row, raised.value)
    assert str(raised.value.param) in message
    assert ("file 3 of 3" in message) == ("3 个文件中的第 3 个" in message) == (count == 3)


@pytest.mark.parametrize("row", PATHS, ids=lambda row: row.sent)
def test_a_path_that_leads_nowhere(gateway: GatewayProcess, client: OpenAI, row: Row) -> None:
    base = gateway.url if not row.sent.startswith("/v1/") else f"{gateway.url}/v1"
    with client.with_options(base_url=base) as asker, pytest.raises(APIStatusError) as raised:
        asker.get(row.sent.removeprefix("/v1") if base.endswith("/v1") else row.sent, cast_to=object)
    assert row.sent.partition("/models/gpt")[0] in check(row, raised.value)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/responses/compact", "Compacting and counting"),
        ("/responses/input_tokens", "Compacting and counting"),
        ("/models/gemini-pro:generateContent", "Gemini's API"),
        ("/conversations", "OpenAI's Conversations API"),
        ("/conversations/conv_1", "OpenAI's Conversations API"),
        ("/conversations/conv_1/items", "OpenAI's Conversations API"),
    ],
)
def test_what_is_not_offered_is_named_where_a_path_of_ours_looks_like_it(
    client: OpenAI, path: str, said: str
) -> None:
    with pytest.raises(NotFoundError) as raised:
        client.post(path, cast_to=object, body={})
    assert raised.value.code == "not_found"
    assert raised.value.message.partition(" - ")[2].startswith(f"There is nothing at this path. {said}")
    assert "Allow" not in raised.value.response.headers


def test_a_path_is_told_without_its_query_and_not_at_any_length(
    gateway: GatewayProcess, account: str
) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    answer = requests.get(f"{gateway.url}/v1/{'x' * 300}?token=of-mine", headers=headers, timeout=10)
    message = answer.json()["error"]["message"]
    assert "x" * 90 in message
    assert "x" * 100 not in message
    assert "of-mine" not in message
    told = requests.get(f"{gateway.url}/v1/nothing/{account}", headers=headers, timeout=10).text
    assert account not in told
    assert "/v1/nothing/" in told


def test_a_method_that_a_path_does_not_know(gateway: GatewayProcess) -> None:
    answer = requests.put(f"{gateway.url}/v1/chat/completions", timeout=10)
    assert answer.status_code == 405
    assert answer.json()["error"]["message"].startswith(
        "This path does not know this method. /v1/chat/completions takes POST, not PUT. 此路径不支持该方法"
    )


def test_a_body_that_is_no_utf8(gateway: GatewayProcess, account: str) -> None:
    body = '{"messages": [{"role": "user", "content": "你好"}]}'.encode("gbk")
    headers = {"Authorization": f"Bearer {account}", "Content-Type": "application/json"}
    answer = requests.post(f"{gateway.url}/v1/chat/completions", body, headers=headers, timeout=10)
    message = answer.json()["error"]["message"]
    assert answer.status_code == 400
    assert message.startswith("The request body is not valid JSON: it is not UTF-8 (it holds the byte 0xc4).")
    assert message.count("chcp 65001") == 2


def test_a_body_that_is_too_large_says_how_large_it_may_be(gateway: GatewayProcess, account: str) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    answer = requests.post(
        f"{gateway.url}/v1/chat/completions", b" " * (25 << 20), headers=headers, timeout=20
    )
    assert answer.status_code == 413
    assert answer.headers["x-should-retry"] == "false"
    assert answer.json()["error"]["message"].startswith(
        "The request body is larger than this path takes (GLM_MAX_BODY_BYTES). 24 MiB are allowed, 25 MiB "
        "were sent."
    )


def test_what_is_no_http_is_told_in_both_languages(gateway: GatewayProcess) -> None:
    answer = requests.get(f"{gateway.url}/{'x' * 5000}", timeout=10)
    assert answer.status_code == 414
    assert answer.headers["x-should-retry"] == "false"
    assert "第一行过长" in answer.json()["error"]["message"]


def test_a_token_where_keys_are_wanted(start_gateway: StartGateway) -> None:
    keyed = start_gateway(**WITH_KEYS)
    token = make_jwt(type="refresh", exp=2_000_000_000)
    with connect(keyed, token) as client, pytest.raises(APIStatusError) as raised:
        ask(client, "hello", stream=False)
    row = Row(
        "",
        401,
        "invalid_api_key",
        "This gateway key is not known. Ask the operator for one. What was sent looks like a refresh token",
        "只接受自己的密钥",
        "GLM_PASS_THROUGH=1",
    )
    check(row, raised.value)
    with connect(keyed, "glm-" + "o" * 43) as client, pytest.raises(APIStatusError) as raised:
        ask(client, "hello", stream=False)
    assert "GLM_PASS_THROUGH" not in str(raised.value)
    with connect(keyed, KEY) as client, pytest.raises(APIStatusError, match="Mark it `admin`") as raised:
        client.get("/accounts", cast_to=object)
    assert "标记为 `admin`" in str(raised.value)


def test_an_account_that_stays_dead_is_named_the_same_way(gateway: GatewayProcess) -> None:
    with connect(gateway, "dead-twice") as client:
        for _ in range(2):
            with pytest.raises(APIStatusError, match="The upstream refuses the refresh token of account "):
                ask(client, "hello", stream=False)


def test_english_alone(start_gateway: StartGateway, account: str) -> None:
    gateway = start_gateway(GLM_LANGUAGE="en")
    with connect(gateway, "dead-english") as client, pytest.raises(APIStatusError) as raised:
        ask(client, "hello", stream=False)
    assert "press F12" in str(raised.value)
    assert str(raised.value).isascii()
    with connect(gateway, account) as client, pytest.raises(APIError) as broken:
        ask(client, "[[cut]]", stream=True)
    assert broken.value.message.isascii()
    assert requests.get(f"{gateway.url}/{'x' * 5000}", timeout=10).text.isascii()


def test_an_answer_that_breaks_off_says_so_in_both_languages(gateway: GatewayProcess, account: str) -> None:
    raw = open_chat(gateway.url, account, "[[cut]]", stream=True)
    received = raw.read_until(b"\r\n0\r\n\r\n").decode()
    raw.close()
    assert "The upstream's answer ended before it was finished. 上游的回答在完成前中断。" in received


@pytest.mark.parametrize(("directive", "asked"), [("waf400", 1), ("busy", 2)])
def test_the_sdk_heeds_what_it_is_told(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, directive: str, asked: int
) -> None:
    """It comes back by itself after a busy upstream, in the seconds that it is told, and not else."""
    with connect(gateway, account).with_options(max_retries=1) as client, pytest.raises(APIStatusError):
        ask(client, f"[[{directive}]]", stream=True)
    answers = [sent for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]
    assert len(answers) == asked


@pytest.mark.parametrize("name", ["troubleshooting.md", "troubleshooting.zh-CN.md"])
def test_the_recipe_quotes_what_the_clients_show(gateway: GatewayProcess, name: str) -> None:
    """Word for word, as the official SDK says it; the account's label is its own."""
    page = (ROOT / "docs/clients" / name).read_text("utf-8")
    (quoted,) = [line for line in page.splitlines() if line.startswith("openai.AuthenticationError: ")]
    with connect(gateway, "dead-quoted") as client, pytest.raises(APIStatusError) as raised:
        ask(client, "hello", stream=False)
    assert isinstance(raised.value.body, dict)
    label = raised.value.body["message"].partition("account ")[2][:8]
    assert quoted == f"openai.AuthenticationError: {raised.value}".replace(label, "557dd764")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/responses", {"input": "hi"}),
        ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/images/generations", {"prompt": "a cat"}),
        ("/v1/videos/generations", {"prompt": "a cat"}),
    ],
)
@BOTH
def test_every_format_says_the_same(
    gateway: GatewayProcess, path: str, body: dict[str, object], *, stream: bool
) -> None:
    """A stream that fails before it begins is an answer like any other."""
    headers = {"Authorization": "Bearer dead-formats"}
    body = {"model": "glm", **body} | ({"stream": True} if stream and "generations" not in path else {})
    answer = requests.post(gateway.url + path, json=body, headers=headers, timeout=20)
    assert answer.status_code == 401
    assert answer.headers["x-should-retry"] == "false"
    message = answer.json()["error"]["message"]
    assert message.startswith("The upstream refuses the refresh token of account ")
    assert "https://chatglm.cn" in message.partition("上游拒绝账号")[2]


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages"])
def test_a_file_is_named_in_every_format(gateway: GatewayProcess, account: str, path: str) -> None:
    link = "http://127.0.0.1/secret/cat.png"
    picture: dict[str, object] = (
        {"type": "input_image", "image_url": link}
        if path == "/v1/responses"
        else {"type": "image", "source": {"type": "url", "url": link}}
    )
    turn = {"role": "user", "content": [picture]}
    body = {"model": "glm", "max_tokens": 99, "messages": [turn]} if "messages" in path else {"input": [turn]}
    headers = {"Authorization": f"Bearer {account}"}
    answer = requests.post(gateway.url + path, json=body, headers=headers, timeout=20)
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert message.startswith("The host of this address has no public address.")
    assert message.count("cat.png") == 2
    assert "secret" not in message
