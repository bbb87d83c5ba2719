"""An open upstream answer: frames as they arrive, and one place that gives the connection back."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.errors import CutAnswer, GatewayError
from app.hub import give_way
from app.upstream.body import BodyReader
from app.upstream.frames import Frame, parse_frame
from app.upstream.sse import EventDecoder

# The upstream never sends this (protocol notes 4.1), but what stands between may.
_DONE = b"[DONE]"
# Of one read, so that tiny ones do not hold up everybody else.
_MAX_EVENTS = 256
_DRAIN_SECONDS = 0.05
_MAX_DRAIN_BYTES = 65536


class UpstreamStream:
    """The frames of one answer. Whoever opened it closes it; one greenlet reads and closes."""

    def __init__(self, body: BodyReader, release: Callable[[bool], None]) -> None:
        """`release(reusable)` takes the connection back."""
        self._body = body
        self._release: Callable[[bool], None] | None = release
        self._decoder = EventDecoder()
        self._failure: GatewayError | None = None
        self._later: list[bytes] = []  # events that came with those of the last read
        self.ended = False
        """The body is over, whole or not."""

    def __repr__(self) -> str:
        state = "closed" if self._release is None else "ended" if self.ended else "open"
        return f"<UpstreamStream {state}>"

    def read(self, seconds: float) -> list[Frame] | None:
        """The frames of the next read, maybe none; None when `seconds` passed in silence.

        Raises CutAnswer where the connection broke, UpstreamInvalid where nothing can be made of the bytes.
        """
        if self._failure is not None:
            raise self._failure
        if self._later:
            give_way()
            return self._parse(self._later)
        try:
            data = self._body.read(seconds)
        except OSError as exc:
            self.ended = True
            raise CutAnswer("The connection to the upstream broke before the answer was complete.") from exc
        if data is None:
            return None
        if not data:
            self.ended = True
            return []
        return self._parse(self._decoder.feed(data))

    def _parse(self, events: list[bytes]) -> list[Frame]:
        """The frames of these events, or of the first of very many.

        One that cannot be read fails the next read, not those before it.
        """
        self._later = events[_MAX_EVENTS:] if len(events) > _MAX_EVENTS else []
        frames: list[Frame] = []
        for event in events[:_MAX_EVENTS] if self._later else events:
            if event == _DONE:
                continue
            try:
                frames.append(parse_frame(event))
            except GatewayError as error:
                self._failure = error
                break
        if self._failure is not None and not frames:
            raise self._failure
        return frames

    def close(self, *, is_over: bool = False) -> None:
        """Idempotent. The connection is kept where the body came, or soon comes, to its end."""
        release, self._release = self._release, None
        if release is not None:
            reusable = False
            try:
                reusable = self._drain() if is_over else self._body.complete
            finally:
                self._body.close()
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
