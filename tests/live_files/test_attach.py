"""Pictures and documents reach the account that answers, in every shape that clients send."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.app.files import sample
from tests.file_server import FileServer, page, redirect
from tests.live.asking import ask_messages
from tests.live.conftest import connect
from tests.live_files.attaching import TEXT, as_url, image, inline, label, link, messages
from upstream_emulator.emulator import UpstreamEmulator

BOTH = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
PICTURE = sample.png(640, 480)
CHAT_UPLOAD = "/chatglm/productivity-api/file/chat_upload"
FILE_UPLOAD = "/chatglm/backend-api/assistant/file_upload"


@pytest.fixture(autouse=True)
def files(pages: FileServer) -> FileServer:
    pages.pages |= {
        "/cat.png": page(PICTURE, "Content-Type: image/png"),
        "/moved.png": redirect("/cat.png"),
        "/report": page(
            sample.PDF, "Content-Disposition: attachment; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf"
        ),
    }
    return pages


def sent(upstream: UpstreamEmulator) -> list[dict[str, Any]]:
    """The content parts of the last question."""
    bodies = [one["body"] for one in upstream.requests() if one["path"].endswith("/assistant/stream")]
    parts: list[dict[str, Any]] = bodies[-1]["messages"][0]["content"]
    return parts


@BOTH
@pytest.mark.parametrize(
    ("part", "seen"),
    [
        (lambda url: image(f"{url}/cat.png"), label("图片", "cat.png", PICTURE)),
        (lambda url: image(f"{url}/moved.png"), label("图片", "cat.png", PICTURE)),
        (
            lambda url: image(f"{url.replace('127.0.0.1', 'localhost')}/cat.png"),
            label("图片", "cat.png", PICTURE),
        ),
        (lambda url: image(as_url(PICTURE, "image/png")), label("图片", "image.png", PICTURE)),
        (lambda url: link(f"{url}/report"), label("文件", "报告.pdf", sample.PDF)),
        (lambda url: image(f"{url}/report"), label("文件", "报告.pdf", sample.PDF)),
        (lambda url: inline(sample.DOCX, "a.docx", ""), label("文件", "a.docx", sample.DOCX)),
        (lambda url: inline(sample.jpeg(), "b.jpg", "image/jpeg"), label("图片", "b.jpg", sample.jpeg())),
    ],
    ids=[
        "picture",
        "moved picture",
        "by name",
        "picture inline",
        "document",
        "document as image_url",
        "docx inline",
        "jpeg",
    ],
)
def test_every_shape_is_seen(
    client: OpenAI, pages: FileServer, part: Any, seen: str, *, stream: bool
) -> None:
    heard = ask_messages(client, messages(part(pages.url), TEXT), stream=stream)
    assert seen in heard.text
    assert "“里面是什么？”" in heard.text
    assert heard.finish == "stop"


def test_the_reference_is_what_the_upstream_wants(
    client: OpenAI, upstream: UpstreamEmulator, pages: FileServer
) -> None:
    ask_messages(client, messages(TEXT, image(f"{pages.url}/cat.png")), stream=False)
    (upload,) = upstream.state()["uploads"]
    reference = {"file_name": "cat.png", "file_id": upload["id"], "file_size": len(PICTURE), "order": 0}
    reference |= {"image_url": f"https://sfile.chatglm.cn/{upload['id']}", "width": 640, "height": 480}
    assert sent(upstream) == [{"type": "image", "image": [reference]}, TEXT]
    assert upload["type"] == "image/png"


@BOTH
def test_several_in_order_and_no_text(
    client: OpenAI, upstream: UpstreamEmulator, pages: FileServer, *, stream: bool
) -> None:
    parts = [
        inline(sample.PDF, "1.pdf"),
        image(f"{pages.url}/cat.png"),
        image(as_url(sample.gif(), "image/gif")),
    ]
    text = ask_messages(client, messages(*parts, inline(b"# hi", "4.md", "")), stream=stream).text
    expected = [
        label("文件", "1.pdf", sample.PDF),
        label("图片", "cat.png", PICTURE),
        label("图片", "image.gif", sample.gif()),
        label("文件", "4.md", b"# hi"),
    ]
    assert "；".join(expected) in text
    assert [part["type"] for part in sent(upstream)] == ["file", "image", "file", "text"]
    assert [entry["order"] for entry in sent(upstream)[1]["image"]] == [0, 1]


def test_earlier_ones_are_named_and_go_along_before_the_new_ones(
    client: OpenAI, upstream: UpstreamEmulator, pages: FileServer
) -> None:
    """One that cannot be had any more is left out."""
    history = [
        *messages(image(f"{pages.url}/gone.png"), inline(sample.PDF, "first.pdf"), TEXT),
        {"role": "assistant", "content": "一只猫。"},
        *messages(image(f"{pages.url}/cat.png"), {"type": "text", "text": "这只呢？"}),
    ]
    heard = ask_messages(client, history, stream=False)
    prompt = sent(upstream)[-1]["text"]
    assert "[image gone.png]\n[file first.pdf]\n里面是什么？" in prompt
    assert [file["name"] for file in upstream.state()["uploads"]] == ["first.pdf", "cat.png"]
    assert heard.text.index("first.pdf（") < heard.text.index("cat.png（")


def test_a_continued_conversation_can_be_given_files(client: OpenAI, pages: FileServer) -> None:
    first = ask_messages(client, messages(TEXT), stream=False)
    (name,) = first.ids
    parts = messages(image(f"{pages.url}/cat.png"))
    second = ask_messages(client, parts, stream=False, extra_body={"conversation_id": name})
    assert label("图片", "cat.png", PICTURE) in second.text
    assert "第 2 轮" in second.text


@pytest.mark.parametrize("era", ["2024", "2026"])
def test_both_eras(client: OpenAI, upstream: UpstreamEmulator, pages: FileServer, era: str) -> None:
    upstream.configure(era=era)
    parts = messages(image(f"{pages.url}/cat.png"), inline(sample.PDF, "a.pdf"))
    text = ask_messages(client, parts, stream=False).text
    assert "看不到" not in text
    assert label("文件", "a.pdf", sample.PDF) in text


@pytest.mark.parametrize("answer", ["object", "forbidden"])
def test_other_answers_to_an_upload(
    client: OpenAI, upstream: UpstreamEmulator, account: str, pages: FileServer, answer: str
) -> None:
    upstream.account(account.removeprefix("demo-"), upload_next=[answer])
    text = ask_messages(client, messages(image(f"{pages.url}/cat.png")), stream=False).text
    assert label("图片", "cat.png", PICTURE) in text
    assert upstream.state()["requests"].get(FILE_UPLOAD, 0) == (answer == "forbidden")


def test_the_same_bytes_are_uploaded_once(
    client: OpenAI, upstream: UpstreamEmulator, pages: FileServer
) -> None:
    again = inline(PICTURE, "again.png", "image/png")
    first = ask_messages(client, messages(image(f"{pages.url}/cat.png"), again), stream=False).text
    assert "图片 cat.png" in first
    ask_messages(client, messages(again), stream=True)
    assert upstream.state()["requests"][CHAT_UPLOAD] == 1
    assert sent(upstream)[0]["image"][0]["file_name"] == "again.png"


@pytest.mark.parametrize(
    "trouble", [{"next": ["busy429"]}, {"upload_next": ["http500"]}, {"upload_next": ["waf400"]}], ids=str
)
def test_the_next_account_gets_the_files_too(
    gateway: GatewayProcess,
    upstream: UpstreamEmulator,
    pages: FileServer,
    account: str,
    trouble: dict[str, Any],
) -> None:
    one, two = f"{account}-1", f"{account}-2"
    upstream.account(one.removeprefix("demo-"), **trouble)
    with connect(gateway, f"{one},{two}") as client:
        text = ask_messages(client, messages(image(f"{pages.url}/cat.png"), TEXT), stream=True).text
    assert label("图片", "cat.png", PICTURE) in text
    assert upstream.state()["uploads"][-1]["account"] == two.removeprefix("demo-")
    assert upstream.state()["requests"][CHAT_UPLOAD] == 2
    assert len(pages.requests) == 1, "fetched once"


def test_a_dead_access_token_is_refreshed_for_an_upload(
    client: OpenAI, upstream: UpstreamEmulator, account: str, pages: FileServer
) -> None:
    ask_messages(client, messages(TEXT), stream=False)
    upstream.account(account.removeprefix("demo-"), expire_access=True)
    text = ask_messages(client, messages(image(f"{pages.url}/cat.png")), stream=False).text
    assert label("图片", "cat.png", PICTURE) in text


def test_without_an_account_nothing_is_fetched(gateway: GatewayProcess, pages: FileServer) -> None:
    with connect(gateway, "dead-nobody") as client, pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(image(f"{pages.url}/cat.png")), stream=False)
    assert raised.value.status_code == 401
    assert pages.requests == []
