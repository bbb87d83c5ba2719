"""Answers that are not what their request needs, also when asked again: a branch of app/errors.py.

UpstreamError
└── AnswerUnusable         502
    ├── ToolCallMalformed  502  a tool call that cannot be read
    ├── ToolChoiceUnmet    502  no tool call, where one was required
    └── JsonNotValid       502  not the JSON that was asked for
"""

from __future__ import annotations

from app.core.errors import Outcome, UpstreamError


class AnswerUnusable(UpstreamError):
    """The account has done its part, and the question was asked twice already."""

    outcome = Outcome.ABANDONED
    should_retry = False


class ToolCallMalformed(AnswerUnusable):
    code = "tool_call_malformed"


class ToolChoiceUnmet(AnswerUnusable):
    code = "tool_choice_unmet"


class JsonNotValid(AnswerUnusable):
    code = "json_not_valid"
