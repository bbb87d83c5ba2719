"""Who is inside: the requests being served, how many may be, and what becomes of them at the end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.catalogue.load import SHUTTING_DOWN, STREAMS_FULL, WATCHES_FULL
from app.core.errors import ShuttingDown, TooManyStreams
from app.hub import Client, ClientGone, RepeatingTimer

_LOOKS = 4
"""So often a client that does not read is looked at before it is given up."""

_INSIST_SECONDS = 0.5
_RETRY_SECONDS = 5.0


class Limits(msgspec.Struct, frozen=True):
    """How many replies may be open, and how long a client and a shutdown may take, in seconds."""

    max_replies: int
    write_seconds: float
    drain_seconds: float
    drain_file: str | None = None


class Watches:
    """The open `/v1/watch`es: a bound in all, since they are no answers and callers can be made up.

    Used in the thread of the event loop alone.
    """

    def __init__(self, most: int = 100, *, replaces_oldest: bool) -> None:
        """Beyond `most` the oldest is ended, or the newest refused: where callers are known, none pushes
        another one out."""
        self._most = most
        self._replaces_oldest = replaces_oldest
        self._open: dict[threading.Event, None] = {}

    def __repr__(self) -> str:
        return f"<Watches open={len(self._open)}>"

    def enter(self) -> threading.Event:
        """One more, which ends as soon as the event is set; it must `leave`. Raises TooManyStreams."""
        if len(self._open) >= self._most:
            if not self._replaces_oldest:
                raise TooManyStreams(
                    WATCHES_FULL.fill(count=self._most),
                    retry_after_seconds=_RETRY_SECONDS,
                )
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.set()
        ended = threading.Event()
        self._open[ended] = None
        return ended

    def leave(self, ended: threading.Event) -> None:
        """Idempotent."""
        self._open.pop(ended, None)


class ActiveRequests:
    """Used in the thread of the event loop alone; nothing here waits."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._clients: set[Client] = set()
        self._look: RepeatingTimer | None = None
        self._end: RepeatingTimer | None = None
        self.stopping = False
        self.open_replies = 0

    def __repr__(self) -> str:
        state = f"clients={len(self._clients)} replies={self.open_replies} stopping={self.stopping}"
        return f"<ActiveRequests {state}>"

    @property
    def ready(self) -> bool:
        """Whether a balancer should send more: not while stopping, nor while the drain file lies there."""
        drain_file = self._limits.drain_file
        return not self.stopping and not (drain_file is not None and Path(drain_file).exists())

    def enter(self, connection: socket.socket) -> Client:
        """A request begins, in this greenlet; it must `leave`."""
        client = Client(connection)
        self._clients.add(client)
        if self._look is None:
            seconds = self._limits.write_seconds / _LOOKS
            self._look = RepeatingTimer(seconds, seconds, self._drop_stuck_clients)
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        client.unshield()

    def begin_reply(self) -> None:
        """Count one more; whoever calls this must `end_reply`. Raises ShuttingDown or TooManyStreams."""
        self.check()
        if self.open_replies >= self._limits.max_replies:
            raise TooManyStreams(
                STREAMS_FULL.fill(count=self.open_replies),
                retry_after_seconds=_RETRY_SECONDS,
            )
        self.open_replies += 1

    def end_reply(self) -> None:
        self.open_replies -= 1

    def check(self) -> None:
        """Raises ShuttingDown when nothing new may begin."""
        if self.stopping:
            raise _shutting_down()

    def stop(self) -> None:
        """Nothing new from now on; who is inside may finish for GLM_DRAIN_SECONDS, and then is told."""
        if not self.stopping:
            self.stopping = True
            self._end = RepeatingTimer(self._limits.drain_seconds, _INSIST_SECONDS, self._end_all)

    def close(self) -> None:
        """Idempotent."""
        for alarm in (self._look, self._end):
            if alarm is not None:
                alarm.close()

    def _end_all(self) -> None:
        for client in list(self._clients):
            client.interrupt(_shutting_down())

    def _drop_stuck_clients(self) -> None:
        now = self._clock()
        for client in list(self._clients):
            if client.stuck_seconds(now) >= self._limits.write_seconds:
                client.interrupt(ClientGone())


def _shutting_down() -> ShuttingDown:
    return ShuttingDown(SHUTTING_DOWN, retry_after_seconds=_RETRY_SECONDS)
