"""Items of an answer that come piece by piece: a message, and thinking as a summary."""

from __future__ import annotations

from typing import Any

from app.core.event import CitedText, ImageAdded, TextDelta, ThoughtText

StreamEvent = tuple[str, dict[str, Any]]
"""The event's type, and its fields without the type and the number."""


class MessageItem:
    """The text of an answer, with citations as annotations; places count characters of the text."""

    def __init__(self, item_id: str, index: int) -> None:
        self.item: dict[str, Any] = {
            "type": "message",
            "id": item_id,
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        self._output = {"output_index": index}
        self._place = {"item_id": item_id, "output_index": index, "content_index": 0}
        self._pieces: list[str] = []
        self._chars = 0
        self._annotations: list[dict[str, object]] = []

    def begin(self) -> list[StreamEvent]:
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        return [
            ("response.output_item.added", {**self._output, "item": dict(self.item)}),
            ("response.content_part.added", {**self._place, "part": part}),
        ]

    def speak(self, event: TextDelta | CitedText | ImageAdded | ThoughtText) -> list[StreamEvent]:
        text, start = make_sendable(event.text), self._chars
        self._pieces.append(text)
        self._chars += len(text)
        told: list[StreamEvent] = [
            ("response.output_text.delta", {**self._place, "delta": text, "logprobs": []})
        ]
        if isinstance(event, CitedText):
            told.append(self._cite(event, start))
        return told

    def _cite(self, event: CitedText, start: int) -> StreamEvent:
        annotation: dict[str, object] = {
            "type": "url_citation",
            "start_index": start,
            "end_index": self._chars,
            "url": make_sendable(event.url),
            "title": make_sendable(event.title),
        }
        self._annotations.append(annotation)
        number = {"annotation_index": len(self._annotations) - 1, "annotation": annotation}
        return "response.output_text.annotation.added", {**self._place, **number}

    def finish(self, *, is_complete: bool) -> list[StreamEvent]:
        text = "".join(self._pieces)
        part = {"type": "output_text", "text": text, "annotations": self._annotations, "logprobs": []}
        self.item |= {"status": "completed" if is_complete else "incomplete", "content": [part]}
        return [
            ("response.output_text.done", {**self._place, "text": text, "logprobs": []}),
            ("response.content_part.done", {**self._place, "part": part}),
            ("response.output_item.done", {**self._output, "item": self.item}),
        ]


class ReasoningItem:
    """Thinking. As a summary, since that is what clients show; the other kind of reasoning some refuse."""

    def __init__(self, item_id: str, index: int) -> None:
        self.item: dict[str, Any] = {"type": "reasoning", "id": item_id, "summary": []}
        self._output = {"output_index": index}
        self._place = {"item_id": item_id, "output_index": index, "summary_index": 0}
        self._pieces: list[str] = []

    def begin(self) -> list[StreamEvent]:
        part = {"type": "summary_text", "text": ""}
        return [
            ("response.output_item.added", {**self._output, "item": dict(self.item)}),
            ("response.reasoning_summary_part.added", {**self._place, "part": part}),
        ]

    def think(self, text: str) -> list[StreamEvent]:
        text = make_sendable(text)
        self._pieces.append(text)
        return [("response.reasoning_summary_text.delta", {**self._place, "delta": text})]

    def finish(self, *, is_complete: bool) -> list[StreamEvent]:
        """An item that ended early says so nowhere: its kind has no status that clients expect."""
        text = "".join(self._pieces)
        part = {"type": "summary_text", "text": text}
        self.item |= {"summary": [part]}
        return [
            ("response.reasoning_summary_text.done", {**self._place, "text": text}),
            ("response.reasoning_summary_part.done", {**self._place, "part": part}),
            ("response.output_item.done", {**self._output, "item": self.item}),
        ]


def make_sendable(text: str) -> str:
    """`text` without halves of surrogate pairs whose other half never came."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
