"""Limits over a moving minute or hour, in memory and bounded."""

from __future__ import annotations

from collections import OrderedDict, deque


class MovingWindow:
    """At most `most` events in any `seconds`. Times come from the caller's clock. Not thread-safe."""

    __slots__ = ("_events", "_most", "_seconds")

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._events: deque[float] = deque(maxlen=most)

    def free_at(self, now: float) -> float:
        """When the next event fits: `now`, or later."""
        if len(self._events) < self._most:
            return now
        return max(now, self._events[0] + self._seconds)

    def add(self, now: float) -> None:
        self._events.append(now)


class Windows:
    """One MovingWindow per name; the least recently used names are forgotten beyond a bound."""

    def __init__(self, most: int, seconds: float, max_names: int = 10_000) -> None:
        self._most = most
        self._seconds = seconds
        self._max_names = max_names
        self._windows: OrderedDict[str, MovingWindow] = OrderedDict()

    def find(self, name: str) -> MovingWindow | None:
        """The window of this name, if it has one; it is not remembered for being asked for."""
        return self._windows.get(name)

    def of(self, name: str) -> MovingWindow:
        window = self._windows.setdefault(name, MovingWindow(self._most, self._seconds))
        self._windows.move_to_end(name)
        if len(self._windows) > self._max_names:
            self._windows.popitem(last=False)
        return window
