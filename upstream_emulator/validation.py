"""The checks on a stream request's body, told in the words of the captured error (protocol notes 3.1)."""

from __future__ import annotations

import itertools
from typing import Any

from upstream_emulator.frame import Json

Location = list[str | int]

MISSING = ("field required", "value_error.missing")
NOT_A_STRING = ("str type expected", "type_error.str")
NOT_A_LIST = ("value is not a valid list", "type_error.list")
NOT_AN_OBJECT = ("value is not a valid dict", "type_error.dict")
TOO_SHORT = ("ensure this value has at least 1 items", "value_error.list.min_items")


def find_problems(body: dict[str, Any]) -> list[Json]:
    """What is wrong with a stream request, if anything. Only the first message is looked at."""
    problems = [
        *_string(body, "assistant_id", required=True),
        *_string(body, "conversation_id", required=False),
    ]
    if not isinstance(body.get("meta_data") or {}, dict):
        problems.append(build_problem(["meta_data"], NOT_AN_OBJECT))
    return problems + _message_problems(body.get("messages"))


def build_validation_error(problems: list[Json]) -> Json:
    return {"validation_error": {"body_params": problems}}


def question_of(body: dict[str, Any]) -> str:
    """The text of the first message of a valid body; parts of other types say nothing."""
    parts = body["messages"][0]["content"]
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def _string(body: dict[str, Any], name: str, *, required: bool) -> list[Json]:
    value = body.get(name)
    if value is None:
        return [build_problem([name], MISSING)] if required else []
    return [] if isinstance(value, str) else [build_problem([name], NOT_A_STRING)]


def _message_problems(messages: object) -> list[Json]:
    if messages is None:
        return [build_problem(["messages"], MISSING)]
    if not isinstance(messages, list):
        return [build_problem(["messages"], NOT_A_LIST)]
    if not messages:
        return [build_problem(["messages"], TOO_SHORT)]
    if not isinstance(messages[0], dict):
        return [build_problem(["messages", 0], NOT_AN_OBJECT)]
    return _content_problems(messages[0].get("content"), ["messages", 0, "content"])


def _content_problems(content: object, location: Location) -> list[Json]:
    if content is None:
        return [build_problem(location, MISSING)]
    if not isinstance(content, list):
        return [build_problem(location, NOT_A_LIST)]
    problems = (_part_problems(part, [*location, index]) for index, part in enumerate(content))
    return list(itertools.chain.from_iterable(problems))


def _part_problems(part: object, location: Location) -> list[Json]:
    if not isinstance(part, dict):
        return [build_problem(location, NOT_AN_OBJECT)]
    if not isinstance(part.get("type"), str):
        return [build_problem([*location, "type"], MISSING)]
    if part["type"] == "text" and not isinstance(part.get("text"), str):
        return [build_problem([*location, "text"], NOT_A_STRING)]
    return []


def build_problem(location: Location, what: tuple[str, str]) -> Json:
    return {"loc": location, "msg": what[0], "type": what[1]}
