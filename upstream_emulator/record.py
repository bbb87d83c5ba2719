"""What the emulator noticed: counters and the last requests, for tests to assert."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from upstream_emulator.request import Request

MAX_RECORDED_REQUESTS = 200
MAX_RECORDED_BODY_BYTES = 1024 * 1024


@dataclass(slots=True)
class RecordedRequest:
    """A request as it came, its authorization included; `account` is filled in when the caller is known."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    account: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Record:
    """Counters since the last reset. `refusals` counts by code; `requests` by path, known or not; `wiped`
    conversations that a bulk deletion took which named none."""

    recent: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=MAX_RECORDED_REQUESTS))
    requests: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    refused_deletions: int = 0
    wiped: int = 0
    stopped_early: int = 0
    tcp_connections: int = 0
    foreign_cookies: int = 0
    internal_errors: int = 0

    def add(self, request: Request) -> RecordedRequest:
        self.requests[request.path] += 1
        recorded = RecordedRequest(request.method, request.path, request.headers, _readable(request))
        self.recent.append(recorded)
        return recorded


def _readable(request: Request) -> Any:
    """The body as JSON where it is JSON, else as text; None when empty. Very long ones are cut, as text."""
    if request.form is not None:
        return request.form.as_json()
    if not request.body:
        return None
    if len(request.body) <= MAX_RECORDED_BODY_BYTES and (value := request.json()) is not None:
        return value
    return request.body[:MAX_RECORDED_BODY_BYTES].decode("utf-8", "replace")
