"""openapi.yaml says what is so: the routes, the request fields, the error codes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from app.catalogue.code import CODES
from app.config import Settings
from app.factory import create_app
from app.formats.openai_chat.part import FilePart, ImagePart, RefusalPart, TextPart
from app.formats.openai_chat.request import ChatRequest, Message
from app.formats.openai_media.images import ImageRequest
from app.formats.openai_responses.request import ResponsesRequest
from app.routes.services import EXTENSION
from app.state import MEMORY

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def routes() -> Iterator[set[tuple[str, str]]]:
    app = create_app(Settings(state_path=MEMORY, upstream_url="http://127.0.0.1:9"))
    yield {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        # The page and the reference are for people.
        if rule.endpoint.partition(".")[0] not in {"page", "picture", "reference"}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    app.extensions[EXTENSION].stop(0)


def test_every_route_is_described_and_nothing_else(routes: set[tuple[str, str]]) -> None:
    described = {
        (path, method) for path, methods in DOCUMENT["paths"].items() for method in methods.keys() & METHODS
    }
    assert described == routes


def test_what_is_served_is_what_is_written() -> None:
    served = json.loads((ROOT / "app" / "routes" / "openapi.json").read_text("utf-8"))
    assert served == DOCUMENT, "run `make openapi`"


def test_every_error_code_is_listed() -> None:
    """Those of the server too, which refuses what is no HTTP request."""
    assert SCHEMAS["ErrorCode"]["enum"] == sorted(CODES)


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("ChatRequest", ChatRequest),
        ("ImageRequest", ImageRequest),
        ("Message", Message),
        ("ResponsesRequest", ResponsesRequest),
    ],
)
def test_request_fields(name: str, struct: type[msgspec.Struct]) -> None:
    fields = msgspec.structs.fields(struct)
    assert SCHEMAS[name]["properties"].keys() == {field.name for field in fields}
    assert SCHEMAS[name]["required"] == [field.name for field in fields if field.required]


def test_content_parts() -> None:
    described = {
        part["properties"]["type"]["const"]: part["properties"].keys()
        for part in (SCHEMAS[named["$ref"].rpartition("/")[2]] for named in SCHEMAS["ContentPart"]["oneOf"])
    }
    structs: list[type[msgspec.Struct]] = [TextPart, RefusalPart, ImagePart, FilePart]
    assert described == {
        struct.__struct_config__.tag: {"type", *struct.__struct_fields__} for struct in structs
    }


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{DOCUMENT["info"]["version"]}"' in (ROOT / "pyproject.toml").read_text("utf-8")
