"""An open upstream answer: reply events as they arrive, and one place that gives the connection back."""

from __future__ import annotations

from collections.abc import Callable

from app.errors import CutAnswer, GatewayError, SilentAnswer
from app.reply import ReplyEvent
from app.upstream.body import BodyReader
from app.upstream.frames import parse_frame
from app.upstream.reducer import Reducer
from app.upstream.sse import EventDecoder

# The upstream never sends this (protocol notes 4.1), but what stands between may.
_DONE = b"[DONE]"
_DRAIN_SECONDS = 0.05


class AnswerStream:
    """The events of one answer. Whoever opened it closes it; one greenlet reads and closes.

    Nobody above sees a frame: how often one came is told (`frames`), and what the answer is called.
    """

    def __init__(self, body: BodyReader, release: Callable[[bool], None]) -> None:
        """`release(reusable)` takes the connection back."""
        self._body = body
        self._release: Callable[[bool], None] | None = release
        self._decoder = EventDecoder()
        self._reducer = Reducer()
        self._failure: GatewayError | None = None
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
    def finished(self) -> bool:
        """The answer came to its own end: its ReplyFinished was read, or raised why there is none."""
        return self._reducer.finished

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
            data = self._read_body(seconds)
            if data is None:
                return None
            self._reduce(data, events)
            if self.ended and not self._reducer.finished:
                raise self._cut()
        except GatewayError as error:
            self._failure, self.ended = error, True
            events += self._reducer.flush()
            if not events:
                raise
        return events

    def _read_body(self, seconds: float) -> bytes | None:
        """What has come, empty at the end."""
        try:
            data = self._body.read(seconds)
        except OSError as exc:
            self.ended = True
            raise CutAnswer("The connection to the upstream broke before the answer was complete.") from exc
        self.ended = data == b""
        return data

    def _reduce(self, data: bytes, events: list[ReplyEvent]) -> None:
        for document in self._decoder.feed(data):
            if document != _DONE:
                frame = parse_frame(document)
                self.frames += 1
                events += self._reducer.reduce(frame)

    def _cut(self) -> GatewayError:
        if self.frames:
            return CutAnswer("The upstream's answer ended before it was finished.")
        return SilentAnswer("The upstream answered without a word.")

    def close(self) -> None:
        """Idempotent. The connection is kept where the body came, or soon comes, to its end."""
        release, self._release = self._release, None
        if release is not None:
            reusable = False
            try:
                reusable = self._drain() if self._reducer.finished else self._body.complete
            finally:
                self._body.close()
                release(reusable)

    def _drain(self) -> bool:
        """After the finish frame only the end of the framing is missing: a short wait saves a connection."""
        try:
            while not self._body.complete and self._body.read(_DRAIN_SECONDS):
                pass
        except (OSError, GatewayError):
            return False
        return self._body.complete
