"""Tool calls read out of the answer: text stays live, calls come whole, and the answer ends with them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import assert_never

import msgspec

from app.catalogue.upstream import CALL_MISSING, CALL_UNREADABLE, NO_ANSWER_EITHER
from app.core.errors import EmptyAnswer, GatewayError
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
from app.core.tool import Tool, ToolChoice
from app.exchange.transforms.check import Check, FollowUp
from app.exchange.unusable import ToolCallMalformed, ToolChoiceUnmet
from app.hub import cooperate
from app.metrics.counters import Counters
from app.tools.arguments import ArgumentReader, Arguments, Reason, Unreadable
from app.tools.correction import ask_for_call, ask_readable_call, ask_to_continue
from app.tools.detector import CallDetector, CallOut, MalformedOut, Out, TextOut
from app.tools.dialect import Dialect
from app.tools.name import Names
from app.tools.quotation import Quotation
from app.tools.reader import MAX_CALL_CHARS
from app.tools.thinking import find_thought_call
from app.tools.tool import Call, build_call_id

log = logging.getLogger(__name__)

_Said = TextDelta | CitedText | ImageAdded
# What is read without a turn for others.
_SLICE_CHARS = 32 * 1024
_make_id = partial(build_call_id, secrets.token_bytes)


class CallOptions(msgspec.Struct, frozen=True):
    """What the model was told of the tools, and so what is to be read.

    `read_text` is all that it has read, None where it may read more: what looks like a call in a form that
    nobody taught may be quoted from there, and is text.
    """

    dialect: Dialect
    names: Names
    choice: ToolChoice
    read_text: str | None
    counters: Counters

    def build_detector(self) -> CallDetector:
        return CallDetector(
            self.dialect, self.names, _make_id, self._build_quotation(), is_parallel=self.choice.is_parallel
        )

    def _build_quotation(self) -> Callable[[str], bool]:
        read_text = self.read_text
        return (lambda _: True) if read_text is None else Quotation(lambda: (read_text,)).stands_in


class ReadCalls(Check):
    """Calls out of the text, out of native parts and, where there is nothing else, out of the thinking.

    Where a call must come - the choice forces one, or one was unreadable - text is held until there is one.
    """

    def __init__(self, options: CallOptions) -> None:
        super().__init__()
        self._options = options
        self._detector = options.build_detector()
        self._thoughts = _Tail(MAX_CALL_CHARS)
        self._held: list[ReplyEvent] | None = [] if options.choice.is_forced else None
        self._missing: GatewayError | None = None  # what the answer amounts to without a call
        self._has_text = False
        self._has_asked = False
        self._given: set[tuple[str, str]] = set()
        self._is_native = False  # the last call came so: what is said next is not said to the client
        self._passed: list[ReplyEvent] = []

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        for event in events:
            # These come by the thousand.
            if self._read(event) if type(event) is TextDelta else self._take(event):
                break
        else:
            # Native calls come together: whatever follows them was said to an executor that is not ours.
            if events and isinstance(events[-1], UpstreamCall) and self._given:
                self._end()
        passed, self._passed = self._passed, []
        return passed

    def _take(self, event: ReplyEvent) -> bool:
        """True where nothing after `event` counts."""
        match event:
            case TextDelta() | CitedText() | ImageAdded():
                return self._read(event)
            case ReasoningDelta():
                if self._given:
                    return self._end()
                self._thoughts.add(event.text)
                self._passed.append(event)
            case UpstreamCall():
                return self._read_native(event)
            case ReplyFinished():
                return self._finish(event)
            case ReplyStarted() | ThoughtText() | PagesFound() | ToolCalled():
                self._passed.append(event)
            case _:
                assert_never(event)
        return False

    def _read(self, event: _Said) -> bool:
        if self._is_native:
            return self._end()
        if self._detector.passes(event.text):
            self._say(event)
            return False
        if len(event.text) > _SLICE_CHARS and isinstance(event, TextDelta):
            return self._read_slices(event.text)
        out = self._detector.feed(event.text)
        if len(out) == 1 and isinstance(out[0], TextOut) and out[0].text == event.text:
            self._say(event)  # as it came, with its citation or picture
            return False
        return self._give_out(out)

    def _read_slices(self, text: str) -> bool:
        """In any slices the detector finds the same; others get their turn between them."""
        for begin in range(0, len(text), _SLICE_CHARS):
            cooperate()
            if self._read(TextDelta(text[begin : begin + _SLICE_CHARS])):
                return True
        return False

    def _give_out(self, out: list[Out]) -> bool:
        for each in out:
            match each:
                case TextOut():
                    self._say(TextDelta(each.text))
                case CallOut():
                    self._give("text", each.form, each.call, each.arguments)
                case MalformedOut():
                    return self._reject(each.reason, each.name, each.form, each.chars)
                case _:
                    assert_never(each)
        return self._end() if self._detector.is_over and self._given else False

    def _say(self, event: _Said) -> None:
        if not self._has_text:
            self._has_text = not event.text.isspace()
        (self._passed if self._held is None else self._held).append(event)

    def _read_native(self, event: UpstreamCall) -> bool:
        """A call in a part of its own; what is no declared name is the site's own business."""
        tool = self._options.names.resolve_native(event.name)
        if tool is None:
            return False
        read = ArgumentReader(tool).read(event.arguments, closes_missing=True)
        if isinstance(read, Unreadable):
            return self._reject(read.reason, self._options.names.offer(tool), "native", read.chars)
        for arguments in read:
            self._give("native", "native", Call(_make_id(tool), tool, arguments.text), arguments)
            if not self._options.choice.is_parallel:
                return self._end()
        return False

    def _give(self, route: str, form: str, call: Call, arguments: Arguments) -> None:
        """Hand out one call; the same call by both routes is one."""
        counters, tool = self._options.counters, call.tool
        key = (tool.name, arguments.text)
        if key in self._given and route == "native":
            return
        if self._held and self._missing is None:  # around a corrected call stand words about the correction
            self._passed.extend(self._held)
        self._held = None
        self._given.add(key)
        self._is_native = route == "native"
        self._passed.append(_build_event(call.id, tool, arguments.text))
        counters.tool_calls[route, form] += 1
        counters.answer_checks["coerced"] += bool(arguments.coerced)
        counters.answer_checks["not_fitting"] += bool(arguments.verdict.violations)

    def _reject(self, reason: Reason, name: str | None, form: str, chars: int) -> bool:
        """A call that cannot be read. Behind good ones it is left out: the model sees what it has called."""
        options = self._options
        options.counters.answer_checks["malformed"] += 1
        log.warning("a tool call was not understood: %s, %s, %d characters", form, reason, chars)
        if self._given:
            return self._end()
        failure = self._missing or ToolCallMalformed(CALL_UNREADABLE)
        self._ask(ask_readable_call(reason, name, options.names, options.dialect), failure)
        return True

    def _finish(self, event: ReplyFinished) -> bool:
        """The answer's own end. What the content filter ends has no calls that began before and go on."""
        out = self._detector.finish()
        if event.reason != "stop":
            self._give_out([each for each in out if isinstance(each, TextOut)])
            self._passed.extend(self._held or ())
            self._passed.append(event)
            return True
        if self._give_out(out):
            return True
        if not self._given and not self._has_text:
            self._read_thoughts()
        if self._given:
            return self._end()
        self._options.counters.answer_checks["undeclared"] += self._detector.undeclared
        if self._held is not None:
            self._miss()
        elif not self._has_text:
            self._options.counters.answer_checks["empty"] += 1
            failure = EmptyAnswer(NO_ANSWER_EITHER)
            self._ask(ask_to_continue(), failure, is_last_resort=True)
        else:
            self._note_corrected()
            self._passed.append(event)
            self._begin_anew()
        return True

    def _read_thoughts(self) -> None:
        options = self._options
        found = find_thought_call(self._thoughts.read(), options.dialect, options.names, _make_id)
        if found is not None:
            self._give("thinking", found.form, found.call, found.arguments)

    def _miss(self) -> None:
        """No call, where one had to come."""
        options = self._options
        if self._missing is None:
            options.counters.answer_checks["unmet"] += 1
        failure = self._missing or ToolChoiceUnmet(CALL_MISSING)
        self._ask(ask_for_call(options.names, options.dialect), failure)

    def _ask(self, prompt: str, failure: GatewayError, *, is_last_resort: bool = False) -> None:
        """Have the model asked once more; what it says then is read anew."""
        self._follow_up = FollowUp(prompt, failure, is_last_resort)
        self._has_asked = True
        self._begin_anew()
        if not is_last_resort:
            self._missing, self._held = failure, []

    def _begin_anew(self) -> None:
        """What comes next answers another question, of this check or of one behind it."""
        self._detector = self._options.build_detector()
        self._thoughts = _Tail(MAX_CALL_CHARS)
        self._has_text = False

    def _end(self) -> bool:
        """With calls, which are given."""
        self._note_corrected()
        self._passed.append(ReplyFinished("tool_calls"))
        return True

    def _note_corrected(self) -> None:
        self._options.counters.answer_checks["corrected"] += self._has_asked


def _build_event(call_id: str, tool: Tool, arguments: str) -> ToolCalled:
    sendable = arguments.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent
    return ToolCalled(call_id, tool.name, sendable, tool.kind, tool.namespace)


class _Tail:
    """The end of a text that may become long."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._pieces: list[str] = []
        self._chars = 0

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._chars += len(piece)
        if self._chars > 2 * self._max_chars:
            kept = self.read()[-self._max_chars :]
            self._pieces, self._chars = [kept], len(kept)

    def read(self) -> str:
        return "".join(self._pieces)
