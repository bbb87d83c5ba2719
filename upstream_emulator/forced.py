"""What the friendly answer says where the prompt insists on a call, or on JSON: an example of what is wanted.

The prompt says what that is as the gateway writes it: the functions in lines of JSON below their heading, the
choice and the schema behind everything else.
"""

from __future__ import annotations

import json
import re
from typing import Any

from upstream_emulator.agent import find_word
from upstream_emulator.filling import fill
from upstream_emulator.frame import Json

_FUNCTIONS = "# Functions\n"
_RULES = "\n\nTo call a function, "
_CALL_WANTED = "\nAnswer this turn with "
_JSON_WANTED = "ready for a JSON parser"
# In how many places of a prompt a schema is looked for.
MAX_BRACES = 500

_RESULT = re.compile(r"^\[Result of (.+?) #\d+", re.MULTILINE)


def write_forced(prompt: str, word: str, greeting: str) -> str | None:
    """The call or the JSON, None where neither is insisted on. `word` is what their texts say."""
    if _CALL_WANTED in prompt.rpartition(_RULES)[2] and (functions := _read_functions(prompt)):
        return _write_call(prompt, functions, word)
    _, mark, rest = prompt.rpartition(_JSON_WANTED)
    if not mark:
        return None
    schema = _read_schema(rest) or _find_schema(prompt)
    return _write_json({"text": greeting} if schema is None else fill(schema, word))


def _write_call(prompt: str, functions: list[Json], word: str) -> str:
    """Of the first function that has no result yet, so that an agent's last one comes to its turn."""
    answered = set(_RESULT.findall(prompt.rpartition("\n[User]\n")[2]))
    waiting = [function for function in functions if function["name"] not in answered]
    function = waiting[0] if waiting else functions[-1]
    arguments = _write_json(fill(function.get("parameters", {}) | {"type": "object"}, word))
    opener = find_word(prompt)
    return f'<{opener} name="{function["name"]}">{arguments}</{opener}>'


def _read_functions(prompt: str) -> list[Json]:
    section = prompt.partition(_FUNCTIONS)[2].partition("\n\n")[0]
    lines = [_decode(line, 0)[0] for line in section.split("\n") if line.startswith('{"name":')]
    return [function for function in lines if isinstance(function, dict)]


def _read_schema(text: str) -> Any:
    """None where no schema stands behind the mark."""
    return _decode(text, 2)[0] if text.startswith(":\n") else None


def _find_schema(prompt: str) -> Any:
    """The last one of an object among the words, where clients write it themselves; None without one."""
    found, place = None, prompt.find("{")
    for _ in range(MAX_BRACES):
        if place < 0:
            break
        value, end = _decode(prompt, place)
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            found = value
        place = prompt.find("{", end)
    return found


def _decode(text: str, place: int) -> tuple[Any, int]:
    """The JSON value that begins there and where it ends; None, and the next place, where there is none."""
    try:
        return json.JSONDecoder().raw_decode(text, place)
    except (ValueError, RecursionError):
        return None, place + 1


def _write_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
