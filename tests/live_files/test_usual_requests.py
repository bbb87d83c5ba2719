"""The two requests with files that users of this API know, as they are written, streamed and whole."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo.gateway import GatewayProcess
from tests.app.files import sample
from tests.app.files.certificate import make_certificate
from tests.file_server import FileServer, page
from tests.live_files.attaching import label
from tests.live_files.conftest import SETTINGS, check_files
from upstream_emulator.emulator import UpstreamEmulator

DOCUMENT_HOST = "mj101-1317487292.cos.ap-shanghai.myqcloud.com"
DOCUMENT = """
{
    "model": "glm4",
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "file",
                    "file_url": {
                        "url": "https://mj101-1317487292.cos.ap-shanghai.myqcloud.com/ai/test.pdf"
                    }
                },
                {
                    "type": "text",
                    "text": "文档里说了什么？"
                }
            ]
        }
    ],
    "stream": false
}
"""
PICTURE = """
{
    "model": "65c046a531d3fcb034918abe",
    "messages": [
        {
            "role": "user",
            "content": [
                {
                    "type": "image_url",
                    "image_url": {
                        "url": "http://1255881664.vod2.myqcloud.com/6a0cd388vodbj1255881664/7b97ce1d3270835009240537095/uSfDwh6ZpB0A.png"
                    }
                },
                {
                    "type": "text",
                    "text": "图像描述了什么？"
                }
            ]
        }
    ],
    "stream": false
}
"""
SEEN = {
    DOCUMENT: label("文件", "test.pdf", sample.PDF),
    PICTURE: label("图片", "uSfDwh6ZpB0A.png", sample.png()),
}


@pytest.fixture(scope="module")
def gateway_with_names(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("names")
    certificate, key = make_certificate(DOCUMENT_HOST)
    (directory / "own.pem").write_bytes(certificate + key)
    (directory / "trusted.pem").write_bytes(certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(directory / "own.pem")
    with FileServer() as plain, FileServer(tls) as secure:
        plain.pages["/6a0cd388vodbj1255881664/7b97ce1d3270835009240537095/uSfDwh6ZpB0A.png"] = page(
            sample.png()
        )
        secure.pages["/ai/test.pdf"] = page(sample.PDF, "Content-Type: application/pdf")
        names = {
            "TEST_PORT_HTTP": str(plain.port),
            "TEST_PORT_HTTPS": str(secure.port),
            "TEST_CERTIFICATE": str(directory / "trusted.pem"),
        }
        settings = SETTINGS | names
        application = "tests.live_files.seeded:app"
        with GatewayProcess(shared_upstream.url, directory, application, **settings) as gateway:
            yield gateway
            check_files(gateway)


def ask(gateway: GatewayProcess, body: dict[str, Any]) -> requests.Response:
    headers = {"Authorization": "Bearer demo-usual"}
    return requests.post(f"{gateway.url}/v1/chat/completions", json=body, headers=headers, timeout=30)


@pytest.mark.parametrize("body", SEEN, ids=["document", "picture"])
def test_whole(gateway_with_names: GatewayProcess, body: str) -> None:
    wanted = json.loads(body)
    answer = ask(gateway_with_names, wanted).json()
    assert re.fullmatch("[0-9a-f]{24}", answer["id"])
    assert (answer["object"], answer["model"]) == ("chat.completion", wanted["model"])
    assert abs(answer["created"] - time.time()) < 60
    (choice,) = answer["choices"]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    assert SEEN[body] in choice["message"]["content"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 10


@pytest.mark.parametrize("body", SEEN, ids=["document", "picture"])
def test_streamed(gateway_with_names: GatewayProcess, body: str) -> None:
    wanted = json.loads(body) | {"stream": True}
    text = ask(gateway_with_names, wanted).content.decode()
    *events, done = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    assert done == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {chunk["model"] for chunk in chunks} == {wanted["model"]}
    said = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert SEEN[body] in said
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
