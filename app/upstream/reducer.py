"""Frames in, reply events out: the heart of the gateway, without I/O (protocol notes 4.3-4.8)."""

from __future__ import annotations

import re
import sys
from typing import Any

from app.catalogue.upstream import NOTHING_SAID
from app.core.errors import EmptyAnswer, GatewayError, UpstreamInvalid
from app.core.event import ImageAdded, ReasoningDelta, ReplyEvent, ReplyFinished, ReplyStarted, TextDelta
from app.identifier import fold_id
from app.upstream.citation import CitingText
from app.upstream.code import CodeBlock, Notebook, OutputBlock
from app.upstream.delta_writer import DeltaWriter
from app.upstream.drawing import PictureBatch
from app.upstream.ending import ends, is_executor, read_words
from app.upstream.failure import classify_detail
from app.upstream.frames import ContentItem, Frame, Part
from app.upstream.held_bytes import HeldBytes
from app.upstream.joint import KnownText
from app.upstream.native_call import NativeCalls
from app.upstream.part_stream import PART_BYTES, Feed, Key, PartStream, Rendering, choose_feed
from app.upstream.search import Searches
from app.upstream.source import Sources
from app.upstream.unknown_content import note_unknown_content

# Known, and without a place in an OpenAI answer.
_SILENT_TYPES = frozenset({"tool_calls", "system_error", ""})
_RESULT_TYPES = frozenset({"tool_result", "quote_result", "browser_result"})
# How items of 2024 say that they are complete.
_COMPLETE = frozenset({"finish", "done"})
_MODEL = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_MAX_ID_CHARS = 256


class Reducer:
    """Reduces the frames of one answer, fed in order; after `finished` it says nothing more."""

    __slots__ = (
        "_anonymous",
        "_calls",
        "_cited_part",
        "_named",
        "_notebook",
        "_part_streams",
        "_pictures",
        "_reasoning",
        "_reported",
        "_searches",
        "_sources",
        "_text",
        "answer_id",
        "conversation_id",
        "current",
        "finished",
        "held",
        "model",
    )

    def __init__(self, *, reads_calls: bool = False, reads_searches: bool = False) -> None:
        """`reads_calls`: native calls are told, and an answer without words is no error but an empty end.

        `reads_searches`: what searches of the upstream's own find is told.
        """
        self.held = HeldBytes()
        self._calls = NativeCalls(self.held) if reads_calls else None
        self._searches = Searches(self.held) if reads_searches else None
        self.answer_id: str | None = None
        self.conversation_id: str | None = None
        self.finished = False
        self.model: str | None = None
        """What answers, by the upstream's own name for it (protocol notes 0.2 row 16)."""
        self._text = DeltaWriter(TextDelta)
        self._reasoning = DeltaWriter(ReasoningDelta)
        self._sources = Sources(self.held)
        self._notebook = Notebook(self.held)
        self._pictures = PictureBatch(self.held)
        self._part_streams: dict[Key, PartStream] = {}
        self.current: PartStream | None = None  # that spoke last
        self._anonymous = 0
        self._cited_part: Part | None = None  # of this frame, whose pages are known
        self._reported: Any = None  # by the last part that reported an error, if nothing was said after it
        self._named: ReplyStarted | None = None  # until `reduce` has returned it

    @property
    def part_error(self) -> GatewayError | None:
        """What a part reported, which ends the answer unless something is said after it."""
        return classify_detail(self._reported)

    def reduce(self, frame: Frame) -> list[ReplyEvent]:
        """The events of one frame, often none or one. Raises the GatewayError that the frame reports."""
        if self.finished:
            return []  # what comes after the finish was said before it (protocol notes 4.5)
        events: list[ReplyEvent] = []
        if self.conversation_id is None and frame.conversation_id:
            self._name(frame.conversation_id, frame.id, events)
        is_over = (frame.status != "init" or bool(frame.last_error)) and ends(frame)
        shows_full_texts = frame.status in ("finish", "intervene")
        increases = frame.meta_data.if_increase_push if frame.meta_data else None
        for part in frame.parts or ():
            if not self.finished:
                self._reduce_part(part, shows_full_texts, increases, events)
        if is_over and not self.finished:
            self._finish(frame, events)
        self._named = self._cited_part = None
        return events

    def _name(self, conversation_id: str, answer_id: str | None, events: list[ReplyEvent]) -> None:
        if max(len(conversation_id), len(answer_id or "")) > _MAX_ID_CHARS:
            raise UpstreamInvalid("The upstream gave the answer a name that is none.")
        self.answer_id = answer_id
        self.conversation_id = fold_id(conversation_id) or conversation_id
        self._named = ReplyStarted(self.conversation_id)
        events.append(self._named)

    def flush(self) -> list[ReplyEvent]:
        """What an answer that failed or was cut still has to tell: its name, and pictures that are held."""
        events: list[ReplyEvent] = []
        if self._named is not None:  # named and failed by one and the same frame
            events.append(self._named)
            self._named = None
        self._show_pictures(events)
        return events

    def interrupt(self) -> list[KnownText]:
        """What was said, by parts; what they hold is dropped, as a continuation says it again or anew."""
        self._text.forget_half()
        self._reasoning.forget_half()
        known = []
        for key, part_stream in self._part_streams.items():
            merged = part_stream.merged
            is_partial = merged.holds
            known.append(KnownText(key, merged.settle(), merged.finished, is_partial))
        return [one for one in known if one.text]

    def _reduce_part(
        self, part: Part, is_full: bool, increases: bool | None, events: list[ReplyEvent]
    ) -> None:
        is_full = is_full or part.status in ("finish", "intervene")
        if self.model is None and part.model and part.role != "tool":
            self.model = part.model if _MODEL.fullmatch(part.model) else None
        for index, item in enumerate(part.content or ()):
            piece = item.text if item.type == "text" else self._read_item(part, item, events)
            if piece:
                key = (part.logic_id or self._name_anonymous(index, item.type, piece), index, item.type)
                part_stream = self._find_part_stream(key)
                self._reported = None
                if item.type == "text" and "】" in piece:
                    self._take_cited(part)
                if new := choose_feed(item, increases, is_full=is_full)(part_stream.merged, piece):
                    self._switch_to(part_stream, events)
                    part_stream.emit(new, events)
                if is_full or item.status in _COMPLETE:
                    part_stream.finish(piece, events)
            elif item.type == "tool_calls" and self._calls is not None:
                self._add_call(
                    f"{part.logic_id}.{index}", item, choose_feed(item, increases, is_full=is_full), events
                )
        self._heed_status(part, events)

    def _heed_status(self, part: Part, events: list[ReplyEvent]) -> None:
        """A part may bring an error without calling itself one, where it brings nothing else."""
        if part.status == "intervene":
            self._intervene(part.error, events)
        elif (part.status == "error" or (part.error and not part.content)) and not is_executor(part):
            self._reported = part.error

    def _read_item(self, part: Part, item: ContentItem, events: list[ReplyEvent]) -> str | None:
        """The text of an item that is not plain text; None where it has none to say."""
        match item.type:
            case "think":
                return item.think
            case "text_thinking":
                return item.text
            case "code":
                return item.code
            case "execution_output":
                return item.content
            case "image" | "one_to_more_finish":
                self._draw(item, events)
                return None
        if item.type in _RESULT_TYPES:
            self._tell_calls(events)
            self._take_results(part)
        elif item.type not in _SILENT_TYPES:
            note_unknown_content("content type", item.type)
        return None

    def _take_results(self, part: Part) -> None:
        """All of the part at once, so that what stands beside them is read once."""
        results = [item for item in part.content or () if item.type in _RESULT_TYPES]
        documents = [part.meta_data]
        for item in results:
            documents += (item.tool_result_extra, item.meta_data)
            item.type = ""  # silent from here on
        sources = self._sources.add(part.logic_id, *map(bytes, documents))
        if self._searches is not None:
            self._searches.add(part.logic_id, bytes(results[-1].tool_calls), sources)

    def _take_cited(self, part: Part) -> None:
        if part is not self._cited_part:
            self._cited_part = part
            self._sources.add_cited(bytes(part.meta_data))

    def _find_part_stream(self, key: Key) -> PartStream:
        if self.current is not None and self.current.key == key:
            return self.current
        return self._part_streams.get(key) or self._make_part_stream(key)

    def _switch_to(self, part_stream: PartStream, events: list[ReplyEvent]) -> None:
        """`part_stream` has something new to say, before which the others say what they hold."""
        if part_stream is not self.current:
            self._suspend_part(events)
            self._show_pictures(events)
            self._tell_calls(events)
            self._tell_searches(events)
            self.current = part_stream

    def _make_part_stream(self, key: Key) -> PartStream:
        rendering: Rendering | None = None
        if key[2] == "text":
            rendering = CitingText(self._sources)
        elif key[2] == "code":
            rendering = CodeBlock(self._notebook)
        elif key[2] == "execution_output":
            rendering = OutputBlock(self._notebook)
        self.held.add(PART_BYTES + sys.getsizeof(key[0]))
        thinks = key[2] in ("think", "text_thinking")
        part_stream = PartStream(key, self._reasoning if thinks else self._text, rendering)
        self._part_streams[key] = part_stream
        return part_stream

    def _name_anonymous(self, index: int, kind: str, piece: str) -> str:
        """Without a logic id, a part ends when it is finished and something else comes."""
        previous = self._part_streams.get((str(self._anonymous), index, kind))
        if previous and previous.merged.finished and not previous.merged.is_repeated_by(piece):
            self._anonymous += 1
        return str(self._anonymous)

    def _suspend_part(self, events: list[ReplyEvent]) -> None:
        if self.current is not None:
            self.current.suspend(events)
            self.current = None

    def _add_call(self, place: str, item: ContentItem, feed: Feed, events: list[ReplyEvent]) -> None:
        if self._calls is not None and self._calls.add(place, bytes(item.tool_calls), feed):
            self._suspend_part(events)
            self._reported = None

    def _tell_calls(self, events: list[ReplyEvent]) -> None:
        """What comes now is no call: those before it are complete."""
        if self._calls is not None:
            events.extend(self._calls.take())

    def _tell_searches(self, events: list[ReplyEvent]) -> None:
        if self._searches is not None:
            events.extend(self._searches.take())

    def _draw(self, item: ContentItem, events: list[ReplyEvent]) -> None:
        """Hold new pictures; another kind of part, the end marker or the answer's end completes them."""
        if self._pictures.add(item):
            self._suspend_part(events)
            self._tell_calls(events)
            self._reported = None
        if item.type == "one_to_more_finish":
            self._show_pictures(events)

    def _show_pictures(self, events: list[ReplyEvent]) -> None:
        for picture in self._pictures.take():
            text = self._text.part(picture.url) + picture.markdown
            events.append(ImageAdded(text, picture.url, picture.revised_prompt))

    def _say_all(self, events: list[ReplyEvent]) -> None:
        """The answer ends: nothing that is held back becomes more than it is."""
        self._suspend_part(events)
        for part_stream in self._part_streams.values():
            part_stream.finish("", events)
        self._show_pictures(events)
        self._tell_calls(events)
        self._tell_searches(events)

    def _finish(self, frame: Frame, events: list[ReplyEvent]) -> None:
        if frame.status == "intervene" or read_words(frame.last_error):
            self._intervene(frame.last_error, events)
            return
        self.finished = True
        if (error := self.part_error) is not None:
            raise error
        self._say_all(events)
        if self._calls is None and not self._text.has_text and not self._reasoning.has_text:
            raise EmptyAnswer(NOTHING_SAID)
        events.append(ReplyFinished("stop"))

    def _intervene(self, detail: Any, events: list[ReplyEvent]) -> None:
        self._say_all(events)
        self._text.emit("intervene", read_words(detail), events)
        self.finished = True
        events.append(ReplyFinished("content_filter"))
