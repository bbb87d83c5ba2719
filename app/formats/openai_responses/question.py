"""From a Responses request to the neutral question."""

from __future__ import annotations

from app.core.errors import InvalidRequest
from app.core.request import Question, TextPart, Turn
from app.core.tool import JsonOutput
from app.formats.openai_responses.item import Reference, build_turns, find_reference
from app.formats.openai_responses.request import ResponsesRequest
from app.formats.openai_responses.settings_item import InputSettings
from app.formats.openai_responses.tool import build_declared, build_json_output


def build_question(request: ResponsesRequest) -> Question:
    """What `request`, which was checked, asks. Raises InvalidRequest that names the place."""
    settings, previous = InputSettings(), request.previous
    reference = find_reference(request.input or "") if previous is None else None
    previous = reference.response_id if reference else previous
    turns = _build_turns(request, settings, reference)
    declared = build_declared(request, settings.tool_lists)
    effort = request.reasoning.effort if request.reasoning else None
    return Question(
        turns=turns,
        model=request.model,
        continued_id=previous.conversation if previous else None,
        continued_turn=previous.turn if previous else None,
        keeps_conversation=request.store is not False,
        is_stored=request.store is not False,
        turns_place="input",
        effort=settings.effort or effort,
        max_tokens=request.max_output_tokens,
        tools=declared.tools,
        choice=declared.choice,
        search_tool=declared.search_tool,
        json_output=_build_json_output(request, settings),
    )


def _build_json_output(request: ResponsesRequest, settings: InputSettings) -> JsonOutput | None:
    """An item's word about the text counts before the request's."""
    if settings.text_format is not None:
        return build_json_output(settings.text_format, settings.text_place)
    return build_json_output(request.text.format if request.text else None, "text.format")


def _build_turns(
    request: ResponsesRequest, settings: InputSettings, reference: Reference | None
) -> tuple[Turn, ...]:
    """Instructions come anew with each request, also where a conversation goes on."""
    turns = build_turns(request.input or "", settings, reference)
    if not turns:
        raise InvalidRequest("`input` holds nothing that could be answered.", param="input")
    if request.instructions:
        return (Turn("system", (TextPart(request.instructions),)), *turns)
    return turns
