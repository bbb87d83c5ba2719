"""The drawing assistant of the upstream emulator: strict about its question, and its pictures can be had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.upstream_emulator.client import Client, Reply, chat_body
from upstream_emulator.drawing import build_png
from upstream_emulator.emulator import UpstreamEmulator

ASSISTANT = "65a232c082ff90a2ad2f15e2"
COGVIEW = {"aspect_ratio": "3:4", "style": "none", "scene": "none", "chat_model": ""}
STREAM = "/chatglm/backend-api/assistant/stream"


@pytest.fixture
def client(upstream: UpstreamEmulator) -> Iterator[Client]:
    with Client(upstream.url) as client:
        yield client.logged_in("demo-ann")


def draw(client: Client, text: str, **cogview: Any) -> Reply:
    meta = {"cogview": COGVIEW | {"rm_label_watermark": False} | cogview, "chat_mode": ""}
    return client.post(STREAM, chat_body(text) | {"assistant_id": ASSISTANT, "meta_data": meta})


def pictures(reply: Reply) -> list[str]:
    items = [frame["parts"][0]["content"][0] for frame in reply.frames if frame["parts"]]
    return [item["image"][0]["image_url"] for item in items if item["type"] == "image"]


def test_it_draws_without_a_directive(client: Client) -> None:
    assert len(pictures(draw(client, "一只猫"))) == 4


def test_pictures_lie_on_the_same_host_and_differ(client: Client) -> None:
    urls = pictures(draw(client, "一只猫 [[draw n=2]]"))
    assert all(url.startswith("http://client/testpath/") for url in urls)
    found = [client.call("GET", url.removeprefix("http://client"), headers={}) for url in urls]
    assert [picture.body for picture in found] == [build_png(1), build_png(2)]
    assert {picture.headers["content-type"] for picture in found} == {"image/png"}


def test_a_lost_picture_cannot_be_had(client: Client) -> None:
    (url,) = pictures(draw(client, "[[draw n=1 lost=1]]"))
    assert client.call("GET", url.removeprefix("http://client")).status == 404


def test_nothing_drawn_is_told_in_words_or_not_at_all(client: Client) -> None:
    assert "没有画出来" in draw(client, "[[draw n=0]]").text
    silent = draw(client, "[[draw n=0 silent=1]]")
    assert (silent.text, pictures(silent), silent.frames[-1]["status"]) == ("", [], "finish")


@pytest.mark.parametrize(
    ("cogview", "place"),
    [
        ({"aspect_ratio": None}, "aspect_ratio"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio"),
        ({"style": 1}, "style"),
        ({"scene": None}, "scene"),
        ({"chat_model": None}, "chat_model"),
    ],
)
def test_a_wrong_question_is_refused(client: Client, cogview: dict[str, Any], place: str) -> None:
    (problem,) = draw(client, "一只猫", **cogview).json["validation_error"]["body_params"]
    assert problem["loc"] == ["meta_data", "cogview", place]


def test_a_question_of_2024_says_nothing_about_drawing(upstream: UpstreamEmulator) -> None:
    body = chat_body("一只猫") | {"assistant_id": ASSISTANT}
    with Client(upstream.url) as client:
        client.logged_in("demo-ann")
        assert "validation_error" in client.post(STREAM, body).json
        upstream.configure(era="2024")
        assert len(pictures(client.post(STREAM, body))) == 2  # a placeholder, then the picture
