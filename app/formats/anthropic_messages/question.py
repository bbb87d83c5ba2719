"""From a Messages request to the neutral question."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from app.core.effort import Effort, read_effort, read_switch
from app.core.errors import InvalidRequest
from app.core.request import Question, ReasoningDisplay, Turn
from app.formats.anthropic_messages.content import (
    Placed,
    build_parts,
    build_system_parts,
    place_blocks,
    read_result,
)
from app.formats.anthropic_messages.request import Message, MessagesRequest
from app.formats.anthropic_messages.tool import (
    build_calls,
    build_declared,
    build_json_output,
)


def build_question(request: MessagesRequest) -> Question:
    """What `request`, which was checked, asks. Raises InvalidRequest that names the place."""
    declared = build_declared(request)
    return Question(
        turns=_build_turns(request),
        model=request.model,
        keeps_conversation=False,  # no client of this API comes back by id
        effort=_choose_effort(request),
        reasoning=_choose_display(request),
        stop=tuple(request.stop_sequences or ()),
        max_tokens=request.max_tokens,
        tools=declared.tools,
        choice=declared.choice,
        search_tool=declared.search_tool,
        json_output=build_json_output(request),
    )


def _choose_effort(request: MessagesRequest) -> Effort | None:
    """Thinking is what `enabled` asks for. Clients say `adaptive` of every model that they do not know, with
    an effort: that leaves it to the model's name."""
    thinking, config = request.thinking, request.output_config
    if thinking is None or thinking.type not in ("enabled", "disabled"):
        return None
    if thinking.type == "disabled":
        return read_switch(is_on=False)
    named = read_effort(config.effort or "") if config is not None else None
    return named or read_switch(is_on=True)


def _choose_display(request: MessagesRequest) -> ReasoningDisplay | None:
    is_omitted = request.thinking is not None and request.thinking.display == "omitted"
    return "hidden" if is_omitted else None


def _build_turns(request: MessagesRequest) -> tuple[Turn, ...]:
    """Raises InvalidRequest where no message holds a block."""
    turns = tuple(_list_turns(request))
    if not turns:
        raise InvalidRequest("`messages` holds nothing that could be answered.", param="messages")
    return turns


def _list_turns(request: MessagesRequest) -> Iterator[Turn]:
    if request.system:
        yield Turn("system", build_system_parts(place_blocks(request.system, "system")))
    for index, message in enumerate(request.messages):
        yield from _read_message(message, f"messages.{index}.content")


def _read_message(message: Message, place: str) -> Iterator[Turn]:
    """The results in a message are turns of their own, as what is said before, between and behind them."""
    blocks = place_blocks(message.content, place)
    if message.role == "system":
        yield Turn("system", build_system_parts(blocks))
        return
    for is_result, placed in groupby(blocks, key=_is_result):
        if is_result:
            yield from map(_build_result, placed)
        else:
            said = list(placed)
            calls = build_calls([block for block, _ in said])
            yield Turn(message.role, build_parts(said), calls=calls)


def _is_result(placed: Placed) -> bool:
    return placed[0].type == "tool_result"


def _build_result(placed: Placed) -> Turn:
    block, place = placed
    return Turn(
        "tool",
        read_result(block, place),
        call_id=block.tool_use_id or "",
        has_failed=block.is_error is True,
    )
