"""Content parts in the shapes of other APIs: Anthropic, Responses, Gemini, Qwen, GLM's own, MCP. Pure.

A history that began elsewhere is full of them, and nothing that its user types can mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from app.core.errors import UnsupportedValue
from app.core.request import Call, FilePart, Part, TextPart
from app.formats.file_data import as_data_url

_THINKING = frozenset(
    {"thinking", "redacted_thinking", "reasoning", "reasoning_content", "reasoning_text", "thought"}
)
_TEXT = frozenset({"text", "input_text", "output_text", "refusal"})
_CALL = frozenset({"tool_use", "tool_call", "tool-call"})
_RESULT = frozenset({"tool_result", "tool-result"})
_LABELS: Mapping[str, str] = {
    "image_url": "image",
    "input_image": "image",
    "image": "image",
    "image_file": "image",
    "file": "file",
    "file_url": "file",
    "input_file": "file",
    "document": "file",
    "resource": "file",
    "input_audio": "sound",
    "audio_url": "sound",
    "audio": "sound",
    "video_url": "video",
    "input_video": "video",
    "video": "video",
}
_NOT_READ = {
    "sound": "Sound cannot be attached: the upstream reads pictures and documents only.",
    "video": "Videos cannot be attached: the upstream reads pictures and documents only.",
}
# Where the address of a file stands, or an object that holds it.
_URL_KEYS = ("image_url", "image", "file_url", "file", "url", "source", "resource")
_NAME_KEYS = ("filename", "name", "title")


def read_foreign_part(value: object, place: str) -> tuple[Part | Call, ...] | None:
    """What the part says, nothing for thinking; None where nobody knows it. `place` is where it stands."""
    if isinstance(value, str):
        return (TextPart(value),)
    if not isinstance(value, dict):
        return None
    kind = _find_kind(value)
    if kind in _THINKING:
        return ()
    if kind in _TEXT:
        return _read_text(value.get("refusal" if kind == "refusal" else "text", ...))
    if kind in _CALL:
        return _read_call(value)
    if kind in _RESULT:
        return _read_result(value.get("content", value.get("output")), place)
    return _read_file(value, _LABELS.get(kind, ""), place)


def name_part(value: object) -> str:
    """How a retold turn calls a part of a kind that nobody knows, or that is not whole."""
    kind = _find_kind(value) if isinstance(value, dict) else ""
    return (
        _LABELS.get(kind)
        or "".join([char for char in kind[:40] if char.isalnum() or char in "_- "])
        or "part"
    )


def refuse_kind(label: str, place: str) -> FilePart:
    """A sound or a video: the upstream takes none."""
    return FilePart(label, "", place, unusable=UnsupportedValue(_NOT_READ[label], param=place))


def write_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _find_kind(value: dict[str, Any]) -> str:
    """Parts without a type say by their only field what they are."""
    kind = value.get("type")
    if isinstance(kind, str):
        return kind
    return next((key for key in ("text", *_LABELS) if key in value), "")


def _read_text(text: object) -> tuple[TextPart, ...] | None:
    """Null says nothing; a text that is missing is a mistake."""
    if isinstance(text, str):
        return (TextPart(text),)
    return () if text is None else None


def _read_call(value: dict[str, Any]) -> tuple[Call] | None:
    name = value.get("name", value.get("toolName"))
    if not isinstance(name, str):
        return None
    arguments = value.get("input", value.get("args", value.get("arguments")))
    return (
        Call(
            str(value.get("id", "")),
            name,
            arguments if isinstance(arguments, str) else write_json(arguments or {}),
        ),
    )


def _read_result(content: object, place: str) -> tuple[Part | Call, ...]:
    if content is None:
        return ()
    found: list[Part | Call] = []
    for item in content if isinstance(content, list) else [content]:
        is_nested = isinstance(item, dict) and _find_kind(item) in _RESULT
        said = None if is_nested else read_foreign_part(item, place)
        found += (TextPart(write_json(item)),) if said is None else said
    return tuple(found)


def _read_file(value: dict[str, Any], label: str, place: str) -> tuple[Part] | None:
    if label in _NOT_READ:
        return (refuse_kind(label, place),)
    if not label:
        return None
    text = _find_text(value)
    if text is not None:
        return (TextPart(text),)
    url = _find_url(value)
    if url is None:
        return None
    return (FilePart(label, url, place, _find_name(value)),)


def _find_text(value: dict[str, Any]) -> str | None:
    """A document may be plain text: Anthropic's source, MCP's resource."""
    for key in ("source", "resource"):
        holder = value.get(key)
        if isinstance(holder, dict):
            text = holder.get("data") if holder.get("type") == "text" else holder.get("text")
            return text if isinstance(text, str) else None
    return None


def _find_url(value: dict[str, Any]) -> str | None:
    for key in _URL_KEYS:
        held = value.get(key)
        if isinstance(held, str):
            return held
        if isinstance(held, dict):
            return _find_url(held)
    for key in ("file_data", "data", "blob", "base64"):
        data = value.get(key)
        if isinstance(data, str):
            return as_data_url(data, value.get("media_type", value.get("mimeType")))
    return None


def _find_name(value: dict[str, Any]) -> str:
    holders = [value, *[held for held in value.values() if isinstance(held, dict)]]
    names = [holder.get(key) for key in _NAME_KEYS for holder in holders]
    return next((name for name in names if isinstance(name, str)), "")
