"""Frames in, reply events out: the heart of the gateway, without I/O (protocol notes 4.3-4.8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from app.errors import EmptyAnswer, GatewayError, UpstreamError
from app.reply import ImageAdded, ReasoningDelta, ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.upstream.drawing import PictureBatch
from app.upstream.failure import classify_detail, classify_refusal
from app.upstream.frames import ContentItem, Frame, Part
from app.upstream.merge import PartText
from app.upstream.novelty import note_novelty

_BETWEEN_PARTS = "\n\n"
_SURROGATE = re.compile("[\ud800-\udfff]")
# Known, and without a text of their own in an OpenAI answer.
_SILENT_TYPES = frozenset({"tool_calls", "tool_result", "quote_result", "browser_result", "system_error", ""})

_Key = tuple[str, int, str]  # logic id, index in the part's content, type
_Feed = Callable[[PartText, str], str]


class _Channel:
    """One of the two texts of an answer: what is said, or what is thought."""

    __slots__ = ("_build", "_half", "_half_key", "_last_key", "has_text")

    def __init__(self, build: Callable[[str], ReplyEvent]) -> None:
        self._build = build
        self._half = ""  # of a surrogate pair that two deltas of one part share
        self._half_key: object = None
        self._last_key: object = None
        self.has_text = False

    def emit(self, key: object, text: str, events: list[ReplyEvent]) -> None:
        """Add the event for `text`, parted from what another part said before."""
        if self._half or _SURROGATE.search(text):
            text = self._pair(key, text)
        if not text:
            return
        if key != self._last_key:
            text = self.part(key) + text
        events.append(self._build(text))

    def part(self, key: object) -> str:
        """What parts the text of `key`, which comes next, from what another part said before."""
        is_parted = key != self._last_key and self.has_text
        self._last_key = key
        self.has_text = True
        return _BETWEEN_PARTS if is_parted else ""

    def _pair(self, key: object, text: str) -> str:
        """Join halves of surrogate pairs; one that stays alone cannot be sent as UTF-8 and becomes U+FFFD."""
        if key == self._half_key:
            text = self._half + text
        self._half_key = key
        self._half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return text.removesuffix(self._half).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Reducer:
    """Reduces the frames of one answer, fed in order; after `finished` it says nothing more."""

    __slots__ = (
        "_anonymous",
        "_current",
        "_part_error",
        "_parts",
        "_pictures",
        "_reasoning",
        "_text",
        "conversation_id",
        "finished",
    )

    def __init__(self) -> None:
        self.conversation_id: str | None = None
        self.finished = False
        self._text = _Channel(TextDelta)
        self._reasoning = _Channel(ReasoningDelta)
        self._parts: dict[_Key, PartText] = {}
        self._current: tuple[_Key, PartText, _Channel] | None = None
        self._pictures = PictureBatch()
        self._anonymous = 0
        self._part_error: GatewayError | None = None

    def reduce(self, frame: Frame) -> list[ReplyEvent]:
        """The events of one frame, often none or one. Raises the GatewayError that the frame reports."""
        if self.finished:
            return []  # what comes after the finish was said before it (protocol notes 4.5)
        events: list[ReplyEvent] = []
        if self.conversation_id is None and frame.conversation_id:
            self.conversation_id = frame.conversation_id
            events.append(ReplyStarted(frame.conversation_id))
        if frame.status != "init" or frame.last_error:
            self._check(frame, events)
        is_last = frame.status in ("finish", "intervene")
        increases = frame.meta_data.if_increase_push if frame.meta_data else None
        for part in frame.parts or ():
            self._reduce_part(part, is_last, increases, events)
        if is_last:
            self._finish(frame, events)
        return events

    def flush(self) -> list[ReplyEvent]:
        """The pictures that are still held, for an answer that was cut after they had come."""
        events: list[ReplyEvent] = []
        self._show_pictures(events)
        return events

    def _check(self, frame: Frame, events: list[ReplyEvent]) -> None:
        """Raise what the frame reports. A filter's words stand in last_error, yet are no failure."""
        if isinstance(frame.last_error, dict) and "intervene_text" in frame.last_error:
            if frame.status != "intervene":
                self._intervene(frame.last_error, events)
            return
        error = classify_detail(frame.error) or classify_detail(frame.last_error)
        if error is None and frame.parts is None and (frame.code is not None or frame.message is not None):
            error = classify_refusal(frame.code, frame.message)
        if error is None and frame.status == "error":
            error = UpstreamError("The upstream ended the answer with an error and did not say why.")
        if error is not None:
            raise error

    def _reduce_part(
        self, part: Part, is_last: bool, increases: bool | None, events: list[ReplyEvent]
    ) -> None:
        is_full = is_last or part.status in ("finish", "intervene")
        for index, item in enumerate(part.content or ()):
            if item.type in {"text", "text_thinking"}:
                piece = item.text
            elif item.type == "think":
                piece = item.think
            else:
                self._reduce_wordless(item, events)
                continue
            if piece:
                self._merge(part.logic_id, index, item.type, piece, _style(item, is_full, increases), events)
        if part.status == "error":
            self._part_error = classify_detail(part.error)
        elif part.status == "intervene":
            self._intervene(part.error, events)

    def _reduce_wordless(self, item: ContentItem, events: list[ReplyEvent]) -> None:
        """An item that is no text which grows."""
        if item.type in {"image", "one_to_more_finish"}:
            self._draw(item, events)
        elif item.type not in _SILENT_TYPES:
            note_novelty("content type", item.type)

    def _merge(
        self, logic_id: str | None, index: int, kind: str, piece: str, feed: _Feed, events: list[ReplyEvent]
    ) -> None:
        key = (logic_id or self._name_anonymous(index, kind, piece), index, kind)
        if self._current is None or self._current[0] != key:
            self._leave_part(events)
            self._show_pictures(events)
            merged = self._parts.setdefault(key, PartText())
            self._current = (key, merged, self._text if kind == "text" else self._reasoning)
        _, merged, channel = self._current
        channel.emit(key, feed(merged, piece), events)
        self._part_error = None

    def _name_anonymous(self, index: int, kind: str, piece: str) -> str:
        """Without a logic id, a part ends when it is finished and something else comes."""
        previous = self._parts.get((str(self._anonymous), index, kind))
        if previous is not None and previous.finished and not previous.is_repeated_by(piece):
            self._anonymous += 1
        return str(self._anonymous)

    def _leave_part(self, events: list[ReplyEvent]) -> None:
        if self._current is not None:
            key, merged, channel = self._current
            channel.emit(key, merged.flush(), events)
            self._current = None

    def _draw(self, item: ContentItem, events: list[ReplyEvent]) -> None:
        """Hold new pictures; another kind of part, the end marker or the answer's end completes them."""
        if self._pictures.add(item):
            self._leave_part(events)
            self._part_error = None
        if item.type == "one_to_more_finish":
            self._show_pictures(events)

    def _show_pictures(self, events: list[ReplyEvent]) -> None:
        for picture in self._pictures.take():
            text = self._text.part(picture.url) + picture.markdown
            events.append(ImageAdded(text, picture.url, picture.revised_prompt))

    def _finish(self, frame: Frame, events: list[ReplyEvent]) -> None:
        self._leave_part(events)
        self._show_pictures(events)
        if self.finished:
            return
        if frame.status == "intervene":
            self._intervene(frame.last_error, events)
            return
        self.finished = True
        if self._part_error is not None:
            raise self._part_error
        if not self._text.has_text and not self._reasoning.has_text:
            raise EmptyAnswer("The upstream finished without saying anything. Try again, or ask differently.")
        events.append(ReplyFinished("stop"))

    def _intervene(self, detail: Any, events: list[ReplyEvent]) -> None:
        self._show_pictures(events)
        words = detail.get("intervene_text") if isinstance(detail, dict) else None
        if isinstance(words, str):
            self._text.emit("intervene", words, events)
        self.finished = True
        events.append(ReplyFinished("content_filter"))


def _style(item: ContentItem, is_full: bool, increases: bool | None) -> _Feed:
    if is_full:
        return PartText.feed_full
    if increases is None:
        # Items with a status of their own are of the era that knew only snapshots (protocol notes 4.4).
        return PartText.feed_unknown if item.status is None else PartText.feed_snapshot
    return PartText.feed_delta if increases else PartText.feed_snapshot
