"""Protocol notes 6: who may upload what where, and which references to it are looked at."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest

from tests.upstream_emulator.client import STREAM, Client, Reply, chat_body, signed_headers
from upstream_emulator.emulator import UpstreamEmulator

CHAT_UPLOAD = "/chatglm/productivity-api/file/chat_upload"
FILE_UPLOAD = "/chatglm/backend-api/assistant/file_upload"
KNOWLEDGE = "/chatglm/backend-api/assistant/file/upload"
FIELDS = {"from": "chat", "assistant_id": "65940acff94777010aa6b796"}
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + struct.pack(">II", 640, 480) + b"pixels"
DOCUMENT = b"%PDF-1.7 words"


def form(content: bytes, name: str, fields: dict[str, str]) -> bytes:
    parts = [
        f'--e\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = (
        f'--e\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: x/y\r\n\r\n'
    )
    return "".join([*parts, head]).encode() + content + b"\r\n--e--\r\n"


def upload(
    client: Client,
    path: str = CHAT_UPLOAD,
    content: bytes = PICTURE,
    name: str = "cat.png",
    fields: dict[str, str] | None = None,
    **headers: str,
) -> Reply:
    sent = signed_headers(client.token) | {"Content-Type": "multipart/form-data; boundary=e"} | headers
    return client.call("POST", path, form(content, name, FIELDS if fields is None else fields), sent)


def ask_about(client: Client, *parts: dict[str, Any]) -> str:
    body = chat_body("") | {
        "messages": [{"role": "user", "content": [*parts, {"type": "text", "text": "?"}]}]
    }
    return client.post(STREAM, body).text


def image(**entry: Any) -> dict[str, Any]:
    return {"type": "image", "image": [entry]}


def test_2026_may_answer_with_a_list(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", upload_next=["list"])
    (result,) = upload(client).json["result"]
    assert set(result) == {"file_id", "file_url"}
    (stored,) = upstream.state()["uploads"]
    assert (stored["account"], stored["name"], stored["size"]) == ("ann", "cat.png", len(PICTURE))
    assert stored["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert upstream.requests()[-1]["body"]["fields"] == FIELDS


def test_2026_answers_with_an_object(client: Client, upstream: UpstreamEmulator) -> None:
    upstream.account("ann", upload_next=["object"])
    result = upload(client).json["result"]
    assert result["source_id"] == result["file_id"]
    assert list(upload(client).json["result"]) == ["file_id", "file_name", "file_size", "file_url"]


def test_2024_tells_pictures_and_documents_apart(client: Client) -> None:
    picture = upload(client, FILE_UPLOAD, fields={}).json["result"]
    assert (picture["width"], picture["height"]) == (640, 480)
    document = upload(client, FILE_UPLOAD, DOCUMENT, "a.pdf", {}).json["result"]
    assert "width" not in document
    assert document["content_length"] == len(DOCUMENT)
    assert document["file_id"].endswith(".pdf")


def test_2024_is_never_signed_but_wants_a_login(client: Client) -> None:
    bare = {"Content-Type": "multipart/form-data; boundary=e"}
    sent = form(DOCUMENT, "a.pdf", {})
    assert client.call("POST", FILE_UPLOAD, sent, bare).status == 401
    bare["Authorization"] = f"Bearer {client.token}"
    assert client.call("POST", FILE_UPLOAD, sent, bare).json["status"] == 0
    assert client.call("POST", CHAT_UPLOAD, form(DOCUMENT, "a.pdf", FIELDS), bare).json["status"] == 40001


@pytest.mark.parametrize(
    ("content", "name", "fields"),
    [
        (PICTURE, "cat.png", {"from": "chat"}),
        (PICTURE, "cat.png", FIELDS | {"from": "web"}),
        (b"", "cat.png", FIELDS),
        (PICTURE, "", FIELDS),
    ],
)
def test_a_wrong_form_is_refused(
    client: Client, upstream: UpstreamEmulator, content: bytes, name: str, fields: dict[str, str]
) -> None:
    assert upload(client, CHAT_UPLOAD, content, name, fields).status == 400
    assert upstream.state()["uploads"] == []


def test_what_is_no_form_is_refused(client: Client) -> None:
    assert client.post(CHAT_UPLOAD, {"file": "x"}).status == 400


def test_the_place_for_knowledge_bases_is_forbidden(client: Client) -> None:
    assert upload(client, KNOWLEDGE).json["message"] == "权限不足"


@pytest.mark.parametrize(
    ("fault", "status"), [("large413", 413), ("http500", 500), ("toolong", 200), ("forbidden", 200)]
)
def test_uploads_fail_when_told_to(
    client: Client, upstream: UpstreamEmulator, fault: str, status: int
) -> None:
    upstream.account("ann", upload_next=[fault])
    assert upload(client).status == status
    assert upstream.state()["uploads"] == []
    assert upload(client).json["status"] == 0


def test_the_answer_names_what_it_saw(client: Client) -> None:
    picture = upload(client).json["result"]
    document = upload(client, content=DOCUMENT, name="a.pdf").json["result"]
    text = ask_about(
        client,
        {"type": "file", "file": [{"source_id": document["file_id"], "file_url": document["file_url"]}]},
        image(file_id=picture["file_id"], image_url=picture["file_url"], order=0),
    )
    digests = [hashlib.sha256(content).hexdigest()[:12] for content in (DOCUMENT, PICTURE)]
    assert f"文件 a.pdf（{len(DOCUMENT)} 字节，sha256 {digests[0]}）；图片 cat.png（" in text
    assert digests[1] in text


def test_other_shapes_are_ignored_without_a_word(client: Client, upstream: UpstreamEmulator) -> None:
    picture = upload(client).json["result"]
    name, url = picture["file_id"], picture["file_url"]
    for part in (
        {"type": "image_url", "image_url": {"url": url}},
        image(image_url=url),
        image(file_id=name, image_url={"url": url}),
        image(file_id=name, image_url="https://elsewhere.example/cat.png"),
        image(file_id=name, source_id="another", image_url=url),
        {"type": "image", "image": {"file_id": name, "image_url": url}},
        {"type": "image", "image": []},
    ):
        assert "看不到的图片" in ask_about(client, part), part
    assert "看不到" not in ask_about(client, {"type": "file", "file": [{"file_id": name}]})
    assert "看不到的文件" in ask_about(client, {"type": "file", "file": [{"file_id": name, "file_url": "x"}]})
    with Client(upstream.url).logged_in("demo-bob") as stranger:
        assert "看不到的图片" in ask_about(stranger, image(file_id=name, image_url=url))
