"""Upstream frames as typed values (protocol notes 4.2-4.4). Only used fields are decoded: skipping is cheap.

Reading is tolerant in two steps: the fast one takes a frame whose used fields have the known types, the slow
one takes whatever fits of a frame that has not.

An example, made up in the shape of 2026: the second frame of an answer, in the middle of its text.

    {"id": "6a5000000000000000000002",               names the answer, for the call that stops it
     "conversation_id": "6a5000000000000000000001",  in every frame; what has to be deleted one day
     "status": "init",                               goes on; `finish`, `intervene` and `error` end the answer
     "last_error": {},                               or null: nothing is wrong
     "meta_data": {"if_increase_push": true},        `text` is a delta; false: a snapshot; absent: either
     "parts": [                                      the current part alone, or [] in the first frame
       {"logic_id": "00000000-0000-4000-8000-000000000003",   the same in all frames about this part
        "status": "init",                            `finish`: `text` is all of it, whatever the flag says
        "role": "assistant", "model": "moe_53f",     `tool` and `all-tools`: what came of the site's own tools
        "content": [{"type": "text", "text": "The Brocken", "tool_calls": {}}],
        "meta_data": {"tool_result_extra": {"search_results": []}}}]}   kept as bytes: read where a search was
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar

import msgspec

from app.core.errors import UpstreamInvalid
from app.upstream.frame_size import SHORT_BYTES, check_values
from app.upstream.unknown_content import note_unknown_content

NOT_SENT = msgspec.Raw(b"null")


class FrameMeta(msgspec.Struct, gc=False):
    if_increase_push: bool | None = None


class ContentItem(msgspec.Struct, gc=False):
    """One typed element of a part's content.

    `text` belongs to text and text_thinking, `think` to think, `code` to code and - the rewritten prompt - to
    image, `content` to execution_output, `image` to image: a list of objects, placeholders among them.
    """

    type: str = ""
    text: str | None = None
    think: str | None = None
    code: str | None = None
    content: str | None = None
    image: Any = None
    status: str | None = None
    # Read only where the item is a call: nearly all others carry it empty.
    tool_calls: msgspec.Raw = NOT_SENT
    tool_result_extra: msgspec.Raw = NOT_SENT
    meta_data: msgspec.Raw = NOT_SENT


class Part(msgspec.Struct, gc=False):
    """One logical block of the answer; all frames about it carry its `logic_id`."""

    logic_id: str | None = None
    status: str | None = None
    content: list[ContentItem] | None = None
    error: Any = None
    role: str | None = None
    model: str | None = None
    # Read only where a search's result or a citation is: everywhere else a copy of its bytes is cheaper.
    meta_data: msgspec.Raw = NOT_SENT


class Frame(msgspec.Struct, gc=False):
    """One upstream document. `last_error` and `error` are None or {} where nothing is wrong.

    `id` names the answer, for the call that stops it.
    """

    id: str | None = None
    conversation_id: str | None = None
    status: str | None = None
    parts: list[Part] | None = None
    meta_data: FrameMeta | None = None
    last_error: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decode_frame = msgspec.json.Decoder(Frame).decode

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


TEXT_FIELDS = {
    "text": "text",
    "text_thinking": "text",
    "think": "think",
    "code": "code",
    "execution_output": "content",
}
"""By type of a content item: the field that holds what it says."""


def parse_frame(data: bytes) -> Frame:
    """Read the data of one event. Raises UpstreamInvalid where it is no JSON object, or a huge one."""
    if len(data) > SHORT_BYTES:
        check_values(data)
    try:
        return _decode_frame(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _salvage(_decode_leniently(data))


def _decode_leniently(data: bytes) -> object:
    """Like JavaScript would: halves of surrogate pairs are legal, they join with their other half later."""
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as exc:
        raise UpstreamInvalid("The upstream sent a frame that is not JSON.") from exc


def _salvage(document: object) -> Frame:
    if not isinstance(document, dict):
        raise UpstreamInvalid("The upstream sent a frame that is not a JSON object.")
    frame = _take_fitting(document, Frame, skip=("parts", "meta_data"))
    frame.meta_data = _salvage_meta(document.get("meta_data"))
    if "parts" in document:
        frame.parts = [_salvage_part(part) for part in _listed(document["parts"])]
    elif isinstance(document.get("status"), int):
        frame.code = document["status"]  # no frame, but the envelope of a refusal (protocol notes 1.3)
    return frame


def _salvage_meta(document: object) -> FrameMeta | None:
    return _take_fitting(document, FrameMeta) if isinstance(document, dict) else None


def _salvage_part(document: dict[str, Any]) -> Part:
    part = _take_fitting(document, Part, skip=("content",))
    part.content = [_take_fitting(item, ContentItem) for item in _listed(document.get("content"))]
    return part


def _listed(value: object) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _take_fitting(document: dict[str, Any], kind: type[_Struct], skip: tuple[str, ...] = ()) -> _Struct:
    """A `kind` with every field of `document` that has the right type, defaults for the rest."""
    taken = {}
    for field in _list_fields(kind):
        if field.name in document and field.name not in skip:
            try:
                taken[field.name] = _convert(document[field.name], field.type)
            except msgspec.ValidationError:
                note_unknown_content("shape of the field", f"{kind.__name__}.{field.name}")
    return kind(**taken)


@cache
def _list_fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _convert(value: object, wanted: Any) -> object:
    if wanted is msgspec.Raw:
        return msgspec.Raw(json.dumps(value).encode())
    return msgspec.convert(value, wanted)
