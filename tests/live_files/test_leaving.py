"""A client that leaves in the middle of fetching or uploading frees its account and leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.app.files import sample
from tests.eventually import eventually
from tests.file_server import FileServer, page
from tests.live.asking import ask_messages
from tests.live.conftest import connect, list_states
from tests.live_files.attaching import TEXT, image, messages
from tests.live_files.conftest import NOTICED_SECONDS, check_files, open_spools
from tests.raw_client import CHAT_PATH, RawClient, open_call
from upstream_emulator.emulator import UpstreamEmulator

UPLOAD = "/chatglm/productivity-api/file/chat_upload"


@pytest.fixture(scope="module")
def shared_gateway(patient_gateway: GatewayProcess) -> GatewayProcess:
    return patient_gateway


def ask_raw(gateway: GatewayProcess, account: str, url: str, *, stream: bool) -> RawClient:
    """Asks about a picture and reads nothing."""
    body = json.dumps({"model": "glm", "stream": stream, "messages": messages(image(url), TEXT)}).encode()
    return open_call(gateway.url, "POST", CHAT_PATH, account, body)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("where", ["before the file's head", "inside the file", "uploading"])
def test_leaving(
    gateway: GatewayProcess,
    upstream: UpstreamEmulator,
    pages: FileServer,
    account: str,
    where: str,
    *,
    stream: bool,
) -> None:
    before = b"" if where.startswith("before") else b"HTTP/1.1 200 OK\r\n\r\n" + sample.png()
    pages.pages["/cat.png"] = page(sample.png()) if where == "uploading" else pages.hang(before)
    upstream.account(account.removeprefix("demo-"), upload_next=["silence"])
    client = ask_raw(gateway, account, f"{pages.url}/cat.png", stream=stream)
    if where == "uploading":
        upstream.wait_until(lambda state: state["requests"].get(UPLOAD) == 1)
    eventually(lambda: bool(pages.requests and open_spools(gateway)))
    client.close()
    eventually(lambda: "answering" not in list_states(gateway, account), NOTICED_SECONDS)
    check_files(gateway)
    assert upstream.state()["conversations"] == []
    upstream.account(account.removeprefix("demo-"), upload_next=[])
    with connect(gateway, account) as client_again:
        assert ask_messages(client_again, messages(TEXT), stream=False).finish == "stop"


def test_no_name_is_left_on_the_disk(gateway: GatewayProcess, pages: FileServer, account: str) -> None:
    pages.pages["/cat.png"] = page(sample.png())
    directory = Path(gateway._settings["GLM_STATE_PATH"]).parent
    names = {path.name for path in directory.iterdir()}
    with connect(gateway, account) as client:
        ask_messages(client, messages(image(f"{pages.url}/cat.png")), stream=False)
    assert {path.name for path in directory.iterdir()} == names
