"""Bad files and bad addresses: a clear error that names the place, and nothing left anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from demo.gateway import GatewayProcess
from tests.app.files import sample
from tests.file_server import FileServer, chunked, page, redirect
from tests.live.asking import ask_messages
from tests.live.conftest import connect
from tests.live_files.attaching import TEXT, as_url, image, inline, link, messages
from tests.live_files.conftest import MEBIBYTE, SETTINGS, check_files
from upstream_emulator.emulator import UpstreamEmulator

PICTURE = sample.png()
Build = Callable[[FileServer], dict[str, Any]]
IMAGE, FILE, DATA = "image_url.url", "file_url.url", "file.file_data"

# part, code, the place inside the part
BAD: dict[str, tuple[Build, str, str]] = {
    "base64 garbage": (lambda web: image("data:image/png;base64,!!!"), "invalid_file", IMAGE),
    "no data: URL": (lambda web: image("data:image/png"), "invalid_file_url", IMAGE),
    "wrong MIME": (lambda web: image(as_url(sample.PDF, "image/png")), "invalid_file", IMAGE),
    "zero bytes": (lambda web: image(as_url(b"", "image/png")), "invalid_file", IMAGE),
    "zero bytes linked": (lambda web: image(f"{web.url}/empty.png"), "invalid_file", IMAGE),
    "not found": (lambda web: image(f"{web.url}/missing.png"), "file_unavailable", IMAGE),
    "a web page": (lambda web: image(f"{web.url}/page.png"), "invalid_file", IMAGE),
    "a web page as a document": (lambda web: link(f"{web.url}/page.png"), "invalid_file", FILE),
    "a PDF named .png": (lambda web: link(f"{web.url}/pdf.png"), "invalid_file", FILE),
    "an SVG": (lambda web: image(f"{web.url}/drawing.svg"), "invalid_file", IMAGE),
    "a picture bomb": (lambda web: image(f"{web.url}/bomb.png"), "invalid_file", IMAGE),
    "a video": (lambda web: inline(b"\0\0\0\x18ftypmp42", "a.mp4", "video/mp4"), "invalid_file", DATA),
    "too large": (lambda web: link(f"{web.url}/large.pdf"), "file_too_large", FILE),
    "too large inline": (lambda web: inline(sample.PDF + b"x" * MEBIBYTE, "a.pdf"), "file_too_large", DATA),
    "a silent host": (lambda web: link(f"{web.url}/hang"), "file_unavailable", FILE),
    "a head that drips": (lambda web: link(f"{web.url}/drip"), "file_unavailable", FILE),
    "a refused place": (lambda web: link("http://169.254.169.254/latest/"), "invalid_file_url", FILE),
    "leading to a refused place": (lambda web: link(f"{web.url}/away"), "invalid_file_url", FILE),
    "a port": (lambda web: link("http://127.0.0.1:22/"), "invalid_file_url", FILE),
    "a scheme": (lambda web: link("file:///etc/passwd"), "invalid_file_url", FILE),
    "sound": (
        lambda web: {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        "unsupported_value",
        "input_audio",
    ),
    "an id": (
        lambda web: {"type": "file", "file": {"file_id": "file-1"}},
        "unsupported_value",
        "file.file_id",
    ),
    "no file": (lambda web: {"type": "file"}, "invalid_value", "file"),
    "a link that is a number": (lambda web: image(7), "invalid_value", IMAGE),  # type: ignore[arg-type]
    "a link without its address": (
        lambda web: {"type": "image_url", "image_url": {}},
        "invalid_value",
        IMAGE,
    ),
}


@pytest.fixture(autouse=True)
def files(pages: FileServer) -> FileServer:
    pages.pages |= {
        "/cat.png": page(PICTURE),
        "/empty.png": page(b""),
        "/page.png": page(sample.HTML, "Content-Type: text/html"),
        "/pdf.png": page(sample.PDF, "Content-Type: image/png"),
        "/drawing.svg": page(sample.SVG, "Content-Type: image/svg+xml"),
        "/bomb.png": page(sample.png(100_000, 100_000)),
        "/large.pdf": chunked(*[sample.PDF.ljust(65536)] * 20),
        "/hang": pages.hang(),
        "/drip": pages.drip(b"X-More: yes\r\n", 0.05, then=b"HTTP/1.1 200 OK\r\n"),
        "/away": redirect("http://169.254.169.254/latest/"),
    }
    return pages


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file(
    gateway: GatewayProcess, client: OpenAI, upstream: UpstreamEmulator, pages: FileServer, name: str
) -> None:
    build, code, place = BAD[name]
    history = [*messages(TEXT), {"role": "assistant", "content": "好"}]
    begun = time.monotonic()
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, [*history, *messages(image(as_url(PICTURE, "")), build(pages))], stream=True)
    assert time.monotonic() - begun < 12
    error = raised.value
    assert (error.status_code, error.code, error.param) == (400, code, f"messages.2.content.1.{place}")
    assert "127.0.0.1" not in error.message
    assert upstream.state()["uploads"] == [], "the good one beside it was not uploaded either"
    assert upstream.state()["conversations"] == []
    check_files(gateway)
    begun = time.monotonic()
    assert ask_messages(client, messages(TEXT), stream=False).finish == "stop"
    assert time.monotonic() - begun < 12, "the account is free again, and not waited for"


def test_too_many(client: OpenAI, pages: FileServer) -> None:
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(*[image(f"{pages.url}/cat.png")] * 5), stream=False)
    assert (raised.value.status_code, raised.value.param) == (400, "messages.0.content.4.image_url.url")
    assert pages.requests == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("large413", 400, "file_too_large"),
        ("toolong", 400, "context_length_exceeded"),
        ("http500", 502, "upstream_unreachable"),
        ("html502", 502, "upstream_unreachable"),
        ("hangup", 502, "upstream_unreachable"),
        ("silence", 504, "upstream_timeout"),
        ("throttled429", 429, "upstream_throttled"),
    ],
)
def test_an_upload_that_fails(
    client: OpenAI,
    upstream: UpstreamEmulator,
    account: str,
    pages: FileServer,
    fault: str,
    status: int,
    code: str,
) -> None:
    upstream.account(account.removeprefix("demo-"), upload_next=[fault] * 4)
    with pytest.raises(APIStatusError) as raised:
        ask_messages(client, messages(image(f"{pages.url}/cat.png"), TEXT), stream=True)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert raised.value.param == ("messages.0.content.0.image_url.url" if status == 400 else None)
    assert upstream.state()["conversations"] == []


def test_a_data_url_of_30_megabytes(
    upstream: UpstreamEmulator, pages: FileServer, tmp_path: object, account: str
) -> None:
    settings = SETTINGS | {
        "GLM_MAX_BODY_BYTES": str(48 * MEBIBYTE),
        "GLM_FILES_MAX_BYTES": str(100 * MEBIBYTE),
    }
    settings["GLM_FILES_TIMEOUT_SECONDS"] = "20"
    with GatewayProcess(upstream.url, None, **settings) as gateway, connect(gateway, account) as client:
        data = sample.PDF + b"x" * (30_000_000 - len(sample.PDF))
        text = ask_messages(client, messages(inline(data, "a.pdf")), stream=False).text
        assert "文件 a.pdf（30000000 字节" in text
        check_files(gateway)
        with pytest.raises(APIStatusError) as raised:
            ask_messages(client, messages(inline(data + data[:10_000_000], "a.pdf")), stream=False)
        assert raised.value.status_code == 413


FORGED = ["http://127.0.0.1:{}/cat.png", "http://localhost:{}/cat.png", "http://2130706433:{}/cat.png",
          "http://0x7f.1:{}/cat.png", "http://[::ffff:127.0.0.1]:{}/cat.png", "http://[::1]:{}/cat.png",
          "http://0.0.0.0:{}/cat.png", "http://１２７.0.0.1:{}/cat.png"]  # fmt: skip


def test_a_gateway_as_it_comes_fetches_nothing_from_inside(
    upstream: UpstreamEmulator, pages: FileServer, account: str
) -> None:
    settings = SETTINGS | {"GLM_FILES_ALLOW_PRIVATE": "0", "GLM_FILES_PORTS": f"80,443,{pages.port}"}
    with GatewayProcess(upstream.url, None, **settings) as gateway, connect(gateway, account) as client:
        for url in FORGED:
            with pytest.raises(APIStatusError) as raised:
                ask_messages(client, messages(image(url.format(pages.port))), stream=False)
            assert (raised.value.status_code, raised.value.code) == (400, "invalid_file_url")
    assert pages.requests == []
