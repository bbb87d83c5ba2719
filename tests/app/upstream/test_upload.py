"""Uploads: the form byte for byte, every answer that was ever seen, and the references that follow."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import pytest

from app.auth_token import AccessToken
from app.config import Settings
from app.core.errors import (
    AccessRejected,
    FileTooLarge,
    GatewayError,
    PromptTooLong,
    UpstreamError,
    UpstreamInvalid,
    UpstreamUnreachable,
)
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest, build_stream_body
from app.upstream.upload import MultipartBody, UploadedFile, build_references, parse_upload
from tests.app.upstream.scripted import Play, ScriptedServer, answer, hang_up

TOKEN = AccessToken("secret-access", 0.0, "0123456789abcdef0123456789abcdef")
URL = "https://sfile.chatglm.cn/chatglm4/f960da34.png"


@dataclass
class Sent:
    """A file as the client is given it."""

    data: bytes = b"\x89PNG pixels"
    name: str = "cat.png"
    media_type: str = "image/png"
    width: int = 640
    height: int = 480

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    @property
    def is_picture(self) -> bool:
        return self.width > 0

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


PICTURE = Sent()
DOCUMENT = Sent(b"%PDF-1.7", "报告.pdf", "application/pdf", 0, 0)


def read_all(body: MultipartBody) -> bytes:
    body.rewind(lambda: None)
    return b"".join(iter(body.read, b""))


def test_the_form() -> None:
    body = MultipartBody(DOCUMENT, {"from": "chat", "assistant_id": "a"})
    (boundary,) = re.findall("^multipart/form-data; boundary=(.+)$", body.content_type)
    assert read_all(body).decode() == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="from"\r\n\r\nchat\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="assistant_id"\r\n\r\na\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="报告.pdf"\r\n'
        f"Content-Type: application/pdf\r\n\r\n%PDF-1.7\r\n--{boundary}--\r\n"
    )
    assert read_all(body) == read_all(body), "it can be sent again"
    assert len(read_all(body)) == body.length_bytes


def test_no_name_breaks_the_form() -> None:
    head = read_all(MultipartBody(Sent(name='a"b\r\nX: y.png'), {})).partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") == 2
    assert b'filename="a%22b%0D%0AX: y.png"' in head


def test_a_large_file_is_never_held() -> None:
    body = MultipartBody(Sent(b"x" * 1_000_000), {})
    body.rewind(lambda: None)
    assert max(map(len, iter(body.read, b""))) == 65536


# result, file -> id, source id, url. The first two are captured (protocol notes 6.1).
RESULTS: list[tuple[Any, Sent, tuple[str, str, str]]] = [
    (
        {
            "file_id": "chatglm4/f960da34.png",
            "file_name": "8E8F.png",
            "file_size": 0,
            "file_url": URL,
            "height": 1024,
            "width": 1024,
        },
        PICTURE,
        ("chatglm4/f960da34.png", "chatglm4/f960da34.png", URL),
    ),
    (
        {"content_length": 17908, "file_id": "chatglm4/8283.docx", "file_url": URL, "questions": []},
        DOCUMENT,
        ("chatglm4/8283.docx", "chatglm4/8283.docx", URL),
    ),
    ([{"file_id": "f", "file_url": URL}], PICTURE, ("f", "f", URL)),
    ([{"id": "f", "url": URL}], PICTURE, ("f", "f", URL)),
    ({"source_id": "s", "file_id": "f", "file_url": URL}, PICTURE, ("f", "s", URL)),
    ({"source_id": "s", "image_url": URL}, PICTURE, ("s", "s", URL)),
    ({"source_id": "s"}, DOCUMENT, ("s", "s", "")),
]  # fmt: skip


@pytest.mark.parametrize(("result", "file", "expected"), RESULTS)
@pytest.mark.parametrize("success", [{"status": 0}, {"code": 0}], ids=["2026", "2024"])
def test_every_answer(
    result: Any, file: Sent, expected: tuple[str, str, str], success: dict[str, int]
) -> None:
    uploaded = parse_upload(200, success | {"message": "success", "result": result}, file)
    assert (uploaded.id, uploaded.source_id, uploaded.url) == expected
    assert (uploaded.name, uploaded.size_bytes) == (file.name, file.size_bytes)
    assert (uploaded.width, uploaded.height, uploaded.is_picture) == (
        file.width,
        file.height,
        file.is_picture,
    )


@pytest.mark.parametrize(
    ("status", "document", "error"),
    [
        (200, {"status": 0, "result": []}, UpstreamInvalid),
        (200, {"status": 0, "result": None}, UpstreamInvalid),
        (200, {"status": 0, "result": {"file_id": "f"}}, UpstreamInvalid),
        (200, {"status": 0, "result": [{"file_url": URL}]}, UpstreamInvalid),
        (
            200,
            {"message": "内容已超过对话长度62.25%，请删减部分文件", "result": [], "status": 2},
            PromptTooLong,
        ),
        (413, None, FileTooLarge),
        (413, {"status": 413, "message": "too large"}, FileTooLarge),
        (401, {"status": 40103, "message": "user needs login"}, AccessRejected),
        (500, None, UpstreamUnreachable),
        (200, {"status": 10001, "message": "权限不足"}, UpstreamError),
        (200, None, UpstreamInvalid),
    ],
)
def test_every_refusal(status: int, document: Any, error: type[GatewayError]) -> None:
    with pytest.raises(GatewayError) as raised:
        parse_upload(status, document, PICTURE)
    assert type(raised.value) is error


def uploaded(number: int, *, is_picture: bool) -> UploadedFile:
    width, height = (640, 480) if is_picture else (0, 0)
    return UploadedFile(
        f"f{number}", f"s{number}", f"u{number}", f"n{number}", number, width, height, is_picture
    )


def test_references_keep_the_order_and_stand_before_the_text() -> None:
    kinds = [False, True, True, False]
    files = tuple(uploaded(number, is_picture=kind) for number, kind in enumerate(kinds))
    content = json.loads(build_stream_body(StreamRequest("?", files=files)))["messages"][0]["content"]
    assert content == [*build_references(files), {"type": "text", "text": "?"}]
    assert [part["type"] for part in content] == ["file", "image", "file", "text"]
    assert content[0]["file"] == [
        {"source_id": "s0", "file_id": "f0", "file_url": "u0", "file_name": "n0", "file_size": 0, "order": 0}
    ]
    assert content[1]["image"][1] == {
        "file_name": "n2",
        "file_id": "f2",
        "image_url": "u2",
        "file_size": 2,
        "order": 1,
        "width": 640,
        "height": 480,
    }


GOOD = answer(b'{"status":0,"result":[{"file_id":"f","file_url":"https://x/y"}]}')


@contextmanager
def against(*scripts: Sequence[Play]) -> Iterator[tuple[UpstreamClient, ScriptedServer]]:
    with ScriptedServer(*scripts) as server:
        client = UpstreamClient(UpstreamAddress(server.url, Settings().sign_secret, None, 5))
        try:
            yield client, server
        finally:
            client.close()


def test_an_upload_on_the_wire() -> None:
    data = b"\x89PNG" + bytes(300_000)
    with against([GOOD, GOOD]) as (client, server):
        for _ in range(2):
            assert client.upload(TOKEN, Sent(data), timeout_seconds=5).id == "f"
    assert server.connections == 1, "the connection is kept"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    assert lines[0] == "post /chatglm/productivity-api/file/chat_upload http/1.1"
    assert headers["authorization"] == "bearer secret-access"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert headers["content-length"] == str(len(body))
    assert "transfer-encoding" not in headers
    assert {"x-sign", "x-nonce", "x-timestamp", "x-device-id"} <= set(headers)
    assert data in body


@pytest.mark.parametrize(
    "refusal",
    [
        answer(b"gone", status=b"404 Not Found", kind=b"text/html"),
        answer(b"no", status=b"405 Method Not Allowed", kind=b"text/html"),
        answer('{"status":10001,"message":"权限不足"}'.encode()),
    ],
    ids=["404", "405", "forbidden"],
)
def test_the_older_place_is_tried_next(refusal: Play) -> None:
    with against([refusal, GOOD], [GOOD]) as (client, server):
        client.upload(TOKEN, PICTURE, timeout_seconds=5)
    assert server.requests[1].startswith(b"POST /chatglm/backend-api/assistant/file_upload ")
    assert PICTURE.data in server.requests[1]
    assert b'name="from"' not in server.requests[1]


def test_a_kept_connection_that_was_closed_costs_nothing_but_a_new_one() -> None:
    with against([GOOD, hang_up], [GOOD]) as (client, server):
        client.upload(TOKEN, PICTURE, timeout_seconds=5)
        client.upload(TOKEN, PICTURE, timeout_seconds=5)
    assert PICTURE.data in server.requests[-1]
