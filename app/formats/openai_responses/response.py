"""The response object around the items, with what the request said of it."""

from __future__ import annotations

from typing import Any

import msgspec

from app.core.event import FinishReason
from app.core.usage import Usage
from app.formats.format import ReplyHead
from app.formats.openai_responses.client_tool import ClientTool
from app.formats.openai_responses.identity import ResponseId
from app.formats.openai_responses.request import Choice, ResponsesRequest

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseBody(msgspec.Struct, frozen=True):
    """One answer's object in its three states. `echo` is what the request said (`build_echo`).

    `client_tools` are those whose calls are items of their own types, by name.
    """

    head: ReplyHead
    echo: dict[str, Any]
    client_tools: dict[str, ClientTool]

    @property
    def id(self) -> ResponseId:
        return ResponseId(self.head.id, self.head.turn)

    def build_begun(self) -> dict[str, Any]:
        return self._build("in_progress", [])

    def build_failed(self, items: list[dict[str, Any]], error: dict[str, Any]) -> dict[str, Any]:
        """`error` is the body of a failure; a response's own knows a code and a message."""
        told = {"code": error["error"]["code"], "message": error["error"]["message"]}
        return self._build("failed", items) | {"error": told}

    def build_finished(
        self, items: list[dict[str, Any]], usage: Usage, reason: FinishReason
    ) -> dict[str, Any]:
        cause = _INCOMPLETE.get(reason)
        response = self._build("incomplete" if cause else "completed", items)
        details = {"reason": cause} if cause else None
        return response | {"incomplete_details": details, "usage": build_usage(usage)}

    def _build(self, status: str, items: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "object": "response",
            "created_at": self.head.created,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self.head.model,
            "output": items,
            "usage": None,
            **self.echo,
        }


def build_usage(usage: Usage) -> dict[str, object]:
    completion = usage.completion_tokens
    return {
        "input_tokens": usage.prompt.tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning.tokens},
        "total_tokens": usage.prompt.tokens + completion,
    }


def build_echo(request: ResponsesRequest) -> dict[str, Any]:
    """What the object repeats of its request: not what may be large, which is tools, instructions, schema."""
    reasoning, choice = request.reasoning, request.tool_choice
    if isinstance(choice, Choice):
        choice_echo: Any = {"type": choice.type, **({"name": choice.name} if choice.name else {})}
    else:
        choice_echo = choice or "auto"
    return {
        "background": False,
        "instructions": None,
        "max_output_tokens": request.max_output_tokens,
        "max_tool_calls": request.max_tool_calls,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id or None,
        "reasoning": {
            "effort": reasoning.effort if reasoning else None,
            "summary": (reasoning.summary or reasoning.generate_summary) if reasoning else None,
        },
        "service_tier": "default",
        "store": request.store is not False,
        "temperature": request.temperature,
        "text": _echo_text(request),
        "tool_choice": choice_echo,
        "tools": [],
        "top_p": request.top_p,
        "truncation": request.truncation or "disabled",
    }


def _echo_text(request: ResponsesRequest) -> dict[str, Any]:
    text = request.text
    wanted = text.format if text else None
    shown = {"type": wanted.type if wanted else "text"}
    if wanted is not None and wanted.name is not None:
        shown["name"] = wanted.name
    return {"format": shown, "verbosity": (text.verbosity if text else None) or "medium"}
