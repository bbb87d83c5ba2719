"""From a Responses request to the neutral question."""

from __future__ import annotations

from app.core.errors import InvalidRequest
from app.core.request import Question, TextPart, Turn
from app.formats.openai_responses.item import Reference, build_turns, find_reference
from app.formats.openai_responses.request import ResponsesRequest
from app.formats.openai_responses.tool import build_declared, build_json_output


def build_question(request: ResponsesRequest) -> Question:
    """What `request`, which was checked, asks. Raises InvalidRequest that names the place."""
    declared, previous = build_declared(request), request.previous
    reference = find_reference(request.input or "") if previous is None else None
    previous = reference.response_id if reference else previous
    return Question(
        turns=_build_turns(request, reference),
        model=request.model,
        continued_id=previous.conversation if previous else None,
        continued_turn=previous.turn if previous else None,
        keeps_conversation=request.store is not False,
        is_stored=request.store is not False,
        turns_place="input",
        effort=request.reasoning.effort if request.reasoning else None,
        max_tokens=request.max_output_tokens,
        tools=declared.tools,
        choice=declared.choice,
        search_tool=declared.search_tool,
        json_output=build_json_output(request),
    )


def _build_turns(request: ResponsesRequest, reference: Reference | None) -> tuple[Turn, ...]:
    """Instructions come anew with each request, also where a conversation goes on."""
    turns = build_turns(request.input or "", reference)
    if not turns:
        raise InvalidRequest("`input` holds nothing that could be answered.", param="input")
    if request.instructions:
        return (Turn("system", (TextPart(request.instructions),)), *turns)
    return turns
