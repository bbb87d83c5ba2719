"""A stream with `"progress": true` says which file is on its way, and ends well there."""

from __future__ import annotations

import json

import pytest
from openai import APIError, APIStatusError

from demo.gateway import GatewayProcess
from tests.app.files import sample
from tests.eventually import eventually
from tests.file_server import FileServer, page
from tests.live.asking import ask_messages
from tests.live.conftest import connect, list_states
from tests.live_files.attaching import TEXT, image, inline, messages
from tests.live_files.conftest import NOTICED_SECONDS
from tests.raw_client import CHAT_PATH, RawClient, open_call
from upstream_emulator.emulator import UpstreamEmulator

PROGRESS = {"progress": True}
ASKED = "Asked; waiting for the answer. 已提问，正在等待回答。"


@pytest.fixture(scope="module")
def shared_gateway(patient_gateway: GatewayProcess) -> GatewayProcess:
    return patient_gateway


def open_stream(gateway: GatewayProcess, account: str, url: str) -> RawClient:
    body = {"stream": True, "messages": messages(image(url), TEXT)} | PROGRESS
    return open_call(gateway.url, "POST", CHAT_PATH, account, json.dumps(body).encode())


def test_each_file_is_named_by_its_number(gateway: GatewayProcess, pages: FileServer, account: str) -> None:
    """What comes in the request is not fetched, and what the account has is not uploaded again."""
    pages.pages["/cat.png"] = page(sample.png())
    asked = messages(image(f"{pages.url}/cat.png"), inline(sample.PDF, "a.pdf"), TEXT)
    with connect(gateway, account) as client:
        heard = [ask_messages(client, asked, stream=True, extra_body=PROGRESS).reasoning for _ in range(2)]
    fetched = ["Fetching file 1 of 2. 正在获取文件 1/2。", "Fetching file 2 of 2. 正在获取文件 2/2。"]
    uploaded = ["Uploading file 1 of 2. 正在上传文件 1/2。", "Uploading file 2 of 2. 正在上传文件 2/2。"]
    assert heard[0].splitlines() == [*fetched, *uploaded, ASKED]
    assert heard[1].splitlines() == [*fetched, ASKED]


def test_a_file_that_cannot_be_had_is_an_error_event(
    gateway: GatewayProcess, pages: FileServer, account: str
) -> None:
    asked = messages(image(f"{pages.url}/missing.png"), TEXT)
    with connect(gateway, account) as client, pytest.raises(APIError) as raised:
        ask_messages(client, asked, stream=True, extra_body=PROGRESS)
    assert not isinstance(raised.value, APIStatusError)
    assert raised.value.param == "messages.0.content.0.image_url.url"


@pytest.mark.parametrize("where", ["Fetching", "Uploading"])
def test_leaving(
    gateway: GatewayProcess, upstream: UpstreamEmulator, pages: FileServer, account: str, where: str
) -> None:
    """The fixture sees that no file is left; a heartbeat comes meanwhile."""
    pages.pages["/cat.png"] = page(sample.png()) if where == "Uploading" else pages.hang()
    upstream.account(account.removeprefix("demo-"), upload_next=["silence"])
    with open_stream(gateway, account, f"{pages.url}/cat.png") as client:
        client.read_until(f"{where} file 1 of 1".encode())
        client.read_until(b": ping\n\n")
    eventually(lambda: "answering" not in list_states(gateway, account), NOTICED_SECONDS)
    assert upstream.state()["conversations"] == []
