"""Editing a picture: by the upstream's own call first, then as before, and never twice (protocol notes 0.2
row 18).
"""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.live.conftest import StartGateway, connect
from tests.raw_client import RawClient
from upstream_emulator.drawing import build_png
from upstream_emulator.emulator import UpstreamEmulator

EDIT = "/chatglm/drawing-api/v1/image/reference"
STREAM = "/chatglm/backend-api/assistant/stream"
PICTURE = ("cat.png", build_png(7), "image/png")


def edit(client: OpenAI, prompt: str = "加一顶帽子", **fields: Any) -> list[Any]:
    return list(client.images.edit(image=PICTURE, prompt=prompt, **fields).data or ())


def count(upstream: UpstreamEmulator) -> tuple[int, int]:
    """How often each way of drawing was asked for."""
    asked = upstream.state()["requests"]
    return asked.get(EDIT, 0), asked.get(STREAM, 0)


def nothing_is_left(upstream: UpstreamEmulator, conversations: int) -> None:
    """So many conversations were made, and all of them are deleted."""
    state = upstream.wait_until(lambda state: state["undeleted"] == 0 and state["open_streams"] == 0)
    assert len(state["conversations"]) == conversations
    assert all(one["deleted"] for one in state["conversations"])
    assert state["wiped"] == 0


def plan_edits(upstream: UpstreamEmulator, account: str, *steps: str) -> None:
    upstream.account(account.removeprefix("demo-"), edit_next=list(steps))


def test_the_call_for_it_comes_first(client: OpenAI, upstream: UpstreamEmulator) -> None:
    (picture,) = edit(client, size="1024x1792")
    assert picture.url.endswith("_0.png")
    (sent,) = [one["body"] for one in upstream.requests() if one["path"] == EDIT]
    (upload,) = upstream.state()["uploads"]
    assert (sent["prompt"], sent["aspect_ratio"], sent["file_id"]) == ("加一顶帽子", "9:16", upload["id"])
    assert count(upstream) == (1, 0)
    nothing_is_left(upstream, 1)


def test_as_many_as_were_asked_for_each_by_a_call(client: OpenAI, upstream: UpstreamEmulator) -> None:
    pictures = edit(client, n=3, response_format="b64_json")
    assert len(pictures) == 3
    assert all(picture.b64_json for picture in pictures)
    assert count(upstream) == (3, 0)
    assert len(upstream.state()["uploads"]) == 1
    nothing_is_left(upstream, 3)


@pytest.mark.parametrize("step", ["", "call400", "http500", "no-assistant", "validation", "edit result=0"])
def test_a_refusal_that_drew_nothing_leaves_the_other_way(
    client: OpenAI, upstream: UpstreamEmulator, account: str, step: str
) -> None:
    """The first one is what a source captured."""
    upstream.configure(edits="drawn" if step else "refused")
    plan_edits(upstream, account, *([step] if step else []))
    assert edit(client)[0].url.endswith("_0_0.jpg")
    assert count(upstream) == (1, 1)
    nothing_is_left(upstream, 1)


def test_an_upstream_of_2024_has_no_such_call(start_gateway: StartGateway, account: str) -> None:
    with UpstreamEmulator(era="2024", pace=0) as old:
        with connect(start_gateway(GLM_UPSTREAM_URL=old.url), account) as client:
            assert edit(client)[0].url
        assert count(old) == (1, 1)
        nothing_is_left(old, 1)


def test_what_the_call_has_no_place_for_goes_the_other_way(
    client: OpenAI, upstream: UpstreamEmulator
) -> None:
    edit(client, extra_body={"scene": "海边"})
    edit(client, "[[draw]]", model="f" * 24)
    assert count(upstream) == (0, 2)


@pytest.mark.parametrize(
    ("step", "status"), [("html502", 502), ("hangup", 502), ("waf200", 502), ("edit picture=0", 502)]
)
def test_where_it_may_be_drawn_nobody_is_asked_again(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, step: str, status: int
) -> None:
    """Not the same account, not the other one, not the other way."""
    plan_edits(upstream, account, step)
    plan_edits(upstream, f"{account}-2", step)
    with connect(gateway, f"{account},{account}-2") as client, pytest.raises(APIStatusError) as raised:
        edit(client)
    assert raised.value.status_code == status
    assert count(upstream) == (1, 0)
    nothing_is_left(upstream, int(step == "edit picture=0"))


@pytest.mark.parametrize("step", ["busy429", "throttled429", "waf400", "html429", "login401 login401"])
def test_a_refusal_of_the_account_asks_another_one(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, step: str
) -> None:
    plan_edits(upstream, account, *step.split())
    with connect(gateway, f"{account},{account}-2") as client:
        edit(client)
    assert count(upstream) == (1 + len(step.split()), 0)
    nothing_is_left(upstream, 1)


def test_what_came_before_a_failure_is_delivered(
    client: OpenAI, upstream: UpstreamEmulator, account: str
) -> None:
    plan_edits(upstream, account, "edit", "html502")
    assert len(edit(client, n=3)) == 1
    assert count(upstream) == (2, 0)
    nothing_is_left(upstream, 1)


def test_the_rest_is_drawn_the_other_way(client: OpenAI, upstream: UpstreamEmulator, account: str) -> None:
    plan_edits(upstream, account, "edit", "call400")
    assert len(edit(client, n=3)) == 3
    assert count(upstream) == (2, 1)
    nothing_is_left(upstream, 2)


def open_edit(gateway: GatewayProcess, account: str) -> RawClient:
    fields = [b'name="prompt"\r\n\r\nhat', b'name="image"; filename="a.png"\r\n\r\n' + build_png(3)]
    parts = [b"--b\r\nContent-Disposition: form-data; " + field + b"\r\n" for field in fields]
    kind = {"Authorization": f"Bearer {account}", "Content-Type": "multipart/form-data; boundary=b"}
    client = RawClient(gateway.url)
    client.send_request("POST", "/v1/images/edits", kind, b"".join(parts) + b"--b--\r\n")
    return client


def test_a_client_that_leaves_meanwhile_leaves_nothing(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    """Its conversation has no name before the picture is there; the account is not asked by others before."""
    plan_edits(upstream, account, "edit delay=700")
    call = open_edit(gateway, account)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    call.close()
    with connect(gateway, account) as client:
        answer = client.chat.completions.create(model="glm", messages=[{"role": "user", "content": "hi"}])
    assert answer.choices[0].message.content
    state = upstream.wait_until(lambda state: state["conversations"][0]["deleted"])
    assert count(upstream) == (1, 1)
    assert state["violations"] == 0


def test_a_shutdown_waits_for_what_was_left(
    start_gateway: StartGateway, upstream: UpstreamEmulator, account: str
) -> None:
    plan_edits(upstream, account, "edit delay=700")
    gateway = start_gateway()
    call = open_edit(gateway, account)
    upstream.wait_until(lambda state: state["open_streams"] == 1)
    call.close()
    gateway.close()
    nothing_is_left(upstream, 1)
