"""One answer on its way: reads the upstream's frames, keeps the clocks, and owns what must be given back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from app.accounts.lease import Lease
from app.background import run_in_background
from app.conversations.use import ConversationUse
from app.errors import CutAnswer, GatewayError, Outcome, SilentAnswer, UpstreamTimeout
from app.exchange.shape import UNCHANGED, Shape, Stage
from app.hub import Deadline
from app.openai.usage import TokenEstimate
from app.reply import ReplyEvent, ReplyFinished, ReplyStarted
from app.upstream.frames import Frame
from app.upstream.reducer import Reducer
from app.upstream.stream import UpstreamStream

log = logging.getLogger(__name__)

# Within the second in which a client that left frees its account.
_STOP_SECONDS = 0.8
_GLANCE_SECONDS = 0.001
# For an upstream to see that a connection was closed, where there is no name to stop the answer by.
_NOTICE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long a reply may take, in seconds (docs/configuration.md)."""

    first_event: float
    commit: float
    idle: float
    heartbeat: float
    whole: float


class Reply:
    """Iterate with `read` until `finished`; then, or on any error, `close`. Used by one greenlet."""

    def __init__(
        self,
        stream: UpstreamStream,
        use: ConversationUse,
        clocks: Clocks,
        clock: Callable[[], float] = time.monotonic,
        shape: Shape = UNCHANGED,
        *,
        stop: Callable[[str], None],
    ) -> None:
        """`stop` has the upstream end an answer, given its id."""
        self._stop = stop
        self._closed = False
        self._stream = stream
        self._use = use
        self._clocks = clocks
        self._clock = clock
        self._reducer = Reducer()
        self._begun_at = self._now = self._said_at = clock()
        self._commit_by = 0.0
        self._silent_seconds = 0.0
        self._waiting: list[ReplyEvent] = []
        self._failure: GatewayError | None = None  # to be raised once nothing waits any more
        self._lease: Lease | None = None
        self.prompt = TokenEstimate()
        self.hidden = TokenEstimate()
        """Thinking that the request does not want to see."""
        self._stages: Sequence[Stage] = shape.build_stages(self.hidden)
        self._ended_early = False
        self.frames = 0

    def __repr__(self) -> str:
        return f"<Reply {self._stream!r} {self._lease!r} frames={self.frames}>"

    @property
    def conversation_id(self) -> str | None:
        return self._reducer.conversation_id

    @property
    def account(self) -> str | None:
        """The label of the account that answers."""
        return self._lease.account.label if self._lease else None

    @property
    def finished(self) -> bool:
        """The answer came to a good end, and `read` has returned it."""
        is_over = self._reducer.finished or self._ended_early
        return is_over and not self._waiting and self._failure is None

    def hear(self, deadline: float) -> None:
        """Wait for the first event, which names the conversation.

        Raises what keeps the answer from coming, so that another account may try.
        """
        first_event_by = min(self._begun_at + self._clocks.first_event, deadline)
        while not self.frames:
            if not self._wait(first_event_by):
                raise UpstreamTimeout("The upstream accepted the question and then said nothing.")

    def start(self, deadline: float) -> None:
        """Wait for the commit point: a delta, a good finish, or an upstream that is plainly at work.

        Raises as `hear` does.
        """
        self.hear(deadline)
        while not self._waiting and self._wait(min(self._commit_by, deadline)):
            pass

    def hold(self, lease: Lease) -> None:
        """From here on this reply releases the lease."""
        self._lease = lease

    def read(self) -> list[ReplyEvent] | None:
        """The next events, maybe none; None when there has been nothing to say for a heartbeat.

        Raises the GatewayError that ends the answer.
        """
        if not self._waiting:
            self._receive()
        events, self._waiting = self._waiting, []
        is_quiet = self._silent_seconds > 0.0 or self._now - self._said_at >= self._clocks.heartbeat
        if events or is_quiet:
            self._said_at = self._now
        return events if events or not is_quiet else None

    def close(self) -> None:
        """Idempotent: stop the upstream, give the account back, leave the conversation to the cleaner.

        An answer that is left while the upstream makes it is stopped before its account is given back: in the
        background where this holds the lease, else before this returns.
        """
        if self._closed:
            return
        self._closed = True
        with ExitStack() as last_things:  # in reverse, each whatever becomes of the others
            last_things.callback(self._end)
            last_things.callback(lambda: self._stream.close(is_over=self._reducer.finished))
            if self._reducer.conversation_id is None:
                self._look_for_name()

    def _end(self) -> None:
        if not self._is_left:
            self._give_back()
        elif self._lease is None:  # whoever asked gives the account on as soon as this returns
            self._stop_and_give_back()
        else:
            run_in_background(self._stop_and_give_back)

    def _look_for_name(self) -> None:
        """What has come and was not read yet may name the conversation, which else nobody would delete."""
        with suppress(GatewayError):
            if frames := self._stream.read(_GLANCE_SECONDS):
                self._take(frames)

    @property
    def _is_left(self) -> bool:
        """The upstream is, for all we know, still at work on an answer that nobody reads any more."""
        is_over = self._reducer.finished or self._stream.ended
        return not is_over and (self._failure is None or isinstance(self._failure, UpstreamTimeout))

    def _stop_and_give_back(self) -> None:
        try:
            self._stop_upstream()
        finally:
            self._give_back()

    def _stop_upstream(self) -> None:
        """So that the account's next question does not meet an upstream that has not noticed yet."""
        answer_id = self._reducer.answer_id
        if answer_id is None:
            threading.Event().wait(_NOTICE_SECONDS)
            return
        late = UpstreamTimeout("The upstream did not stop its answer in time.")
        try:
            with Deadline(_STOP_SECONDS, late):
                self._stop(answer_id)
        except GatewayError as error:
            log.debug("an answer was not stopped upstream: %s", error.code)

    def _give_back(self) -> None:
        try:
            self._use.end(delivered=self._lease is not None)
        finally:
            if self._lease is not None:
                self._lease.release(self.outcome, self._failure)

    @property
    def outcome(self) -> Outcome:
        if self._failure is not None:
            return self._failure.outcome
        return Outcome.OK if self.finished else Outcome.ABANDONED

    def _wait(self, until: float) -> bool:
        """False when the time came before anything else did."""
        seconds = until - self._clock()
        frames = self._stream.read(seconds) if seconds > 0 else None
        if frames is not None:
            self._take(frames)
        return frames is not None

    def _receive(self) -> None:
        if self._failure is not None:
            raise self._failure
        frames = self._stream.read(self._clocks.heartbeat)
        if frames is not None:
            self._silent_seconds = 0.0
            self._take(frames)
        else:
            self._silent_seconds += self._clocks.heartbeat
            if self._silent_seconds >= self._clocks.idle:
                self._fail(UpstreamTimeout("The upstream stopped talking in the middle of the answer."))
        self._now = self._clock()
        if self._now - self._begun_at > self._clocks.whole:
            self._fail(UpstreamTimeout("The answer took longer than GLM_MAX_REPLY_SECONDS allows."))

    def _take(self, frames: list[Frame]) -> None:
        if not self.frames and frames:
            self._commit_by = self._clock() + self._clocks.commit
        self.frames += len(frames)
        try:
            for frame in frames:
                self._hear(self._reducer.reduce(frame))
                if self._ended_early:
                    return
            if self._stream.ended and not self._reducer.finished:
                raise self._cut()
        except GatewayError as error:
            if self._reducer.conversation_id is not None:  # named and failed by one and the same frame
                self._use.begin(self._reducer.conversation_id)
            self._hear(self._reducer.flush())
            if not self._ended_early:
                self._fail(error)

    def _hear(self, events: list[ReplyEvent]) -> None:
        """Keep what the request wants of `events`; where it wants no more, the upstream is left at once."""
        if not events:
            return
        first = events[0]
        if isinstance(first, ReplyStarted):
            self._use.begin(first.conversation_id)
            events = events[1:]
        for stage in self._stages:
            events = stage.apply(events)
        self._waiting.extend(events)
        if self._stages and events and isinstance(events[-1], ReplyFinished) and not self._reducer.finished:
            self._ended_early = True
            self._stream.close()

    def _fail(self, error: GatewayError) -> None:
        """End the answer with `error`, but not before the client has what came before it."""
        self._failure = error
        if not self._waiting:
            raise error

    def _cut(self) -> GatewayError:
        if self.frames:
            return CutAnswer("The upstream's answer ended before it was finished.")
        return SilentAnswer("The upstream answered without a word.")
