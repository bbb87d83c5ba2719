"""What a request's model name and switches mean upstream (protocol notes 3.1-3.3)."""

from __future__ import annotations

from typing import Literal

import msgspec

from app.catalogue.path import NEARLY_ASSISTANT
from app.core.effort import DEPTHS
from app.core.errors import ModelNotFound
from app.core.model_name import (
    ALIAS_PREFIX,
    find_assistant_id,
    find_selected_model,
    is_nearly_assistant_id,
    strip_silent,
)
from app.core.request import Question, ReasoningDisplay
from app.exchange.transforms.options import OutputOptions
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID, ChatMode, Drawing


class Mode(msgspec.Struct, frozen=True):
    """How the upstream shall answer."""

    assistant_id: str = DEFAULT_ASSISTANT_ID
    chat_mode: ChatMode = ""
    selected_model: str = ""
    web_search: bool = False
    drawing: Drawing | None = None
    is_silent: bool = False
    """The name asks for the answer alone, without thinking and search notes."""

    @property
    def reasoning_effort(self) -> Literal["", "low", "high", "max"]:
        """The effort that goes with the chat mode; other pairs have no effect (protocol notes 3.1, 7)."""
        if self.drawing is not None:
            return "low"
        if self.chat_mode == "thinking":
            return "high"
        return "max" if self.chat_mode == "deep_thinking" else ""


def choose_mode(question: Question) -> Mode:
    """The request's own switches win over what the model's name says.

    Raises ModelNotFound for a name that nearly is an assistant's id: the default would answer in its place.
    """
    model = strip_silent(question.model)
    is_silent = model != question.model.strip()
    name = model.lower()
    if name.startswith(f"{ALIAS_PREFIX}glm"):
        name = name.removeprefix(ALIAS_PREFIX)
    assistant_id = find_assistant_id(name)
    if assistant_id == DRAWING_ASSISTANT_ID or (assistant_id is None and name.startswith("cogview")):
        return Mode(assistant_id=DRAWING_ASSISTANT_ID, drawing=Drawing())
    if assistant_id is not None:
        return Mode(
            assistant_id=assistant_id,
            chat_mode=_choose_chat_mode("", question),
            web_search=_wants_search("", question),
            is_silent=is_silent,
        )
    if is_nearly_assistant_id(name):
        raise ModelNotFound(NEARLY_ASSISTANT.fill(count=len(name)), param="model")
    return Mode(
        chat_mode=_choose_chat_mode(name, question),
        selected_model=find_selected_model(name),
        web_search=_wants_search(name, question),
        is_silent=is_silent,
    )


def choose_options(question: Question, mode: Mode, default: ReasoningDisplay) -> OutputOptions:
    """What is done to the answer: the request's field wins over the model's name, and that over `default`."""
    return OutputOptions(
        reasoning=question.reasoning or ("hidden" if mode.is_silent else default),
        hides_citations=mode.is_silent or question.json_output is not None,
        stop=question.stop,
        max_tokens=question.max_tokens,
    )


def _choose_chat_mode(name: str, question: Question) -> ChatMode:
    if question.deep_research or "deepresearch" in name or "deep-research" in name:
        return "deep_research"
    if question.effort is not None:
        return DEPTHS[question.effort]
    return "thinking" if "think" in name or "zero" in name else ""


def _wants_search(name: str, question: Question) -> bool:
    if question.json_output is not None:  # what a search adds to the text is no JSON
        return False
    if question.searches_natively:
        return True
    return name.endswith("-search") if question.web_search is None else question.web_search
