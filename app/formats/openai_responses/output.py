"""The items of an answer as reply events make them, and the stream events that tell of each step.

One item is open at a time, and there is one message: what comes in the middle of its text - thinking, a
search - is told behind it, before the calls, so that no client has to put an answer together from several
messages. Its text goes on live meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, assert_never

from app.core.event import (
    CitedText,
    ImageAdded,
    PagesFound,
    ReasoningDelta,
    ReplyEvent,
    ReplyFinished,
    ReplyStarted,
    TextDelta,
    ThoughtText,
    ToolCalled,
    UpstreamCall,
)
from app.core.usage import Usage
from app.formats.openai_responses.call_item import (
    build_call,
    build_client_call,
    build_search,
    tell_call,
    tell_search,
)
from app.formats.openai_responses.client_tool import ClientTool
from app.formats.openai_responses.identity import ResponseId
from app.formats.openai_responses.text_item import MessageItem, ReasoningItem, StreamEvent

_Spoken = TextDelta | CitedText | ImageAdded | ThoughtText


class ResponseOutput:
    """Takes events in order; `items` are those that are complete."""

    def __init__(self, response_id: ResponseId, usage: Usage, client_tools: Mapping[str, ClientTool]) -> None:
        self._response_id = response_id
        self._usage = usage
        self._client_tools = client_tools
        self._open: MessageItem | ReasoningItem | None = None
        self._later: list[ReasoningDelta | PagesFound] = []  # to be told behind the message
        self.items: list[dict[str, Any]] = []

    def add(self, event: ReplyEvent) -> list[StreamEvent]:
        """What to tell now. After ReplyFinished every item is complete."""
        match event:
            case TextDelta() | CitedText() | ImageAdded() | ThoughtText():
                return self._speak(event)
            case ReasoningDelta():
                self._usage.reasoning.add(event.text)
                return self._think(event)
            case PagesFound():
                return self._search(event)
            case ToolCalled():
                return self._call(event)
            case ReplyFinished():
                return self.close(is_complete=event.reason in ("stop", "tool_calls"))
            case ReplyStarted() | UpstreamCall():
                return []
            case _:
                assert_never(event)

    def close(self, *, is_complete: bool = True) -> list[StreamEvent]:
        """The open item is over, and what waited behind it is told."""
        if self._open is None:
            return []
        told = self._open.finish(is_complete=is_complete)
        self.items.append(self._open.item)
        self._open = None
        later, self._later = self._later, []
        for event in _join_thinking(later):
            told += self._think(event) if isinstance(event, ReasoningDelta) else self._search(event)
        return [*told, *self.close()] if later else told

    def _speak(self, event: _Spoken) -> list[StreamEvent]:
        told: list[StreamEvent] = []
        if not isinstance(self._open, MessageItem):
            told = self.close()
            self._open = MessageItem(self._response_id.name_item("msg", len(self.items)), len(self.items))
            told += self._open.begin()
        estimate = self._usage.reasoning if isinstance(event, ThoughtText) else self._usage.text
        estimate.add(event.text)
        return told + self._open.speak(event)

    def _think(self, event: ReasoningDelta) -> list[StreamEvent]:
        if isinstance(self._open, MessageItem):
            self._later.append(event)
            return []
        told: list[StreamEvent] = []
        if self._open is None:
            self._open = ReasoningItem(self._response_id.name_item("rs", len(self.items)), len(self.items))
            told = self._open.begin()
        return told + self._open.think(event.text)

    def _search(self, event: PagesFound) -> list[StreamEvent]:
        if isinstance(self._open, MessageItem):
            self._later.append(event)
            return []
        told = self.close()
        index = len(self.items)
        item = build_search(event, self._response_id.name_item("ws", index))
        self.items.append(item)
        return told + tell_search(item, index)

    def _call(self, event: ToolCalled) -> list[StreamEvent]:
        """What a call holds counts as text."""
        self._usage.text.add(event.name)
        self._usage.text.add(event.arguments)
        told = self.close()
        index = len(self.items)
        item = self._build_call(event, index)
        self.items.append(item)
        return told + tell_call(item, index)

    def _build_call(self, event: ToolCalled, index: int) -> dict[str, Any]:
        tool = None if event.namespace else self._client_tools.get(event.name)
        if tool is not None:
            return build_client_call(event, tool, self._response_id.name_item(tool.item_word, index))
        word = "ctc" if event.kind == "custom" else "fc"
        return build_call(event, self._response_id.name_item(word, index))


def _join_thinking(events: Iterable[ReasoningDelta | PagesFound]) -> Iterator[ReasoningDelta | PagesFound]:
    """Thoughts in a row as one: nobody waits for a single piece any more."""
    for is_thought, row in groupby(events, key=lambda event: isinstance(event, ReasoningDelta)):
        if is_thought:
            yield ReasoningDelta("".join([event.text for event in row if isinstance(event, ReasoningDelta)]))
        else:
            yield from row
