"""Tools that Anthropic defines and the client runs: a request has their type and name, and no schema.

Anthropic's models know these tools; here they are described like any other, and called like any other. What
they take is what Anthropic's API calls them with, which is what clients read.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from app.formats.anthropic_messages.request import ToolSpec

Json = dict[str, Any]

_CLIENT_TYPES = (None, "custom")


class BuiltInTool(msgspec.Struct, frozen=True):
    """What Anthropic's models know of a tool; `parameters` is a JSON Schema."""

    description: str
    parameters: Json


def is_run_by_client(tool: ToolSpec) -> bool:
    """False for what Anthropic would run (`web_search_20250305`), and for types that nobody knows."""
    return tool.type in _CLIENT_TYPES or find_built_in(tool) is not None


def find_built_in(tool: ToolSpec) -> BuiltInTool | None:
    """None for tools that bring a schema of their own, and for those that the client does not run."""
    kind = tool.type or ""
    name, _, date = kind.rpartition("_")
    if not date.isdecimal():
        return None
    if name == "computer":
        return _describe_computer(tool)
    return _TOOLS.get(kind) or _TOOLS.get(name)


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


def _integer(description: str) -> Json:
    return {"type": "integer", "description": description}


def _integers(count: int, description: str) -> Json:
    items: Json = {"type": "integer"}
    return {"type": "array", "items": items, "minItems": count, "maxItems": count, "description": description}


def _one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


_EDITING: Json = {
    "path": _text("The file or directory, as an absolute path."),
    "view_range": _integers(2, "Of view: the first line and the last, counted from 1; -1 is the end."),
    "file_text": _text("Of create: all of the file."),
    "old_str": _text("Of str_replace: the text to replace, which stands in the file exactly once."),
    "new_str": _text("Of str_replace: the new text."),
    "insert_line": _integer("Of insert: the line behind which the text goes; 0 is the beginning."),
}
_INSERT_TEXT = _text("Of insert: the text.")

_TEXT_EDITOR = BuiltInTool(
    "Views a file or lists a directory (view), writes a new file (create), replaces a text in a file "
    "(str_replace), inserts a text behind a line (insert).",
    _object(
        {
            "command": _one_of("view", "create", "str_replace", "insert"),
            **_EDITING,
            "insert_text": _INSERT_TEXT,
        },
        "command",
        "path",
    ),
)
# Until 2025-01-24; what it inserts is called `new_str`.
_FIRST_TEXT_EDITOR = BuiltInTool(
    "Views a file or lists a directory (view), writes a new file (create), replaces a text in a file "
    "(str_replace), inserts a text behind a line (insert), takes back the last edit of a file (undo_edit).",
    _object(
        {
            "command": _one_of("view", "create", "str_replace", "insert", "undo_edit"),
            **_EDITING,
            "new_str": _text("Of str_replace and insert: the new text."),
        },
        "command",
        "path",
    ),
)

# By type, or by type without the date for every other version.
_TOOLS: dict[str, BuiltInTool] = {
    "bash": BuiltInTool(
        "Runs a command in a bash shell that stays open between calls, and gives what it prints.",
        _object(
            {
                "command": _text("The command line."),
                "restart": {"type": "boolean", "description": "true begins a new shell and runs no command."},
            },
            "command",
        ),
    ),
    "memory": BuiltInTool(
        "Files under /memories, which last longer than this conversation. Look there first for what is known "
        "(view), and note what later conversations need (create, str_replace, insert, delete, rename).",
        _object(
            {
                "command": _one_of("view", "create", "str_replace", "insert", "delete", "rename"),
                **_EDITING,
                "path": _text("Of all commands but rename: the file or directory, beginning with /memories."),
                "insert_text": _INSERT_TEXT,
                "old_path": _text("Of rename: the path as it is."),
                "new_path": _text("Of rename: the new path."),
            },
            "command",
        ),
    ),
    "text_editor": _TEXT_EDITOR,
    "text_editor_20250124": _FIRST_TEXT_EDITOR,
    "text_editor_20241022": _FIRST_TEXT_EDITOR,
}

_FIRST_ACTIONS = (
    "screenshot", "cursor_position", "mouse_move", "left_click", "left_click_drag", "right_click",
    "middle_click", "double_click", "key", "type",
)  # fmt: skip
_LATER_ACTIONS = ("triple_click", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait")

_FIRST_INPUTS: Json = {
    "coordinate": _integers(2, "Where, in pixels from the left and the top; of a drag, where it ends."),
    "text": _text("Of type: the text. Of key: the keys (ctrl+s, Return)."),
}
_LATER_INPUTS: Json = {
    "text": _text(
        "Of type: the text. Of key and hold_key: the keys (ctrl+s, Return). Of clicks, drags and scroll: "
        "keys that are held down meanwhile."
    ),
    "start_coordinate": _integers(2, "Of left_click_drag: where it begins."),
    "scroll_direction": _one_of("up", "down", "left", "right"),
    "scroll_amount": _integer("Of scroll: how many clicks of the wheel."),
    "duration": {"type": "number", "description": "Of hold_key and wait: how many seconds."},
}
_REGION = _integers(4, "Of zoom: left, top, right and bottom of the part of the screen to be seen.")


def _describe_computer(tool: ToolSpec) -> BuiltInTool:
    """The request says how large the screen is."""
    size = f"{tool.display_width_px or '?'} x {tool.display_height_px or '?'}"
    return BuiltInTool(
        f"Sees a screen of {size} pixels and works it with mouse and keyboard. Take a screenshot first, and "
        "again to see what an action did.",
        _build_computer_inputs(is_first=tool.type == "computer_20241022", has_zoom=tool.enable_zoom is True),
    )


# All requests share the few that there are, however many tools one declares.
@cache
def _build_computer_inputs(*, is_first: bool, has_zoom: bool) -> Json:
    actions: tuple[str, ...] = _FIRST_ACTIONS
    inputs = _FIRST_INPUTS
    if not is_first:
        actions, inputs = (*actions, *_LATER_ACTIONS), inputs | _LATER_INPUTS
    if has_zoom:
        actions, inputs = (*actions, "zoom"), inputs | {"region": _REGION}
    return _object({"action": _one_of(*actions), **inputs}, "action")
