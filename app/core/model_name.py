"""What a model's name means to this gateway, before anybody is asked. Pure.

Names that begin with `glm` or `cogview` are the gateway's own, and so is an assistant's id, alone or behind
anything and a dash: `写作-65940acff94777010aa6b796` is how /v1/models tells whose an id is, and is understood
without a list.
"""

from __future__ import annotations

import re

ALIAS_PREFIX = "claude-"
"""Some clients list names alone that begin so; before `glm` it changes nothing."""

# The names /v1/models always offers; any other name works and means the default assistant.
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

_OWN = ("glm", f"{ALIAS_PREFIX}glm", "cogview")
# Made of letters alone, and what programs send where nobody chose.
_BUILT_IN = frozenset(("auto", "chatgpt", "claude", "default", "gpt", "model", "none", "null", "undefined"))
_ASSISTANT_ID = re.compile(r"[0-9a-f]{24}")
_NAMED_ASSISTANT = re.compile(rf"(?:.*-)?({_ASSISTANT_ID.pattern})", re.DOTALL)
# Somebody lost a digit, or took one too many: no model is named so.
_NEARLY_ASSISTANT_ID = re.compile(r"[0-9a-f]{20,28}")
_SILENT = re.compile(r"-silent(?=-|$)", re.IGNORECASE)
# `glm-<digit>...` up to the words that are switches here (protocol notes 0.2 row 16).
_SELECTED_MODEL = re.compile(
    r"glm-\d[a-z0-9.]*(?:-(?!think|zero|search|deep-?research|silent)[a-z0-9.]+)*", re.IGNORECASE
)


def strip_silent(name: str) -> str:
    """Without the ending that asks for the answer alone, and without blanks around."""
    return _SILENT.sub("", name.strip())


def find_assistant_id(name: str) -> str | None:
    """The id that `name` is or ends with, in lower case."""
    found = _NAMED_ASSISTANT.fullmatch(name.lower())
    return found[1] if found else None


def is_assistant_id(text: str) -> bool:
    return _ASSISTANT_ID.fullmatch(text) is not None


def is_nearly_assistant_id(name: str) -> bool:
    """Also where it is one."""
    return _NEARLY_ASSISTANT_ID.fullmatch(name) is not None


def find_selected_model(name: str) -> str:
    """What of `name` selects a model of the web chat; empty where nothing does."""
    found = _SELECTED_MODEL.match(name)
    return found.group() if found else ""


def may_name_assistant(name: str) -> bool:
    """Whether `name` may be an assistant's: it has no meaning here, and nobody sends it for a model.

    Who made an assistant that somebody uses may rename it: were it `gpt-4o` from then on, it would be told
    all that programs ask by their built-in names. So ASCII words are no assistant's that have more than
    letters and blanks.
    """
    folded = name.strip().lower()
    if folded.startswith(_OWN) or is_nearly_assistant_id(folded) or find_assistant_id(folded) is not None:
        return False
    return folded not in _BUILT_IN and (not folded.isascii() or folded.replace(" ", "").isalpha())
