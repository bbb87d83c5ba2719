"""What each caller's requests of the last hour were like: a few sums every half minute, in memory alone.

Fed once as a request begins and once as it ends, never by a chunk. Bounded: so many callers, an hour each,
and a caller nobody has heard of for an hour is forgotten. Who is not kept is forgotten with the last request.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from weakref import WeakValueDictionary

import msgspec

BUCKET_SECONDS = 30
_HOUR_SECONDS = 3600
_MAX_CALLERS = 256
_MAX_WATCHERS = 4


class Sample(msgspec.Struct, frozen=True):
    """One request that is over. `streaming_seconds` passed between its first and its last chunk."""

    outcome: str
    """`ok`, or what went wrong in one word: the code of an error, `client gone`."""

    first_delta_seconds: float | None = None
    frames: int = 0
    streaming_seconds: float = 0.0


class _Bucket(msgspec.Struct):
    at: int
    requests: int = 0
    answered: int = 0
    first_delta_seconds: float = 0.0
    frames: int = 0
    streaming_seconds: float = 0.0
    max_open: int = 0
    max_queued: int = 0
    errors: Counter[str] = msgspec.field(default_factory=Counter)

    def describe(self) -> dict[str, object]:
        first = round(self.first_delta_seconds / self.answered, 3) if self.answered else None
        pace = round(self.frames / self.streaming_seconds, 1) if self.streaming_seconds > 0.1 else None
        return {
            "at": self.at,
            "requests": self.requests,
            "first_delta_seconds": first,
            "frames_per_second": pace,
            "open": self.max_open,
            "queued": self.max_queued,
            "errors": dict(self.errors),
        }


class History:
    """The last hour of one caller. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: deque[_Bucket] = deque(maxlen=_HOUR_SECONDS // BUCKET_SECONDS)
        self._tickets = 0
        self.open = 0
        self.version = 0
        """Grows with every change."""
        self.touched_at = clock()

    def begin(self) -> None:
        """A request begins; it must `end`."""
        with self._lock:
            self.open += 1
            bucket = self._bucket()
            bucket.max_open = max(bucket.max_open, self.open)

    def end(self, sample: Sample, queued: int) -> None:
        """`queued` requests of this caller wait for an account meanwhile."""
        with self._lock:
            self.open -= 1
            bucket = self._bucket()
            bucket.requests += 1
            bucket.max_queued = max(bucket.max_queued, queued)
            bucket.frames += sample.frames
            bucket.streaming_seconds += sample.streaming_seconds
            if sample.first_delta_seconds is not None:
                bucket.answered += 1
                bucket.first_delta_seconds += sample.first_delta_seconds
            if sample.outcome != "ok":
                bucket.errors[sample.outcome] += 1

    def describe(self, since: float = 0.0) -> list[dict[str, object]]:
        """The half minutes that had requests and were not over at `since`, oldest first."""
        oldest = max(since - BUCKET_SECONDS, self._clock() - _HOUR_SECONDS)
        with self._lock:
            return [bucket.describe() for bucket in self._buckets if bucket.at > oldest]

    def take_ticket(self) -> int:
        """For one more watcher."""
        self._tickets += 1
        return self._tickets

    def is_valid(self, ticket: int) -> bool:
        """Whether this watcher is among the few newest; the others shall leave."""
        return ticket > self._tickets - _MAX_WATCHERS

    def _bucket(self) -> _Bucket:
        now = self._clock()
        self.touched_at = now
        self.version += 1
        at = int(now) // BUCKET_SECONDS * BUCKET_SECONDS
        if not self._buckets or self._buckets[-1].at < at:
            self._buckets.append(_Bucket(at))
        return self._buckets[-1]


class CallerStats:
    """The histories of all callers, each known by a digest. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time."""
        self._clock = clock
        self._lock = threading.Lock()
        self._histories: WeakValueDictionary[str, History] = WeakValueDictionary()
        self._kept: OrderedDict[str, History] = OrderedDict()

    def __repr__(self) -> str:
        return f"<CallerStats callers={len(self._kept)}>"

    def of(self, caller: str) -> History:
        """The history of one caller, from now on where there was none, for as long as somebody holds it."""
        with self._lock:
            history = self._histories.get(caller)
            if history is None:
                history = self._histories[caller] = History(self._clock)
            if caller in self._kept:
                self._touch(caller, history)
            return history

    def keep(self, caller: str, history: History) -> None:
        """Hold what `of` gave for an hour after the last request."""
        with self._lock:
            self._touch(caller, history)

    def _touch(self, caller: str, history: History) -> None:
        history.touched_at = self._clock()
        self._kept[caller] = history
        self._kept.move_to_end(caller)
        while len(self._kept) > _MAX_CALLERS or self._is_over(next(iter(self._kept.values()))):
            self._kept.popitem(last=False)

    def _is_over(self, history: History) -> bool:
        return history.open == 0 and self._clock() - history.touched_at > _HOUR_SECONDS
