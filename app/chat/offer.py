"""What a request offers the model and wants of it: tools, a choice of them, JSON; as text and as options."""

from __future__ import annotations

import msgspec

from app.core.errors import InvalidRequest, PromptTooLong
from app.core.request import Call, Question, Turn
from app.core.tool import CUSTOM_INPUT, JsonOutput, ToolChoice
from app.exchange.transforms.calls import CallOptions
from app.exchange.transforms.json_output import JsonOptions
from app.metrics.counters import Counters
from app.tools.dialect import Dialect
from app.tools.json_format import JsonFormat
from app.tools.json_text import encode_json
from app.tools.name import Names
from app.tools.section import SchemasTooLong, Section, build_section
from app.tools.tool import ToolsRefused, choose_tools


class Offer(msgspec.Struct, frozen=True):
    """`section` is what the prompt says of it; empty where nothing is offered or wanted."""

    names: Names
    choice: ToolChoice
    dialect: Dialect
    json_format: JsonFormat | None
    section: Section

    @property
    def has_tools(self) -> bool:
        return bool(self.names.tools)

    def build_call_options(self, read_text: str | None, counters: Counters) -> CallOptions | None:
        """How calls are read out of an answer to `read_text`, as in CallOptions; None without tools."""
        if not self.has_tools:
            return None
        return CallOptions(self.dialect, self.names, self.choice, read_text, counters)

    def build_json_options(self, counters: Counters) -> JsonOptions | None:
        return None if self.json_format is None else JsonOptions(self.json_format, counters)

    def write_call(self, call: Call) -> str:
        """A past call as the model should write the next one."""
        arguments = call.arguments
        if call.kind == "custom":
            arguments = encode_json({CUSTOM_INPUT: arguments})
        return self.dialect.write_call(self.names.alias(call.name), arguments.strip() or "{}")

    def write_result(self, turn: Turn, name: str, number: int, text: str) -> str:
        """What came of a past call; `name` is empty where the call did not come along."""
        shown = self.names.alias(name) if name else self.names.find_called(turn.call_id) or "a call"
        return self.dialect.write_result(shown, number, text, has_failed=turn.has_failed)


def offers_nothing(question: Question) -> bool:
    """Whether `build_offer` would say nothing of this question, and refuse nothing."""
    return not question.tools and question.choice.names is None and question.json_output is None


def build_offer(question: Question, dialect: Dialect) -> Offer:
    """Raises InvalidRequest that names the place, PromptTooLong where the tools alone are too long."""
    try:
        names = Names(choose_tools(question.offered_tools, question.choice))
        json_format = _build_json_format(question.json_output)
        section = build_section(names, question.choice, dialect, json_format=json_format)
    except SchemasTooLong as refused:
        raise PromptTooLong(refused.message, param=refused.place) from None
    except ToolsRefused as refused:
        raise InvalidRequest(refused.message, param=refused.place) from None
    return Offer(names, question.choice, dialect, json_format, section)


def _build_json_format(output: JsonOutput | None) -> JsonFormat | None:
    if output is None:
        return None
    try:
        return JsonFormat(output.schema)
    except ValueError as problem:
        raise InvalidRequest(f"The JSON schema cannot be used: {problem}.", param=output.place) from None
