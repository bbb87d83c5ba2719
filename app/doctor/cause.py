"""What lies beneath an error: the operating system's words, wherever libraries have wrapped them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)
_TUNNEL = re.compile(r"Tunnel connection failed: \d{3}[\w .-]*")


def find_cause(error: BaseException, kind: type[_Error]) -> _Error | None:
    """The first error of this kind in what `error` came from, itself included."""
    return next((cause for cause in _walk(error) if isinstance(cause, kind)), None)


def say_cause(error: BaseException) -> str:
    """Why there is no connection. Other foreign words may hold addresses and headers: none are passed on."""
    for cause in _walk(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        if refused := _TUNNEL.search(str(cause)):
            return refused[0]
    return str(error)


def _walk(error: BaseException) -> Iterator[BaseException]:
    """`error`, its cause, its context, and those that it was made of, each once; the nearest first."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop(0)
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            beneath = (
                current.__cause__,
                current.__context__,
                getattr(current, "reason", None),
                *current.args,
            )
            waiting += [below for below in beneath if isinstance(below, BaseException)]
