"""Items that say nothing, but what the request offers and how it shall be answered."""

from __future__ import annotations

from typing import Annotated

import msgspec

from app.core.effort import Effort
from app.core.errors import InvalidRequest
from app.formats.json_body import decode_value
from app.formats.openai_responses.request import MAX_TOOLS, Reasoning, Text, TextFormat

_TOOL_LISTS = frozenset({"additional_tools", "tool_search_output"})


class ToolList(msgspec.Struct, frozen=True):
    tools: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_TOOLS)] | None = None


class Update(msgspec.Struct, frozen=True):
    reasoning: Reasoning | None = None
    text: Text | None = None


_decode_tool_list = msgspec.json.Decoder(ToolList).decode
_decode_update = msgspec.json.Decoder(Update).decode


class InputSettings:
    """What such items say together; of what several say the last counts."""

    def __init__(self) -> None:
        self.tool_lists: list[tuple[str, list[msgspec.Raw]]] = []
        """Each with its place."""
        self.effort: Effort | None = None
        self.text_format: TextFormat | None = None
        self.text_place = ""
        self._tools = 0

    def take(self, kind: str | None, data: bytes, place: str) -> bool:
        """Whether it is such an item. Raises InvalidRequest that names the place."""
        if kind in _TOOL_LISTS:
            self._add_tools(decode_value(_decode_tool_list, data, place).tools or [], f"{place}.tools")
        elif kind == "configuration_update":
            self._update(decode_value(_decode_update, data, place), place)
        else:
            return False
        return True

    def _add_tools(self, tools: list[msgspec.Raw], place: str) -> None:
        self._tools += len(tools)
        if self._tools > MAX_TOOLS:
            raise InvalidRequest(f"At most {MAX_TOOLS} tools may be added.", param=place)
        self.tool_lists.append((place, tools))

    def _update(self, update: Update, place: str) -> None:
        if update.reasoning is not None and update.reasoning.effort is not None:
            self.effort = update.reasoning.effort
        if update.text is not None and update.text.format is not None:
            self.text_format, self.text_place = update.text.format, f"{place}.text.format"
