"""The pure core as the tests drive it: bytes through decoder, frames and reducer, folded into one answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.errors import (
    AccessRejected,
    AccountBlocked,
    CutAnswer,
    EmptyAnswer,
    GatewayError,
    UpstreamBusy,
    UpstreamError,
    UpstreamInvalid,
    UpstreamThrottled,
)
from app.core.event import CitedText, ImageAdded, ReasoningDelta, ReplyEvent, ReplyFinished, TextDelta
from app.upstream.frames import parse_frame
from app.upstream.growing_text import GrowingText
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder

# The kinds of tests/fixtures/README.md; the first class that fits names the kind.
_KINDS: tuple[tuple[type[GatewayError], str], ...] = (
    (AccountBlocked, "blocked"),
    (UpstreamBusy, "busy"),
    (UpstreamThrottled, "busy"),
    (AccessRejected, "auth"),
    (EmptyAnswer, "empty"),
    (CutAnswer, "cut"),
    (UpstreamInvalid, "invalid"),
    (UpstreamError, "upstream_error"),
)


@dataclass(frozen=True, slots=True)
class Played:
    """Every reply event of one stream, the kind of its failure, and the conversation it left upstream."""

    events: tuple[ReplyEvent, ...]
    error: str | None
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client has in the end."""

    conversation_id: str | None
    text: str
    reasoning: str
    finish: str | None
    error: str | None


def name_kind(error: GatewayError) -> str:
    return next((kind for known, kind in _KINDS if isinstance(error, known)), type(error).__name__)


class Reading:
    """Frames through the reducer, as AnswerStream reads them, or each of them parsed."""

    def __init__(self, *, parses_all: bool) -> None:
        self.reducer = Reducer()
        self._growing = GrowingText()
        self._parses_all = parses_all

    def read_event(self, piece: bytes) -> list[ReplyEvent] | None:
        """None of what has to be decoded."""
        return None if self._parses_all else self._growing.read(piece)

    def read(self, document: bytes) -> list[ReplyEvent]:
        grown = None if self._parses_all else self._growing.read_document(document)
        if grown is not None:
            return grown
        frame = parse_frame(document)
        events = self.reducer.reduce(frame)
        self._growing.learn(document, frame, self.reducer)
        return events


def play(pieces: Iterable[bytes], *, parses_all: bool = False) -> Played:
    decoder, reading = EventDecoder(), Reading(parses_all=parses_all)
    reducer = reading.reducer
    events: list[ReplyEvent] = []
    received = False
    error: str | None = None
    try:
        for piece in pieces:
            received = received or bool(piece)
            grown = reading.read_event(piece) if decoder.is_between_events else None
            for data in decoder.feed(piece) if grown is None else ():
                if not reducer.finished:
                    events.extend(reading.read(data))
            events.extend(grown or ())
    except GatewayError as exc:
        error = name_kind(exc)
    if error is None and reducer.part_error is not None and not reducer.finished:
        error = name_kind(reducer.part_error)
    if error is None and not reducer.finished:
        error = "cut" if received else "empty"
    if error is not None:
        events.extend(reducer.flush())
    return Played(tuple(events), error, reducer.conversation_id)


def fold(played: Played) -> Answer:
    reasons = [event.reason for event in played.events if isinstance(event, ReplyFinished)]
    return Answer(
        conversation_id=played.conversation_id,
        text="".join(
            event.text for event in played.events if isinstance(event, TextDelta | CitedText | ImageAdded)
        ),
        reasoning="".join(event.text for event in played.events if isinstance(event, ReasoningDelta)),
        finish=reasons[0] if reasons else None,
        error=played.error,
    )


def answer(pieces: Iterable[bytes]) -> Answer:
    return fold(play(pieces))
