"""Drawing requests: what is taken, what is refused and where, and what goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import DrawingRequest, DrawnPicture
from app.formats.openai_media.images import (
    encode_images,
    parse_edit_fields,
    parse_image_request,
    parse_size,
)


def parse(**fields: Any) -> DrawingRequest:
    return parse_image_request(json.dumps({"prompt": "一只猫"} | fields).encode())


def test_the_least_request() -> None:
    request = parse()
    assert (request.count, request.aspect_ratio, request.style) == (1, "1:1", "none")
    assert not request.wants_bytes


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        (None, "1:1"),
        ("auto", "1:1"),
        ("256x256", "1:1"),
        ("1024x1024", "1:1"),
        ("1792x1024", "16:9"),
        ("1024x1792", "9:16"),
        ("1536x1024", "3:2"),
        ("1024x1536", "2:3"),
        ("1920X1080", "16:9"),
        ("800x600", "4:3"),
        ("768x1024", "3:4"),
        ("16:9", "16:9"),
        ("1000x990", "1:1"),
        ("3000x1000", "16:9"),
        ("1024*1024", "1:1"),
        ("1024×1024", "1:1"),
        (" 1024 x 1024 ", "1:1"),
        ("1792*1024", "16:9"),
        ("1792 × 1024", "16:9"),
        ("9 : 16", "9:16"),
        ("16：9", "16:9"),
        ("AUTO", "1:1"),
    ],
)
def test_sizes_become_the_nearest_ratio(size: str | None, ratio: str) -> None:
    assert parse_size(size) == ratio


@pytest.mark.parametrize(
    "size",
    [
        " ",
        "*",
        "x1024",
        "1024**1024",
        "1024 1024",
        "big",
        "0x0",
        "0x5",
        "10x",
        "-1x1",
        "1024",
        "9x1",
        "1x9",
        "1024x1024x1",
        "１x１",
    ],
)
def test_wrong_sizes(size: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(size=size)
    assert raised.value.param == "size"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["x"]}, "prompt"),
        ({"prompt": "x" * 32_001}, "prompt"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"n": "two"}, "n"),
        ({"n": "11"}, "n"),
        ({"n": 1.5}, "n"),
        ({"size": 1024}, "size"),
        ({"style": 1}, "style"),
        ({"style": "x" * 65}, "style"),
        ({"scene": {}}, "scene"),
        ({"response_format": "png"}, "response_format"),
        ({"quality": "best"}, "quality"),
        ({"model": 7}, "model"),
        ({"user": 7}, "user"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse(**fields)
    assert raised.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"background": "transparent"},
        {"moderation": "low"},
        {"output_format": "png"},
        {"output_compression": 50},
        {"stream": True},
        {"partial_images": 2},
        {"input_fidelity": "high"},
    ],
)
def test_what_cannot_be_honoured_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedValue) as raised:
        parse(**fields)
    assert raised.value.param == next(iter(fields))


def test_what_means_nothing_upstream_is_taken() -> None:
    fields = {"quality": "hd", "style": "vivid", "user": "me", "background": "auto", "moderation": "auto"}
    request = parse(**fields, n=None, size=None, stream=False, unheard_of=1)
    assert request.style == "none"
    assert parse(style="油画", scene="海边").style == "油画"


def test_a_missing_prompt_is_named() -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_image_request(b"{}")
    assert raised.value.param == "prompt"


@pytest.mark.parametrize(
    "field", ["size", "quality", "response_format", "style", "scene", "n", "user", "model", "output_format"]
)
def test_what_was_not_filled_in_was_not_given(field: str) -> None:
    assert parse(**{field: ""}) == parse() == parse_edit_fields({"prompt": "一只猫", field: ""})


def test_numbers_may_be_text() -> None:
    assert parse(n="2").count == 2


def test_forms_hold_numbers_as_text() -> None:
    request = parse_edit_fields({"prompt": "加一顶帽子", "n": "3", "response_format": "b64_json", "size": ""})
    assert (request.count, request.wants_bytes, request.aspect_ratio) == (3, True, "1:1")


@pytest.mark.parametrize("fields", [{"n": "many"}, {"n": "0"}, {"n": "11"}])
def test_wrong_numbers_in_forms(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_edit_fields({"prompt": "x"} | fields)
    assert raised.value.param == "n"


@pytest.mark.parametrize(
    ("model", "response_format", "wants_bytes"),
    [
        ("gpt-image-1", None, True),
        ("gpt-image-1.5", "", True),
        ("chatgpt-image-latest", None, True),
        ("gpt-image-1", "url", False),
        ("gpt-image-1", "b64_json", True),
        ("dall-e-3", None, False),
        ("cogview-3", None, False),
        (None, None, False),
    ],
)
def test_models_whose_clients_read_bytes_alone(
    model: str | None, response_format: str | None, wants_bytes: bool
) -> None:
    assert parse(model=model, response_format=response_format).wants_bytes == wants_bytes
    fields = {"prompt": "x", "model": model or "", "response_format": response_format or ""}
    assert parse_edit_fields(fields).wants_bytes == wants_bytes


def test_pictures_go_back_by_address_or_as_bytes() -> None:
    encoded = encode_images(
        [DrawnPicture("https://x/0.jpg"), DrawnPicture("https://x/1.jpg", "a cat", "QUJD")], created=5
    )
    assert json.loads(encoded) == {
        "created": 5,
        "data": [{"url": "https://x/0.jpg"}, {"b64_json": "QUJD", "revised_prompt": "a cat"}],
    }
