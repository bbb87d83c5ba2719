"""The Images API under gunicorn, asked by the official client."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.conftest import StartGateway, connect, count_asked
from tests.raw_client import open_call
from upstream_emulator.drawing import build_png
from upstream_emulator.emulator import UpstreamEmulator

DRAWING_ASSISTANT = "65a232c082ff90a2ad2f15e2"


def stream_bodies(upstream: UpstreamEmulator) -> list[dict[str, Any]]:
    return [sent["body"] for sent in upstream.requests() if sent["path"].endswith("/assistant/stream")]


def numbers(data: Any) -> list[str]:
    return [picture.url.rpartition("/")[2].split("_")[1] for picture in data]


def test_the_request_of_the_readme(gateway: GatewayProcess, account: str) -> None:
    answer = requests.post(
        f"{gateway.url}/v1/images/generations",
        headers={"Authorization": f"Bearer {account}"},
        json={"model": "cogview-3", "prompt": "一只可爱的猫"},
        timeout=30,
    ).json()
    assert set(answer) == {"created", "data"}
    assert isinstance(answer["created"], int)
    (picture,) = answer["data"]
    assert set(picture) == {"url"}
    assert picture["url"].startswith("http")


def test_pictures_come_in_order_and_their_conversation_goes(
    client: OpenAI, upstream: UpstreamEmulator
) -> None:
    drawn = client.images.generate(prompt="一只猫", n=4, size="1792x1024", extra_body={"scene": "海边"})
    assert numbers(drawn.data) == ["0", "1", "2", "3"]
    (body,) = stream_bodies(upstream)
    cogview = {"aspect_ratio": "16:9", "style": "none", "scene": "海边", "chat_model": ""}
    assert body["meta_data"]["cogview"] == cogview | {"rm_label_watermark": False}
    assert body["messages"][0]["content"] == [{"type": "text", "text": "一只猫"}]
    assert body["assistant_id"] == DRAWING_ASSISTANT
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_the_rewritten_prompt_is_told(client: OpenAI) -> None:
    drawn = client.images.generate(prompt="[[draw n=1 revised=a%20cat]]")
    assert drawn.data is not None
    assert drawn.data[0].revised_prompt == "a cat"


def test_bytes_instead_of_addresses(client: OpenAI, upstream: UpstreamEmulator) -> None:
    drawn = client.images.generate(prompt="一只猫", n=2, response_format="b64_json")
    assert drawn.data is not None
    found = [base64.b64decode(picture.b64_json or "") for picture in drawn.data]
    assert found == [build_png(1), build_png(2)]
    fetched = [sent for sent in upstream.requests() if sent["path"].startswith("/testpath/")]
    assert all("authorization" not in sent["headers"] for sent in fetched)


def test_bytes_that_cannot_be_had(client: OpenAI) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="[[draw lost=1]]", response_format="b64_json")
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_unreachable")


def test_more_than_one_batch_over_three_accounts(gateway: GatewayProcess, upstream: UpstreamEmulator) -> None:
    names = ["ten-a", "ten-b", "ten-c"]
    with connect(gateway, ",".join(f"demo-{name}" for name in names)) as client:
        drawn = client.images.generate(prompt="一只猫", n=10)
    assert drawn.data is not None
    assert len({picture.url for picture in drawn.data}) == 10
    assert numbers(drawn.data) == ["0", "1", "2", "3"] * 2 + ["0", "1"]
    assert [upstream.state()["accounts"][name]["answers"] for name in names] == [1, 1, 1]
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_fewer_where_the_upstream_gives_no_more(
    client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account.removeprefix("demo-"), next=["draw n=3", "filter at=0"])
    drawn = client.images.generate(prompt="一只猫", n=9)
    assert numbers(drawn.data) == ["0", "1", "2"]


def test_a_filtered_prompt(client: OpenAI, upstream: UpstreamEmulator) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="[[filter]]")
    assert (raised.value.status_code, raised.value.code) == (400, "content_policy_violation")
    assert raised.value.param == "prompt"
    assert "我还没有学习到" in raised.value.message
    assert len(stream_bodies(upstream)) == 1
    upstream.wait_until(lambda state: state["undeleted"] == 0)


@pytest.mark.parametrize(
    "failing", ["draw n=0", "draw n=0 silent=1", "cut at=2", "busy429", "login401", "empty"]
)
def test_no_picture_moves_on_to_another_account(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, failing: str
) -> None:
    second = f"{account}-second"
    upstream.account(account.removeprefix("demo-"), next=[failing, failing])
    with connect(gateway, f"{account},{second}") as client:
        assert client.images.generate(prompt="一只猫").data
    assert upstream.state()["accounts"][second.removeprefix("demo-")]["answers"] == 1


def test_who_hears_words_insists_on_a_picture(
    client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account.removeprefix("demo-"), next=["draw n=0"])
    drawn = client.images.generate(prompt="一只猫")
    assert drawn.data is not None
    assert drawn.data[0].revised_prompt is None
    said = [body["messages"][0]["content"][0]["text"] for body in stream_bodies(upstream)]
    assert said == ["一只猫", "请画：一只猫"]


def test_no_picture_anywhere(client: OpenAI, upstream: UpstreamEmulator) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="[[draw n=0]]")
    assert (raised.value.status_code, raised.value.code) == (502, "no_picture")
    assert "没有画出来" in raised.value.message
    assert len(stream_bodies(upstream)) == 2
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_an_edit_sends_the_picture_and_the_words(client: OpenAI, upstream: UpstreamEmulator) -> None:
    """Drawn after the picture by the assistant, where the call for it is refused."""
    upstream.configure(edits="refused")
    picture = ("cat.png", build_png(7), "image/png")
    drawn = client.images.edit(image=picture, prompt="加一顶帽子", n=5, size="1024x1024")
    assert numbers(drawn.data) == ["0", "1", "2", "3", "0"]
    for body in stream_bodies(upstream):
        kinds = {part["type"]: part for part in body["messages"][0]["content"]}
        assert kinds["text"]["text"] == "加一顶帽子"
        assert (kinds["image"]["image"][0]["width"], kinds["image"]["image"][0]["height"]) == (7, 1)
        assert body["assistant_id"] == DRAWING_ASSISTANT
    upstream.wait_until(lambda state: state["undeleted"] == 0)


@pytest.mark.parametrize(
    ("files", "fields", "param"),
    [
        ([], {"prompt": "x"}, "image"),
        ([("image", build_png(1)), ("image", build_png(2))], {"prompt": "x"}, "image"),
        ([("image[]", build_png(1)), ("image[]", build_png(2))], {"prompt": "x"}, "image"),
        ([("image", build_png(1)), ("mask", build_png(1))], {"prompt": "x"}, "mask"),
        ([("image", build_png(1))], {}, "prompt"),
        ([("image", build_png(1))], {"prompt": "x", "n": "many"}, "n"),
        ([("image", b"")], {"prompt": "x"}, "image"),
        ([("image", b"%PDF-1.7 no picture")], {"prompt": "x"}, "image"),
    ],
)
def test_an_edit_that_is_wrong_is_named(
    gateway: GatewayProcess, account: str, files: Any, fields: dict[str, str], param: str
) -> None:
    answer = requests.post(
        f"{gateway.url}/v1/images/edits",
        headers={"Authorization": f"Bearer {account}"},
        files=[(name, ("cat.png", data, "image/png")) for name, data in files] or {"none": ("", "")},
        data=fields,
        timeout=30,
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_an_edit_must_be_a_form(gateway: GatewayProcess, account: str) -> None:
    headers = {"Authorization": f"Bearer {account}"}
    answer = requests.post(
        f"{gateway.url}/v1/images/edits", headers=headers, json={"prompt": "x"}, timeout=30
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "image")


def test_a_dead_token(gateway: GatewayProcess) -> None:
    with connect(gateway, "dead-drawer") as client, pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="一只猫")
    assert (raised.value.status_code, raised.value.code) == (401, "account_expired")


def test_a_wrong_field_costs_no_account(client: OpenAI, upstream: UpstreamEmulator) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="一只猫", size="huge")
    assert (raised.value.status_code, raised.value.param) == (400, "size")
    assert count_asked(upstream) == {}


def test_a_client_that_leaves_frees_the_account(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    gateway = start_gateway(GLM_IDLE_SECONDS="60")
    body = json.dumps({"prompt": "[[draw pace=4000]]", "n": 10}).encode()  # sixteen seconds each
    client = open_call(gateway.url, "POST", "/v1/images/generations", account, body)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    client.close()
    upstream.wait_until(lambda state: state["open_streams"] == 0, seconds=10)
    upstream.wait_until(lambda state: state["undeleted"] == 0)
    assert len(stream_bodies(upstream)) == 1


def test_a_slow_drawing_outlives_the_commit_point(client: OpenAI) -> None:
    assert client.images.generate(prompt="[[draw pace=150]]").data


def test_a_stalled_drawing_is_given_up(client: OpenAI, upstream: UpstreamEmulator) -> None:
    with pytest.raises(APIStatusError) as raised:
        client.images.generate(prompt="[[stall at=2 seconds=30]]")
    assert (raised.value.status_code, raised.value.code) == (504, "upstream_timeout")
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_a_restart_forgets_no_conversation(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.account(account.removeprefix("demo-"), delete_next=["http500"] * 20)
    gateway = start_gateway()
    with connect(gateway, account) as client:
        assert client.images.generate(prompt="一只猫").data
    gateway.close()
    assert upstream.state()["undeleted"] == 1
    upstream.account(account.removeprefix("demo-"), delete_next=[])
    gateway = start_gateway()
    with connect(gateway, account) as client:
        client.images.generate(prompt="一只猫")
        upstream.wait_until(lambda state: state["undeleted"] == 0, seconds=60)
