"""Switches in the spelling of other APIs: what they say of thinking and of web search, in our own words.

GLM's own API, Qwen's, OpenRouter's, Groq's and those of vLLM, SGLang, llama.cpp and Ollama each have their
own (docs/features.md has the table). A field of theirs that cannot be understood says nothing, as any unknown
field. What is read first wins over what is read after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from app.core.effort import Effort, read_effort, read_switch
from app.core.errors import InvalidRequest
from app.core.request import ReasoningDisplay
from app.formats.json_body import decode_value
from app.formats.openai_chat.request import NO_VALUE, ChatRequest, ToolSpec

_DISPLAYS: tuple[ReasoningDisplay, ...] = ("content", "tags", "hidden")
# Words of Groq and llama.cpp.
_FORMATS: Mapping[object, ReasoningDisplay] = {
    "parsed": "content",
    "deepseek": "content",
    "raw": "tags",
    "hidden": "hidden",
}
_SWITCH_WORDS = {"enabled": True, "true": True, "on": True, "disabled": False, "false": False, "off": False}
# An effort that leaves it to the model's name.
_NO_EFFORT = frozenset({"", "auto", "default", "adaptive"})
# Far beyond what such a field holds.
_MAX_SWITCH_BYTES = 16 * 1024
_decode = msgspec.json.Decoder().decode


def choose_effort(request: ChatRequest) -> Effort | None:
    """How much to think, None where nothing says it. Raises InvalidRequest for an unknown effort."""
    word = request.reasoning_effort
    if word is not None and word.strip().lower() not in _NO_EFFORT:
        effort = read_effort(word)
        if effort is None:
            raise InvalidRequest(
                "`reasoning_effort` must be none, minimal, low, medium, high, xhigh or max.",
                param="reasoning_effort",
            )
        return effort
    return next((effort for effort in _list_efforts(request) if effort is not None), None)


def _list_efforts(request: ChatRequest) -> Iterator[Effort | None]:
    for name, read in _EFFORT_READERS.items():
        field = getattr(request, name)
        if field is not NO_VALUE:
            yield read(_read(field))


def _read_reasoning(value: object) -> Effort | None:
    """OpenRouter's object, or a mere switch; our own words say where, not how much."""
    if not isinstance(value, dict):
        return read_switch(is_on=value) if isinstance(value, bool) else None
    if value.get("enabled") is False:
        return "none"
    effort = _read_word(value.get("effort"))
    if effort is not None:
        return effort
    budget = value.get("max_tokens")
    if isinstance(budget, int) and not isinstance(budget, bool):
        return read_switch(is_on=budget > 0)
    return _read_word(value.get("enabled"))


def _read_thinking(value: object) -> Effort | None:
    """GLM's own `{"type": "enabled"}`, or a mere switch; `auto` and `adaptive` say nothing."""
    if isinstance(value, dict):
        kind = value.get("type")
        return _read_word(value.get("enabled") if kind is None else kind)
    return _read_word(value)


def _read_word(value: object) -> Effort | None:
    """A switch, or an effort by its name."""
    if isinstance(value, str):
        is_on = _SWITCH_WORDS.get(value.strip().lower())
        return read_effort(value) if is_on is None else read_switch(is_on=is_on)
    return read_switch(is_on=value) if isinstance(value, bool) else None


def _read_template(value: object) -> Effort | None:
    """What vLLM and SGLang hand on to the template of the model."""
    said = value if isinstance(value, dict) else {}
    words = (said.get("reasoning_effort"), said.get("enable_thinking"), said.get("thinking"))
    return next((effort for effort in map(_read_word, words) if effort is not None), None)


_EFFORT_READERS: Mapping[str, Callable[[object], Effort | None]] = {
    "reasoning": _read_reasoning,
    "thinking": _read_thinking,
    "enable_thinking": _read_word,
    "think": _read_word,
    "chat_template_kwargs": _read_template,
}
"""By the name of the field, in the order in which they count."""


def choose_display(request: ChatRequest) -> ReasoningDisplay | None:
    """Where thinking is shown, None where nothing says it. Raises InvalidRequest for an unknown word."""
    display = _read_display(_read(request.reasoning))
    if display is not None:
        return display
    if _read(request.include_reasoning) is False:
        return "hidden"
    word = _read(request.reasoning_format)
    return _FORMATS.get(word) if isinstance(word, str) else None


def _read_display(value: object) -> ReasoningDisplay | None:
    """Our own words, or OpenRouter's object; a mere switch says nothing of where."""
    if isinstance(value, dict):
        return "hidden" if value.get("exclude") is True else None
    if value in _DISPLAYS:
        return value
    if value not in (None, "", []) and not isinstance(value, bool):
        raise InvalidRequest("`reasoning` must be content, tags or hidden.", param="reasoning")
    return None


def choose_search(request: ChatRequest) -> bool | None:
    """Whether to search the web, None where nothing says it."""
    if request.web_search is not None:
        return request.web_search
    if request.web_search_options is not None:
        return True
    is_enabled = _read(request.enable_search)
    if isinstance(is_enabled, bool):
        return is_enabled
    plugins = _read(request.plugins)
    if isinstance(plugins, list) and any(isinstance(one, dict) and one.get("id") == "web" for one in plugins):
        return True
    return _read_search_tool(request.tools) if request.tools else None


def _read_search_tool(tools: list[ToolSpec]) -> bool | None:
    """The search tool of GLM's own API, where it is the only tool: beside others it would go unheard."""
    if len(tools) != 1 or tools[0].type != "web_search":
        return None
    said = _read(tools[0].web_search)
    return not isinstance(said, dict) or said.get("enable") not in (False, "False", "false")


def _read(field: msgspec.Raw) -> Any:
    """The value of a field that is no larger than it may be, else None."""
    if field is NO_VALUE:  # as nearly all of them are
        return None
    return decode_value(_decode, field) if memoryview(field).nbytes <= _MAX_SWITCH_BYTES else None
