"""One question that wants a tool, and what came of it: how the model of an account calls tools. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from app.catalogue.message import Message
from app.core.event import ReplyEvent, ToolCalled
from app.core.tool import Tool
from app.doctor import messages
from app.doctor.finding import Finding, note, ok
from app.metrics.counters import Counters

TOOL_QUESTION = "用 get_order_status 查询订单 4711 现在的状态，然后告诉我。"
TOOL = Tool(
    "get_order_status",
    "The state of an order of the user's shop.",
    {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
)
_ARGUMENTS = {"number": 4711}
_ROUTES = {
    "text": messages.TOOLS_BY_TEXT,
    "native": messages.TOOLS_BY_PART,
    "thinking": messages.TOOLS_BY_THINKING,
}
_FORMS = {
    "dialect": messages.TOOLS_DIALECT,
    "native": messages.TOOLS_NATIVE,
    "function_call": messages.TOOLS_FUNCTION_CALL,
}


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """The arguments of the calls; `route` and `form` are empty where they are not known."""

    calls: tuple[str, ...]
    route: str = ""
    form: str = ""
    was_corrected: bool = False


def read_answer(events: Iterable[ReplyEvent], counters: Counters) -> ToolAnswer:
    """`counters` know what no event tells; they are those of a gateway that counted no other calls."""
    calls = tuple([event.arguments for event in events if isinstance(event, ToolCalled)])
    route, form = next(iter(counters.tool_calls), ("", ""))
    return ToolAnswer(calls, route, form, was_corrected=counters.answer_checks["corrected"] > 0)


def judge_answer(answer: ToolAnswer, subject: str, seconds: float) -> Finding:
    """What a good answer says of the model; nothing of it is a failure."""
    if not answer.calls:
        return note(messages.TOOLS, messages.TOOLS_WORDS, subject, seconds=seconds)
    values: dict[str, object] = {"seconds": seconds, "how": _say_how(answer)}
    if not all(_is_right(call) for call in answer.calls):
        return note(messages.TOOLS, messages.TOOLS_WRONG, subject, **values)
    if answer.was_corrected:
        return note(messages.TOOLS, messages.TOOLS_CORRECTED, subject, **values)
    return ok(messages.TOOLS, messages.TOOLS_GOOD, subject, **values)


def _say_how(answer: ToolAnswer) -> Message:
    """By which route and in which form; a running gateway tells that in its metrics alone."""
    if not answer.route:
        return messages.TOOLS_SEE_METRICS
    route, form = _ROUTES[answer.route], _FORMS[answer.form]
    return Message(f"{route.en}, {form.en}", f"{route.zh}，{form.zh}")


def _is_right(arguments: str) -> bool:
    try:
        return bool(json.loads(arguments) == _ARGUMENTS)
    except ValueError:
        return False
