"""Tools that clients run themselves and declare by a type alone: what the model hears, and their calls.

The shapes are those of OpenAI's own types (openai-python 3: FunctionShellToolParam, LocalShellCall,
ResponseApplyPatchToolCall).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from app.core.half_pair import mend_half_pairs
from app.core.tool import Tool
from app.hub import cooperate

_MAX_SKILLS = 1000
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 1}

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class ClientTool(msgspec.Struct, frozen=True):
    """`type` is its name too. A call is an item of type `call_type`, whose `field` holds the arguments."""

    type: str
    description: str
    parameters: dict[str, Any]
    call_type: str
    item_word: str
    """With it the id of such an item begins."""
    field: str
    otherwise: dict[str, Any]
    """What stands in `field` where the model says nothing of it."""

    def declare(self, place: str, more: str = "") -> Tool:
        description = "\n".join(filter(None, (self.description, more)))
        return Tool(self.type, description, self.parameters, place=place)

    def build_field(self, arguments: str) -> dict[str, Any]:
        """`arguments`, a JSON object, as clients read them: what they do not know is left out.

        So is null, which the AI SDK refuses where OpenAI's own types allow it.
        """
        known = self.parameters["properties"]
        given = _read_object(arguments.encode()).items()
        return self.otherwise | {name: value for name, value in given if name in known and value is not None}


def _read_object(data: bytes) -> dict[str, Any]:
    """Half a surrogate pair in it is U+FFFD."""
    try:
        return _decode_object(data)
    except msgspec.DecodeError:
        mended = mend_half_pairs(data, cooperate)
        if mended is None:
            raise
    return _decode_object(mended)


_SHELL = ClientTool(
    "shell",
    "Runs commands in a shell of the user's machine, one after another. What each writes comes back, and "
    "its exit code.",
    {
        "type": "object",
        "properties": {
            "commands": {"type": "array", "items": _TEXT, "minItems": 1},
            "timeout_ms": {**_COUNT, "description": "How long all of them may take."},
            "max_output_length": {**_COUNT, "description": "How many characters of output come back."},
        },
        "required": ["commands"],
    },
    "shell_call",
    "sh",
    "action",
    {"commands": [], "timeout_ms": None, "max_output_length": None},
)
_LOCAL_SHELL = ClientTool(
    "local_shell",
    "Runs one program on the user's machine. What it writes comes back.",
    {
        "type": "object",
        "properties": {
            "command": {
                "type": "array",
                "items": _TEXT,
                "minItems": 1,
                "description": 'The program and its arguments, as ["bash", "-lc", "ls -la"].',
            },
            "env": {"type": "object", "additionalProperties": _TEXT},
            "timeout_ms": _COUNT,
            "user": _TEXT,
            "working_directory": _TEXT,
        },
        "required": ["command"],
    },
    "local_shell_call",
    "lsh",
    "action",
    {"type": "exec", "command": [], "env": {}},
)
_APPLY_PATCH = ClientTool(
    "apply_patch",
    "Creates, changes or deletes one file.\n"
    "`diff` of create_file: every line of the file behind a `+`.\n"
    "`diff` of update_file: one or more pieces of the file, in order. A piece begins with a line `@@`, or "
    "`@@ ` and the line of the file that it stands under, such as the head of its function. Then come its "
    "lines: those that stay behind a space, those that go behind a `-`, new ones behind a `+`, with three "
    "that stay before and behind the change. There are no line numbers and no names of files in it.\n"
    "delete_file has no `diff`.",
    {
        "type": "object",
        "properties": {
            "type": {"enum": ["create_file", "update_file", "delete_file"]},
            "path": {**_TEXT, "description": "Relative to the root of the workspace."},
            "diff": _TEXT,
        },
        "required": ["type", "path"],
    },
    "apply_patch_call",
    "apc",
    "operation",
    {"diff": ""},
)
CLIENT_TOOLS = {tool.type: tool for tool in (_SHELL, _LOCAL_SHELL, _APPLY_PATCH)}


class Skill(msgspec.Struct, frozen=True):
    name: str = ""
    description: str = ""
    path: str = ""


class Environment(msgspec.Struct, frozen=True):
    """Where a shell runs: `local` is the client's machine, anything else is OpenAI's."""

    type: str = "local"
    skills: Annotated[list[Skill], msgspec.Meta(max_length=_MAX_SKILLS)] | None = None


class Declaration(msgspec.Struct, frozen=True):
    type: str
    environment: Environment | None = None


def read_client_tool(declared: Declaration, place: str) -> Tool | None:
    """None for a shell that the client does not run."""
    environment = declared.environment or Environment()
    if environment.type != "local":
        return None
    return CLIENT_TOOLS[declared.type].declare(place, _tell_skills(environment.skills or ()))


def _tell_skills(skills: Iterable[Skill]) -> str:
    told = [f"- {skill.name}: {skill.description} ({skill.path})" for skill in skills]
    return "\n".join(["Skills, each a folder whose SKILL.md says how it is done:", *told]) if told else ""


def find_client_tools(tools: Iterable[Tool]) -> dict[str, ClientTool]:
    """Those among the declared tools, by name; a function of the same name has a schema of its own."""
    known = ((tool, CLIENT_TOOLS.get(tool.name)) for tool in tools)
    return {tool.name: found for tool, found in known if found and tool.parameters is found.parameters}
