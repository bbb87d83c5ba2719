"""Pictures for the page: the upstream's own as it is reached itself, others as whatever users link to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.app.routes.conftest import Connect
from tests.file_server import FileServer, page
from upstream_emulator.drawing import build_png

PLACE = "http://sfile.chatglm.cn/a.png"
PICTURE = build_png(3)


@pytest.fixture
def proxy() -> Iterator[FileServer]:
    with FileServer() as proxy:
        yield proxy


def ask(client: FlaskClient, url: str, **more: str) -> TestResponse:
    headers = {"Authorization": "Bearer demo-ann"} | more
    return client.post("/page/picture", json={"url": url}, headers=headers, buffered=True)


def test_a_drawn_picture_comes_through_the_proxy(connect: Connect, proxy: FileServer) -> None:
    proxy.pages[PLACE] = page(PICTURE)
    answer = ask(connect(GLM_PROXY=proxy.url), PLACE)
    assert (answer.status_code, answer.content_type, answer.data) == (200, "image/png", PICTURE)


def test_other_pictures_do_not(connect: Connect, proxy: FileServer) -> None:
    answer = ask(connect(GLM_PROXY=proxy.url, GLM_FILES_PORTS=str(proxy.port)), f"{proxy.url}/a.png")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["code"] == "invalid_file_url"
    assert proxy.requests == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"url":5}', b'{"url":"http://["}', b'{"url":"data:,"}'])
def test_what_is_no_picture(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/page/picture", data=body, headers={"Authorization": "Bearer demo-ann"})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["param"] == "url"
