"""JSON Schemas as clients send them: bounded before they are decoded, which takes many times their bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from app.core.errors import InvalidRequest
from app.hub import cooperate

MAX_SCHEMA_BYTES = 512 * 1024
"""Of one schema; a prompt takes less."""
MAX_SCHEMAS_BYTES = 1024 * 1024
"""Of all schemas of a request."""
NO_SCHEMA = msgspec.Raw(b"null")

_LARGE_SCHEMA_BYTES = 64 * 1024
_decode_json = msgspec.json.Decoder().decode


class ToolSchemas:
    """Reads the schemas of one request's tools, and counts them."""

    def __init__(self) -> None:
        self._left_bytes = MAX_SCHEMAS_BYTES

    def read(self, schema: msgspec.Raw, tool_place: str, name: str) -> Any:
        """The schema that stands as `name` in the tool. Raises InvalidRequest that names the place."""
        self._left_bytes -= len(bytes(schema))
        if self._left_bytes < 0:
            raise InvalidRequest(
                f"The schemas of all tools together may have {MAX_SCHEMAS_BYTES} bytes.", param=tool_place
            )
        return read_schema(schema, f"{tool_place}.{name}")


def read_schema(schema: msgspec.Raw, place: str) -> Any:
    """Raises InvalidRequest that names the place."""
    data = bytes(schema)
    if len(data) > MAX_SCHEMA_BYTES:
        raise InvalidRequest(f"A schema may have {MAX_SCHEMA_BYTES} bytes.", param=place)
    if len(data) > _LARGE_SCHEMA_BYTES:
        cooperate()
    try:
        return _decode_json(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("The schema cannot be read.", param=place) from None
