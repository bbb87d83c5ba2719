"""Frames that are the one before them but for more text: nearly all frames of an answer are such.

Reading a snapshot costs as much as all that was said before it. So of a frame that did nothing but say
something, the bytes around what comes next are kept. A frame with the same bytes, and the inside of a JSON
string between them, would be read and reduced alike; only what is between is decoded then:

    event:message\ndata: {"id":"6a50", ... [{"type":"text","text":"The Brocken", ... "status":"init"}\n\n
    |----------------------- before ------------------------------------------||------- behind --------|
    event:message\ndata: {"id":"6a50", ... [{"type":"text","text":"The Brocken is", ... "status":"init"}\n\n

What makes the frame an event belongs to these bytes. A JSON string holds no line end, so that nobody has to
look for one either. Of frames that hold deltas, `before` ends where the text begins.
"""

from __future__ import annotations

import re

import msgspec

from app.core.event import ReplyEvent
from app.upstream.frames import ContentItem, Frame, Part, parse_frame
from app.upstream.merge import PartText
from app.upstream.part_stream import Feed, Key, PartStream, choose_feed
from app.upstream.reducer import Reducer
from app.upstream.sse import EVENT_HEAD, EVENT_TAIL

# Held for each stream.
_MAX_EVENT_BYTES = 256 * 1024
# An upstream whose frames differ in more, such as a time, is not looked at again and again.
_MAX_FRUITLESS = 8
_INSIDE = rb'"((?:[^"\\]|\\.)*+)"'
_TEXT = re.compile(rb'"text": ?' + _INSIDE)
_THINK = re.compile(rb'"think": ?' + _INSIDE)
_PLACES = {"text": _TEXT, "text_thinking": _TEXT, "think": _THINK}
_LAST = ("finish", "intervene", "error")
_decode_text = msgspec.json.Decoder(str).decode


class GrowingText:
    """Knows the last frame of one answer, where it was such a frame."""

    __slots__ = ("_before", "_behind", "_feed", "_fruitless", "_part_stream")

    def __init__(self) -> None:
        self._before = self._behind = b""
        self._part_stream: PartStream | None = None  # that spoke in the last frame; None: it was another kind
        self._feed: Feed = PartText.extend
        self._fruitless = 0  # frames that were learned since one was read by what was learned

    def read(self, event: bytes) -> list[ReplyEvent] | None:
        """What one whole event says whose frame differs from the last one in its text alone.

        None of any other, of one that is not written as EVENT_HEAD and EVENT_TAIL have it, and of bytes that
        are not one whole event.
        """
        part_stream, begin, end = self._part_stream, len(self._before), len(event) - len(self._behind)
        if part_stream is None or begin > end or len(event) > _MAX_EVENT_BYTES:
            return None
        if not (event.startswith(self._before) and event.endswith(self._behind)):
            return None
        new = _decode_inside(event[begin:end])
        if new is None or "】" in new:  # with a citation, more of the frame is read
            return None
        self._fruitless = 0
        events: list[ReplyEvent] = []
        if new:
            if self._feed is PartText.extend:
                self._before = event[:end]
            part_stream.emit(self._feed(part_stream.merged, new), events)
        return events

    def read_document(self, document: bytes) -> list[ReplyEvent] | None:
        """As `read`, of the data of an event."""
        if self._part_stream is None or len(document) > _MAX_EVENT_BYTES:
            return None
        return self.read(EVENT_HEAD + document + EVENT_TAIL)

    def learn(self, document: bytes, frame: Frame, reducer: Reducer) -> None:
        """`document` was parsed as `frame`, and has just been reduced."""
        self._part_stream = None
        known = _find_only_item(frame)
        is_usual = len(document) <= _MAX_EVENT_BYTES and b"\n" not in document
        if known is None or self._fruitless >= _MAX_FRUITLESS or not is_usual:
            return
        key, item, part_stream = *known, reducer.current
        if part_stream is None or part_stream.key != key:
            return
        text = _read_text(item)
        feed = _choose_feed(frame, item, text, part_stream.merged)
        place = _find_place(document, item.type, text) if feed is not None else None
        if feed is not None and place is not None:
            self._fruitless += 1
            self._part_stream, self._feed = part_stream, feed
            self._before = EVENT_HEAD + document[: place[1] if feed is PartText.extend else place[0]]
            self._behind = document[place[1] :] + EVENT_TAIL


def _find_only_item(frame: Frame) -> tuple[Key, ContentItem] | None:
    """What speaks in a frame that tells nothing else, and completes nothing."""
    match frame:
        case Frame(status="init", parts=[Part(content=[item]) as part]):
            goes_on = part.status not in _LAST and item.status in (None, "init") and not frame.last_error
            if goes_on and part.logic_id and item.type in _PLACES:
                return (part.logic_id, 0, item.type), item
    return None


def _read_text(item: ContentItem) -> str:
    return (item.think if item.type == "think" else item.text) or ""


def _choose_feed(frame: Frame, item: ContentItem, text: str, merged: PartText) -> Feed | None:
    """How the next frame of this kind is merged; None where that is not settled, or not all was said."""
    increases = frame.meta_data.if_increase_push if frame.meta_data else None
    if merged.style == "delta":
        return choose_feed(item, increases, is_full=False)
    return PartText.extend if merged.style == "snapshot" and merged.text == text else None


def _find_place(document: bytes, kind: str, text: str) -> tuple[int, int] | None:
    """Where the inside of the JSON string stands that is `text`; None where that is not sure."""
    found = list(_PLACES[kind].finditer(document))
    if len(found) != 1:
        return None
    begin, end = found[0].span(1)
    if _decode_inside(document[begin:end]) != text or not _is_said_at(document, end, text):
        return None
    return begin, end


def _is_said_at(document: bytes, end: int, text: str) -> bool:
    """Whether more before `end` is more that is said: keys may come twice, be escaped, or stand elsewhere."""
    known = _find_only_item(parse_frame(document[:end] + b"." + document[end:]))
    return known is not None and _read_text(known[1]) == text + "."


def _decode_inside(inside: bytes) -> str | None:
    """None where that is not the inside of one JSON string, or has halves of surrogate pairs."""
    try:
        return _decode_text(b'"' + inside + b'"')
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
