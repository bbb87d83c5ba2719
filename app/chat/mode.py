"""What a request's model name and switches mean upstream (protocol notes 3.1-3.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.catalogue.path import NEARLY_ASSISTANT
from app.core.effort import DEPTHS
from app.core.errors import ModelNotFound
from app.core.request import Question, ReasoningDisplay
from app.exchange.transforms.options import OutputOptions
from app.upstream.request import DEFAULT_ASSISTANT_ID, DRAWING_ASSISTANT_ID, ChatMode, Drawing

_ASSISTANT_ID = re.compile(r"[0-9a-f]{24}")
# Somebody lost a digit, or took one too many: no model is named so.
_NEARLY_ASSISTANT_ID = re.compile(r"[0-9a-f]{20,28}")
_SILENT = re.compile(r"-silent(?=-|$)", re.IGNORECASE)
# `glm-<digit>...` up to the words that are switches here (protocol notes 0.2 row 16).
_SELECTED_MODEL = re.compile(
    r"glm-\d[a-z0-9.]*(?:-(?!think|zero|search|deep-?research|silent)[a-z0-9.]+)*", re.IGNORECASE
)

ALIAS_PREFIX = "claude-"
"""Some clients list names alone that begin so; before `glm` it changes nothing."""

# The names /v1/models offers; any other name works and means the default assistant.
MODELS = (
    "glm",
    "glm-think",
    "glm-search",
    "glm-think-search",
    "glm-deepresearch",
    "glm-5.3",
    "glm-5.3-flash",
    "cogview-3",
)


@dataclass(frozen=True, slots=True)
class Mode:
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
    model = _SILENT.sub("", question.model.strip())
    is_silent = model != question.model.strip()
    name = model.lower()
    if name.startswith(f"{ALIAS_PREFIX}glm"):
        name = name.removeprefix(ALIAS_PREFIX)
    if name == DRAWING_ASSISTANT_ID or name.startswith("cogview"):
        return Mode(assistant_id=DRAWING_ASSISTANT_ID, drawing=Drawing())
    if _ASSISTANT_ID.fullmatch(name):
        return Mode(
            assistant_id=name,
            chat_mode=_choose_chat_mode("", question),
            web_search=_wants_search("", question),
            is_silent=is_silent,
        )
    if _NEARLY_ASSISTANT_ID.fullmatch(name):
        raise ModelNotFound(NEARLY_ASSISTANT.fill(count=len(name)), param="model")
    selected = _SELECTED_MODEL.match(name)
    return Mode(
        chat_mode=_choose_chat_mode(name, question),
        selected_model=selected.group() if selected else "",
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
