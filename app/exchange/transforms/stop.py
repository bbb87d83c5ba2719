"""Stop sequences: the text ends before the first one, and no part of one is ever shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

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

_Said = TextDelta | CitedText | ImageAdded


class CutAtStop:
    """Holds back what may be the beginning of a sequence, and no more. Thinking is not searched."""

    def __init__(self, sequences: Sequence[str]) -> None:
        self._sequences = sequences
        self._held: list[_Said] = []

    def apply(self, events: list[ReplyEvent]) -> list[ReplyEvent]:
        passed: list[ReplyEvent] = []
        for event in events:
            match event:
                case TextDelta() | CitedText() | ImageAdded():
                    self._held.append(event)
                    sequence = self._find_end(passed)
                    if sequence is not None:
                        return [*passed, ReplyFinished("stop", sequence)]
                case ReplyFinished():
                    return [*passed, *self._held, event]
                case ToolCalled():  # what a sequence may begin with is text now
                    passed.extend([*self._held, event])
                    self._held.clear()
                case ReplyStarted() | ReasoningDelta() | ThoughtText() | UpstreamCall() | PagesFound():
                    passed.append(event)
                case _:
                    assert_never(event)
        return passed

    def _find_end(self, passed: list[ReplyEvent]) -> str | None:
        """Pass on what is certain of the held text; the sequence that stands in it, which ends it."""
        text = "".join([event.text for event in self._held])
        found = find_stop(text, self._sequences)
        if found is not None:
            place, sequence = found
            before, after, begun = _split(self._held, place)
            passed.extend(before)
            if begun:  # the sequence begins inside of a link, which is a piece of text then
                passed.append(TextDelta(after[0].text[:begun]))
            return sequence
        before, after, begun = _split(self._held, len(text) - self._measure_begun(text))
        passed.extend(before)
        self._held = after
        return None

    def _measure_begun(self, text: str) -> int:
        """How many characters at the end of `text` may be the beginning of a sequence."""
        for place in range(max(0, len(text) - max(map(len, self._sequences)) + 1), len(text)):
            if any(sequence.startswith(text[place:]) for sequence in self._sequences):
                return len(text) - place
        return 0


def find_stop(text: str, sequences: Sequence[str]) -> tuple[int, str] | None:
    """Where the sequence begins that is complete first, and which it is: it wins, however the text is cut
    into pieces. Of two that end together it is the longer one."""
    places = [
        (place + len(sequence), place, sequence)
        for sequence in sequences
        if (place := text.find(sequence)) >= 0
    ]
    return min(places)[1:] if places else None


def _split(events: list[_Said], place: int) -> tuple[list[_Said], list[_Said], int]:
    """The events before and from character `place` on, and how much of the first of the latter is before it.

    Plain text is split exactly there; a link or a picture stays whole.
    """
    for index, event in enumerate(events):
        if place < len(event.text):
            if not place or not isinstance(event, TextDelta):
                return events[:index], events[index:], place
            head, tail = TextDelta(event.text[:place]), TextDelta(event.text[place:])
            return [*events[:index], head], [tail, *events[index + 1 :]], 0
        place -= len(event.text)
    return events, [], 0
