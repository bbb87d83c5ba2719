"""An open upstream answer: reply events as they arrive, and one place that gives the connection back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.budget import Budget
from app.catalogue.upstream import ANSWER_BROKEN, ANSWER_UNFINISHED, NOT_A_WORD
from app.core.errors import CutAnswer, GatewayError, SilentAnswer, UpstreamInvalid
from app.core.event import ReplyEvent
from app.hub import cooperate
from app.upstream.body import BodyReader
from app.upstream.continuation import Continuation
from app.upstream.frames import parse_frame
from app.upstream.growing_text import GrowingText
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder
from app.upstream.stored import build_rest

# The upstream never sends this (protocol notes 4.1), but what stands between may.
_DONE = b"[DONE]"
# No answer is half as long. What it says beyond the free part counts in the room of all answers, as the bytes
# that Chinese takes in memory.
_MAX_ANSWER_CHARS = 4_000_000
_FREE_CHARS = 256 * 1024
_BYTES_A_CHAR = 2
# Beyond the free part, which has no more of them than characters. To whoever keeps them an event is a hundred
# bytes beside its text, or a block.
_MAX_LATE_EVENTS = 128 * 1024
# Of one read, so that tiny ones do not hold up everybody else.
_MAX_EVENTS = 256
_DRAIN_SECONDS = 0.05
_MAX_DRAIN_BYTES = 65536


class AnswerStream:
    """The events of one answer. Whoever opened it closes it; one greenlet reads and closes.

    Nobody above sees a frame: how often one came is told (`frames`), and what the answer is called.
    """

    def __init__(
        self,
        body: BodyReader,
        release: Callable[[bool], None],
        *,
        reads_calls: bool = False,
        reads_searches: bool = False,
        room: Budget | None = None,
        resumes: tuple[Reducer, Continuation] | None = None,
    ) -> None:
        """`release(reusable)` takes the connection back; what is read beside text is as in Reducer.

        `room` is what all answers may hold of unfinished events and of very long texts. `resumes` is what
        `interrupt` gave for the stream that this one goes on with.
        """
        self._body = body
        self._release: Callable[[bool], None] | None = release
        self._decoder = EventDecoder(room.open() if room is not None else None)
        self._said_share = room.open() if room is not None else None
        self._said_chars = 0
        self._late_events = 0
        self._reducer = Reducer(reads_calls=reads_calls, reads_searches=reads_searches)
        self._continuation: Continuation | None = None
        if resumes is not None:
            self._reducer, self._continuation = resumes
        self._reducer.held.share = self._said_share
        self._growing = GrowingText()
        self._failure: GatewayError | None = None
        self._has_lost = False  # bytes that the upstream may have sent
        self._later: list[bytes] = []  # events that came with those of the last read
        self.ended = False
        """Nothing more comes: the body is over, whole or not, or the answer failed."""
        self.frames = 0
        """How many documents of the upstream have been read."""

    def __repr__(self) -> str:
        state = "closed" if self._release is None else "ended" if self.ended else "open"
        return f"<AnswerStream {state}>"

    @property
    def conversation_id(self) -> str | None:
        """What the upstream calls the conversation, None while it has not said so."""
        return self._reducer.conversation_id

    @property
    def answer_id(self) -> str | None:
        """What the upstream calls this answer: to stop it by."""
        return self._reducer.answer_id

    @property
    def model(self) -> str | None:
        """What answers, None while the upstream has not said so."""
        return self._reducer.model

    @property
    def finished(self) -> bool:
        """The answer came to its own end: its ReplyFinished was read, or raised why there is none."""
        return self._reducer.finished

    def interrupt(self) -> tuple[Reducer, Continuation]:
        """What a stream needs that goes on with this answer, which was cut; this one reads no more."""
        continuation = Continuation(
            self._reducer.conversation_id,
            self._reducer.interrupt(),
            is_lossy=self._has_lost,
            held=self._reducer.held,
        )
        return self._reducer, continuation

    def finish_from(self, stored: Any) -> list[ReplyEvent]:
        """The rest of this answer, which was cut, from what the upstream has stored of its conversation.

        Raises CutAnswer where that does not fit, and what the answer amounts to.
        """
        if self._reducer.finished:
            raise CutAnswer(ANSWER_UNFINISHED)
        known, name = self._reducer.interrupt(), self._reducer.conversation_id
        rest = build_rest(stored, known, conversation_id=name, answer_id=self._reducer.answer_id)
        self.ended, self._failure = True, None
        return self._reducer.reduce(rest)

    def read(self, seconds: float) -> list[ReplyEvent] | None:
        """The events of the next read, maybe none; None when `seconds` passed in silence.

        Raises the GatewayError that ends the answer, after everything that came before it was returned: what
        the upstream reports, CutAnswer or SilentAnswer where it ends too early, UpstreamInvalid where nothing
        can be made of the bytes.
        """
        if self._failure is not None:
            raise self._failure
        events: list[ReplyEvent] = []
        try:
            data = b"" if self._later else self._receive(seconds)
            if data is None:
                return None
            known = self._growing.read(data) if self._decoder.is_between_events else None
            if known is None:
                for document in self._next_documents(data):
                    events += self._read_document(document)
            else:  # a read is one event, as nearly all are
                self.frames += 1
                events = known
            self._count_said(events)
            if self.ended and not self._reducer.finished:
                raise self._cut()
        except GatewayError as error:
            self._failure, self.ended = error, True
            events += self._reducer.flush()
            if not events:
                raise
        return events

    def _count_said(self, events: list[ReplyEvent]) -> None:
        """Raises UpstreamInvalid where the answer never ends, OutOfRoom where there is no room for it."""
        chars = 0
        for event in events:
            chars += len(getattr(event, "text", ""))
        self._said_chars += chars
        if self._said_chars <= _FREE_CHARS:
            return
        self._late_events += len(events)
        if self._said_chars > _MAX_ANSWER_CHARS or self._late_events > _MAX_LATE_EVENTS:
            raise UpstreamInvalid("The upstream sent an answer that never ends.")
        if self._reducer.current is not None:
            self._reducer.current.merged.condense()
        if self._said_share is not None:
            self._said_share.take(chars * _BYTES_A_CHAR)

    def _receive(self, seconds: float) -> bytes | None:
        """What comes next of the body: b"" at its end, None in silence."""
        try:
            data = self._body.read(seconds)
        except OSError as exc:
            self.ended = self._has_lost = True
            raise CutAnswer(ANSWER_BROKEN) from exc
        self.ended = data == b""
        return data

    def _next_documents(self, data: bytes) -> list[bytes]:
        """Those that `data` completed, or the next of very many."""
        if self._later:
            cooperate()
        documents = self._later or self._decoder.feed(data)
        self._later = documents[_MAX_EVENTS:] if len(documents) > _MAX_EVENTS else []
        return documents[:_MAX_EVENTS] if self._later else documents

    def _read_document(self, document: bytes) -> list[ReplyEvent]:
        known = self._growing.read_document(document)
        if known is None:
            return self._reduce(document)
        self.frames += 1
        return known

    def _reduce(self, document: bytes) -> list[ReplyEvent]:
        if document == _DONE:
            return []
        frame = parse_frame(document)
        self.frames += 1
        if self._continuation is not None:
            return self._reducer.reduce(frame if self._reducer.finished else self._continuation.join(frame))
        events = self._reducer.reduce(frame)
        self._growing.learn(document, frame, self._reducer)
        return events

    def _cut(self) -> GatewayError:
        self._has_lost = not self._decoder.finish()
        if self._reducer.part_error is not None:
            return self._reducer.part_error
        if self.frames:
            return CutAnswer(ANSWER_UNFINISHED)
        return SilentAnswer(NOT_A_WORD)

    def close(self) -> None:
        """Idempotent. The connection is kept where the body came, or soon comes, to its end."""
        release, self._release = self._release, None
        if release is not None:
            reusable = False
            try:
                reusable = self._drain() if self._reducer.finished else self._body.complete
            finally:
                self._body.close()
                self._failure = None
                self._decoder.forget()
                if self._said_share is not None:
                    self._said_share.close()
                self._reducer.held.leave(self._said_share)
                self._growing = GrowingText()
                self._later = []
                release(reusable)

    def _drain(self) -> bool:
        """After the finish frame only the end of the framing is missing: a short wait saves a connection.

        One wait, however the upstream goes on: the answer and its account are held meanwhile.
        """
        ends_at = time.monotonic() + _DRAIN_SECONDS
        left_bytes = _MAX_DRAIN_BYTES
        try:
            while not self._body.complete and left_bytes > 0 and (left := ends_at - time.monotonic()) > 0.0:
                data = self._body.read(left)
                if not data:
                    break
                left_bytes -= len(data)
        except (OSError, GatewayError):
            return False
        return self._body.complete
