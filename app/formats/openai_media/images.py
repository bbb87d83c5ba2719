"""Drawing requests of the Images API: JSON in, DrawingRequest out, and pictures back as OpenAI has them.

What cannot be honoured is refused: the upstream decides the format and the background of a picture.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

import msgspec

from app.core.errors import InvalidRequest, UnsupportedValue
from app.core.request import DrawingRequest, DrawnPicture
from app.formats.json_body import decode_body

MAX_PROMPT_CHARS = 32_000
MAX_PICTURES = 10
_MAX_WORD_CHARS = 64

# What the upstream draws (protocol notes 7), the square first: it wins where two are as near.
_ASPECT_RATIOS = ("1:1", "3:4", "4:3", "2:3", "3:2", "9:16", "16:9")
# Other drawing interfaces write a star or a cross; the star may be a full-width one.
_SIZE = re.compile(r"\s{0,9}([1-9]\d{0,4})\s{0,9}[xX×*＊✕✖:：]\s{0,9}([1-9]\d{0,4})\s{0,9}", re.ASCII)
_WIDEST = 3.0
# OpenAI's own words for styles, which the upstream does not know.
_STYLES_OF_OPENAI = frozenset({"", "vivid", "natural"})
# OpenAI's models that take no `response_format` and always answer in bytes: clients read nothing else.
_MODELS_IN_BYTES = ("gpt-image-", "chatgpt-image-")

_Word = Annotated[str, msgspec.Meta(max_length=_MAX_WORD_CHARS)]


class ImageRequest(msgspec.Struct, frozen=True):
    """A valid request. `style` and `scene` are the upstream's names; what nothing reads is checked."""

    prompt: Annotated[str, msgspec.Meta(max_length=MAX_PROMPT_CHARS)]
    model: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=MAX_PICTURES)] | None = None
    size: str | None = None
    style: _Word | None = None
    scene: _Word | None = None
    response_format: Literal["url", "b64_json"] | None = None
    quality: Literal["auto", "standard", "hd", "low", "medium", "high"] | None = None
    background: Literal["auto", "opaque", "transparent"] | None = None
    moderation: Literal["auto", "low"] | None = None
    input_fidelity: Literal["low", "high"] | None = None
    output_format: str | None = None
    output_compression: int | None = None
    partial_images: int | None = None
    stream: bool | None = None
    user: str | None = None


def parse_image_request(body: bytes) -> DrawingRequest:
    """Read and check the body of a generation. Raises InvalidRequest or UnsupportedValue."""
    return _check(decode_body(_decode_image, body))


def parse_edit_fields(fields: Mapping[str, str]) -> DrawingRequest:
    """The same for the form fields of an edit."""
    return _check(decode_body(_decode_image, msgspec.json.encode(dict(fields))))


def _decode_image(body: bytes) -> ImageRequest:
    """As a form is read: numbers may be text, and an empty text was not filled in."""
    fields = msgspec.json.decode(body)
    if isinstance(fields, dict):
        fields = {name: value for name, value in fields.items() if value != "" or name == "prompt"}
    return msgspec.convert(fields, ImageRequest, strict=False)


def parse_size(size: str | None) -> str:
    """The nearest ratio that the upstream draws, square without a size. Raises InvalidRequest."""
    if size is None or size.strip().lower() == "auto":
        return _ASPECT_RATIOS[0]
    found = _SIZE.fullmatch(size)
    if found is None:
        raise InvalidRequest("`size` must be auto or WIDTHxHEIGHT, 1024x1024 say.", param="size")
    wanted = int(found.group(1)) / int(found.group(2))
    if not 1 / _WIDEST <= wanted <= _WIDEST:
        raise InvalidRequest("`size` may be at most three times as long as it is short.", param="size")
    return min(_ASPECT_RATIOS, key=lambda ratio: abs(math.log(wanted / _value_of(ratio))))


def _value_of(ratio: str) -> float:
    width, height = ratio.split(":")
    return int(width) / int(height)


def _check(request: ImageRequest) -> DrawingRequest:
    if not request.prompt.strip():
        raise InvalidRequest("`prompt` is empty: say what to draw.", param="prompt")
    aspect_ratio = parse_size(request.size)
    for name, (is_wanted, why) in {
        "background": (request.background == "transparent", "the upstream draws no transparent pictures"),
        "moderation": (request.moderation == "low", "the upstream's filter cannot be changed"),
        "input_fidelity": (request.input_fidelity == "high", "the upstream decides how near it stays"),
        "output_format": (request.output_format is not None, "the upstream decides the format"),
        "output_compression": (request.output_compression is not None, "the upstream decides the format"),
        "stream": (bool(request.stream), "pictures come all at once"),
        "partial_images": (bool(request.partial_images), "pictures come when they are done"),
    }.items():
        if is_wanted:
            raise UnsupportedValue(f"`{name}` cannot be honoured: {why}.", param=name)
    return DrawingRequest(
        prompt=request.prompt,
        model=request.model or "",
        count=request.n or 1,
        aspect_ratio=aspect_ratio,
        style="none" if (request.style or "") in _STYLES_OF_OPENAI else str(request.style),
        scene=request.scene or "none",
        wants_bytes=_wants_bytes(request),
    )


def _wants_bytes(request: ImageRequest) -> bool:
    if request.response_format is None:
        return (request.model or "").startswith(_MODELS_IN_BYTES)
    return request.response_format == "b64_json"


def encode_images(pictures: Iterable[DrawnPicture], *, created: int) -> bytes:
    """`{"created", "data": [{"url" or "b64_json", "revised_prompt"}]}`; no usage, as nobody counts it."""
    data = [_describe(picture) for picture in pictures]
    return msgspec.json.encode({"created": created, "data": data})


def _describe(picture: DrawnPicture) -> dict[str, str]:
    entry = {"url": picture.url} if picture.data is None else {"b64_json": picture.data}
    return entry | ({"revised_prompt": picture.revised_prompt} if picture.revised_prompt else {})
