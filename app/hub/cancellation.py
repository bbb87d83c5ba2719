"""What is thrown into a request from outside, and what it waits for (the rules: app/hub/__init__.py)."""

from __future__ import annotations

from typing import Any

import gevent
from gevent import GreenletExit as GreenletExit  # noqa: PLC0414  for the server, which must not name gevent
from gevent import getcurrent

NAME_SECONDS = 0.6
"""So long a client that leaves is put off until what it began upstream has a name, to be deleted by."""


class ClientGone(GreenletExit):  # type: ignore[misc]
    """The client closed its connection; raised wherever its request happens to wait.

    A GreenletExit, so that no `except Exception` on the way mistakes it for a failure of the upstream and
    gunicorn ends the request without a word.
    """


class Shield:
    """`with Shield(seconds):` what is thrown in from outside is raised at the end of the block instead.

    The block may go on for `seconds` after that; None: for as long as it takes. What was put off takes the
    place of an error that the block ends with: who is gone stays gone.
    """

    __slots__ = ("_error", "_greenlet", "_seconds", "_timer")

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._greenlet = getcurrent()
        self._error: BaseException | None = None
        self._timer: Any = None

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_: object) -> None:
        error = self.end()
        if error is not None and self._greenlet in _shields:
            _shields[self._greenlet][-1].put_off(error)
        elif error is not None:
            raise error

    def begin(self) -> None:
        """Idempotent."""
        shields = _shields.setdefault(self._greenlet, [])
        if self not in shields:
            shields.append(self)

    def end(self) -> BaseException | None:
        """What was put off and not raised yet. Idempotent."""
        shields = _shields.get(self._greenlet, [])
        if self in shields:
            shields.remove(self)
        if not shields:
            _shields.pop(self._greenlet, None)
        if self._timer is not None:
            self._timer.close()
        error, self._error = self._error, None
        return error

    def put_off(self, error: BaseException) -> None:
        """The first error counts: those who throw again mean the same."""
        if self._error is None:
            self._error = error
            if self._seconds is not None:
                self._timer = gevent.get_hub().loop.timer(self._seconds)
                self._timer.start(lambda: interrupt(self._greenlet, self.end() or error))


_shields: dict[Any, list[Shield]] = {}
"""The open shields of every greenlet that has one, the innermost last."""


def interrupt(greenlet: Any, error: BaseException) -> None:
    """Raise `error` where `greenlet` waits, or at the end of what it shields. Call in the event loop."""
    shields = _shields.get(greenlet)
    if shields:
        shields[-1].put_off(error)
    else:
        greenlet.throw(error)
