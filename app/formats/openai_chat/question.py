"""From a chat completion request to the neutral question."""

from __future__ import annotations

from app.core.errors import InvalidRequest
from app.core.request import Call, Question, Role, Turn
from app.formats.openai_chat import request as openai
from app.formats.openai_chat.content import build_content
from app.formats.openai_chat.foreign import choose_display, choose_effort, choose_search
from app.formats.openai_chat.tool import (
    build_calls,
    build_choice,
    build_json_output,
    build_tools,
    check_choice,
)

_DEFAULT_MODEL = "glm"
# The last five are the words of other providers.
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
    "model": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "human": "user",
    "observation": "tool",
}


def build_question(request: openai.ChatRequest) -> Question:
    """What `request`, which was checked, asks."""
    tools, choice = build_tools(request), build_choice(request)
    check_choice(request, tools, choice)
    return Question(
        turns=tuple([_build_turn(message, index) for index, message in enumerate(request.messages)]),
        model=request.model or _DEFAULT_MODEL,
        continued_id=request.continued_id,
        effort=choose_effort(request),
        web_search=choose_search(request),
        deep_research=request.deep_research is True,
        reasoning=choose_display(request),
        stop=request.stop_sequences,
        max_tokens=request.token_limit,
        tools=tools,
        choice=choice,
        json_output=build_json_output(request),
    )


def _build_turn(message: openai.Message, index: int) -> Turn:
    role = _ROLES.get(message.role.strip().lower())
    if role is None:
        raise InvalidRequest(
            f"`messages.{index}.role` must be system, developer, user, assistant or tool.",
            param=f"messages.{index}.role",
        )
    said = build_content(message, role, f"messages.{index}.content")
    return Turn(
        role=role,
        parts=tuple([part for part in said if not isinstance(part, Call)]),
        name=message.name or "",
        calls=(*[part for part in said if isinstance(part, Call)], *build_calls(message)),
        call_id=str(message.tool_call_id or ""),
    )
