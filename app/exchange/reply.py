"""One answer on its way: reads the upstream's events, keeps the clocks, and owns what must be given back.

    OPENING                                                      COMMITTED               CLOSED
    asked --wait_first_event()--> named --wait_commit()--> own_lease(lease) --read()...--> close()
      |                             |
      +-----------------------------+--> close(in_background=False): the opener has the lease, and
            either raises                another account may be asked

A committed reply comes to its end in one of three ways:

    finished  by the upstream's finish or filter, or early, by a transform (stop, length, a call); everything
              that waited has been read. Outcome OK
    failed    `_failure` is set: `read` returns what waits, then raises it. The failure's own outcome
    left      client gone or shutdown, thrown in from outside wherever this waits. Outcome ABANDONED

`close` comes after all of them, and gives back the stream, the conversation, the lease, in this order.
Where the upstream may still be at work (left, ended early, failed by a clock), its answer is stopped once
the stream is closed. That may take _STOP_SECONDS: a committed reply does it in a thread, the opener waits
for it, since it gives the account to the next question as soon as `close` returns.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from functools import partial

from app.accounts.lease import Lease
from app.background import run_in_background
from app.catalogue.upstream import ANSWER_TOO_LONG, NOT_STOPPED_IN_TIME, SAID_NOTHING, STOPPED_TALKING
from app.conversations.use import ConversationUse
from app.core.errors import GatewayError, Outcome, UpstreamTimeout
from app.core.event import ReplyEvent, ReplyFinished
from app.core.usage import TokenEstimate
from app.exchange.answer import NO_REMEDIES, Answer, Remedies
from app.exchange.clock import Clocks
from app.exchange.delivered_text import DeliveredText
from app.exchange.echo import Echo
from app.exchange.transforms.options import UNCHANGED, OutputOptions
from app.hub import Deadline
from app.upstream.stream import AnswerStream

log = logging.getLogger(__name__)

# Within the second in which a client that left frees its account.
_STOP_SECONDS = 0.8
_GLANCE_SECONDS = 0.001
# For an upstream to see that a connection was closed, where there is no name to stop the answer by.
_NOTICE_SECONDS = 0.05


class Phase(Enum):
    """Who holds the lease."""

    OPENING = "opening"
    """The opener: another account may still be asked, and nothing has been delivered."""
    COMMITTED = "committed"
    """The reply, which its client hears."""
    CLOSED = "closed"


class Reply:
    """Iterate with `read` until `finished`; then, or on any error, `close`. Used by one greenlet."""

    def __init__(
        self,
        stream: AnswerStream,
        use: ConversationUse,
        clocks: Clocks,
        clock: Callable[[], float] = time.monotonic,
        options: OutputOptions = UNCHANGED,
        *,
        stop: Callable[[str], None],
        remedies: Remedies = NO_REMEDIES,
    ) -> None:
        """`stop` has the upstream end an answer, given its id."""
        self._stop = stop
        self._phase = Phase.OPENING
        self._use = use
        self._clocks = clocks
        self._clock = clock
        self._begun_at = self._now = self._said_at = clock()
        self._commit_by = 0.0
        self._silent_seconds = 0.0  # waited for since the last event; comments and blank lines are none
        self._is_quiet = False
        self.finished = False
        """The answer came to a good end, and `read` has returned it."""
        self._waiting: list[ReplyEvent] = []
        self._failure: GatewayError | None = None  # to be raised once nothing waits any more
        self._lease: Lease | None = None
        self.prompt = TokenEstimate()
        self.hidden = TokenEstimate()
        """Thinking that the request does not want to see."""
        self.echo = Echo(None)
        self.delivered: DeliveredText | None = None
        transforms = options.build_transforms(self.hidden)
        self._answer = Answer(
            stream, transforms, on_named=use.begin, stop=self._stop_upstream, remedies=remedies
        )

    def __repr__(self) -> str:
        return f"<Reply {self._phase.value} {self._answer!r} {self._lease!r}>"

    @property
    def conversation_id(self) -> str | None:
        return self._answer.conversation_id

    @property
    def model(self) -> str | None:
        """What answers, by the upstream's name for it; None while it has not said so."""
        return self._answer.model

    @property
    def turn(self) -> int:
        """Which answer of its conversation this is, from 1."""
        return self._use.turn

    @property
    def frames(self) -> int:
        """How many documents of the upstream have been read."""
        return self._answer.frames

    @property
    def account(self) -> str | None:
        """The label of the account that answers."""
        return self._lease.account.label if self._lease else None

    @property
    def owner(self) -> str | None:
        """Who owns the conversation: the login of the account that answers."""
        return self._lease.account.owner if self._lease else None

    @property
    def has_come(self) -> bool:
        """Something of the answer is here, so that `read` does not wait."""
        return bool(self._waiting)

    def wait_first_event(self, until: float) -> None:
        """Wait for the first event, which names the conversation; until that time of the clock.

        Raises what keeps the answer from coming, so that another account may try.
        """
        while not self.frames:
            if not self._wait(until):
                raise UpstreamTimeout(SAID_NOTHING)

    def wait_commit(self, until: float) -> None:
        """Wait for the commit point: a delta, a good finish, or an upstream that is plainly at work.

        Comes after `wait_first_event`, and raises as that does.
        """
        while not self._waiting and self._wait(min(self._commit_by, until)):
            pass

    def own_lease(self, lease: Lease) -> None:
        """Committed: from here on this reply releases the lease."""
        self._lease = lease
        self._phase = Phase.COMMITTED

    def expect_whole(self) -> None:
        """Nobody hears of it before its end: where it is cut, it may come from what is stored."""
        self._answer.expect_whole()

    def read(self) -> list[ReplyEvent] | None:
        """The next events, maybe none; None when there has been nothing to say for a heartbeat.

        Raises the GatewayError that ends the answer.
        """
        if not self._waiting:
            self._receive()
        events, self._waiting = self._waiting, []
        if events:
            self._said_at = self._now
            if self.delivered is not None:
                self.delivered.add(events)
            if type(events[-1]) is ReplyFinished:
                self.finished = self._failure is None
                if self.delivered is not None:
                    self.delivered.end(events[-1], self.turn, is_cut_short=self._answer.is_cut_short)
        elif self._is_quiet or self._now - self._said_at >= self._clocks.heartbeat:
            self._said_at = self._now
            return None
        return events

    def close(self, *, in_background: bool = True) -> None:
        """Idempotent. An answer that is left is stopped, `in_background` or here; then all is given back."""
        if self._phase is Phase.CLOSED:
            return
        give_back = partial(self._give_back, delivered=self._phase is Phase.COMMITTED)
        self._phase = Phase.CLOSED
        try:
            # What has come and was not read yet may name the conversation, which else nobody would delete.
            if self._answer.conversation_id is None:
                with suppress(GatewayError):
                    self._answer.read(_GLANCE_SECONDS, is_committed=False)
        finally:
            try:
                self._answer.close()
            finally:
                self._end(give_back, in_background=in_background)

    def _end(self, give_back: Callable[[], None], *, in_background: bool) -> None:
        if not self._is_left:
            give_back()
        elif in_background:
            run_in_background(partial(self._stop_and, give_back))
        else:
            self._stop_and(give_back)

    @property
    def _is_left(self) -> bool:
        """The upstream is, for all we know, still at work on an answer that nobody reads any more."""
        return not self._answer.is_over_upstream and (
            self._failure is None or isinstance(self._failure, UpstreamTimeout)
        )

    def _stop_and(self, give_back: Callable[[], None]) -> None:
        try:
            self._stop_upstream()
        finally:
            give_back()

    def _stop_upstream(self) -> None:
        """So that the account's next question does not meet an upstream that has not noticed yet."""
        answer_id = self._answer.answer_id
        if answer_id is None:
            threading.Event().wait(_NOTICE_SECONDS)
            return
        try:
            with Deadline(_STOP_SECONDS, UpstreamTimeout(NOT_STOPPED_IN_TIME)):
                self._stop(answer_id)
        except GatewayError as error:
            log.debug("an answer was not stopped upstream: %s", error.code)

    def _give_back(self, *, delivered: bool) -> None:
        delivered_text, self.delivered = self.delivered, None  # what it tells may know this reply
        if delivered_text is not None and not delivered_text.keeps:
            self._use.forgo()
        try:
            self._use.end(delivered=delivered, is_answered=self.finished)
        finally:
            outcome, failure, self._failure = self.outcome, self._failure, None
            if failure is not None:
                failure.forget_frames()
            if self._lease is not None:
                self._lease.release(outcome, failure)

    @property
    def outcome(self) -> Outcome:
        if self._failure is not None:
            return self._failure.outcome
        return Outcome.OK if self.finished else Outcome.ABANDONED

    def _wait(self, until: float) -> bool:
        """False when the time came before anything else did."""
        return (seconds := until - self._clock()) > 0 and self._read(seconds)

    def _receive(self) -> None:
        if self._failure is not None:
            raise self._failure
        begun_at, frames, seconds = self._clock(), self._answer.frames, self._clocks.heartbeat
        if self._silent_seconds:
            seconds = min(seconds, self._clocks.idle - self._silent_seconds)
        has_come = self._read(seconds)
        self._now = self._clock()
        self._is_quiet = not has_come
        if self._answer.frames > frames:
            self._silent_seconds = 0.0
        else:
            self._silent_seconds += self._now - begun_at if has_come else seconds
            if self._silent_seconds >= self._clocks.idle and not self._answer.ended:
                self._fail(UpstreamTimeout(STOPPED_TALKING))
        if self._now - self._begun_at > self._clocks.whole:
            self._fail(UpstreamTimeout(ANSWER_TOO_LONG))

    def _read(self, seconds: float) -> bool:
        """Take what the upstream says next; False when so many seconds passed in silence."""
        try:
            events = self._answer.read(seconds, is_committed=self._phase is Phase.COMMITTED)
            if events is None:
                return False
            self._waiting.extend(events)
        except GatewayError as error:
            self._fail(error)
        if not self._commit_by and self._answer.frames:
            self._commit_by = self._clock() + self._clocks.commit
        return True

    def _fail(self, error: GatewayError) -> None:
        """End the answer with `error`, but not before the client has what came before it."""
        self._failure = error
        error.account = self.account
        self.echo.leave_out(error)
        if not self._waiting:
            raise error
