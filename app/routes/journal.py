"""One log line per request, written when its response is closed, and the watch over the client meanwhile."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable

from flask import Flask, Response, g, request

from app.hub import Client, ClientWatch
from app.logs import redactor
from app.metrics.tally import Tally
from app.presence import Presence
from app.routes.services import services
from app.traffic import Sample

log = logging.getLogger(__name__)

_UNKNOWN = "unknown"
_CREDENTIALS = ("Authorization", "X-Api-Key", "Proxy-Authorization")
_QUIET_PATHS = frozenset({"/", "/ping", "/health/live", "/health/ready"})


class Record:
    """What is worth saying about one request. `close` writes it, once."""

    __slots__ = (
        "_answers",
        "_begun_at",
        "_callbacks",
        "_client",
        "_credentials",
        "_presence",
        "_tally",
        "_watch",
        "account",
        "chunks",
        "first_delta_at",
        "id",
        "outcome",
        "path",
        "route",
        "status",
    )

    def __init__(self, path: str, route: str, presence: Presence, tally: Tally) -> None:
        """`route` names what is asked for in few words: it is what many requests have in common."""
        self.id = uuid.uuid4().hex
        self.path = path
        self.route = route
        self.status = 0
        self.account: str | None = None
        self.first_delta_at: float | None = None
        self.chunks = 0
        self.outcome: str | None = None
        self._begun_at = time.monotonic()
        self._watch: ClientWatch | None = None
        self._presence = presence
        self._tally = tally
        connection = request.environ.get("gunicorn.socket")
        self._client: Client | None = presence.enter(connection) if connection is not None else None
        self._answers = False
        self._callbacks: list[Callable[[], None]] = []
        self._credentials = [redactor.hold(_read_credentials())]

    def hold(self, secret: str) -> None:
        """`secret`, which came in the body, is known to the log until this request has its line."""
        self._credentials.append(redactor.hold(secret))

    def forget_credentials(self) -> None:
        """Nothing of what this request showed is to be remembered."""
        for hold in self._credentials:
            hold.forget()

    def on_close(self, callback: Callable[[], None]) -> None:
        """`callback` runs when the request is over, however it ends."""
        self._callbacks.append(callback)

    def watch_client(self) -> None:
        """From here on this is an open reply, and ends when its client hangs up. Call after reading the body.

        Raises ShuttingDown or TooManyStreams.
        """
        if not self._answers:
            self._presence.begin_reply()
            self._answers = True
        client = request.environ.get("gunicorn.socket")
        if client is not None and self._watch is None:
            self._watch = ClientWatch(client)

    def unwatch_client(self) -> None:
        """From here on the request runs to its end: what gives things back must not be interrupted."""
        if self._client is not None:
            self._client.shield()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def given_back(self) -> None:
        """Everything is: what is left of the request is bytes for its client, who may be given up."""
        if self._client is not None:
            self._client.unshield()

    def mark_first_delta(self) -> None:
        if self.first_delta_at is None:
            self.first_delta_at = time.monotonic()

    def close(self) -> None:
        self.unwatch_client()
        if self._client is not None:
            self._presence.leave(self._client)
        if self._answers:
            self._answers = False
            self._presence.end_reply()
        for callback in self._callbacks:
            callback()
        self._tally.note_request(
            self.route, self.outcome or "ok", self._seconds, self._first_delta_seconds, self.chunks
        )
        level = logging.DEBUG if self._is_quiet() else logging.INFO
        log.log(level, "request", extra={"fields": self._fields()})
        for hold in self._credentials:
            hold.release()

    def sample(self) -> Sample:
        """What the watch is told of it. Call when it is over."""
        first = self._first_delta_seconds
        if first is None:
            return Sample(self.outcome or "ok")
        return Sample(self.outcome or "ok", first, self.chunks, self._seconds - first)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begun_at

    @property
    def _first_delta_seconds(self) -> float | None:
        return None if self.first_delta_at is None else self.first_delta_at - self._begun_at

    def _is_quiet(self) -> bool:
        is_usual = self.path.startswith("/page/") or self.path == "/metrics"
        return self.path in _QUIET_PATHS or (is_usual and self.status < 400)

    def _fields(self) -> dict[str, object]:
        first = self._first_delta_seconds
        return {
            "id": self.id,
            "path": self.path,
            "status": self.status or None,
            "account": self.account,
            "first_delta": None if first is None else round(first, 3),
            "duration": round(self._seconds, 3),
            "chunks": self.chunks or None,
            "outcome": self.outcome or "ok",
        }


def install(app: Flask) -> None:
    """Keep a record of every request of `app`."""
    app.before_request(_begin)
    app.after_request(_hand_over)
    app.teardown_request(_give_up)


def _read_credentials() -> str:
    return "\n".join(filter(None, map(request.headers.get, _CREDENTIALS)))


def _begin() -> None:
    rule, known = request.url_rule, services()
    # As the route itself is written: what callers put into a path may be anything, a token even.
    path = _UNKNOWN if rule is None else rule.rule
    route = "preflight" if request.method == "OPTIONS" else path
    g.record = Record(path, route, known.presence, known.tally)


def _hand_over(response: Response) -> Response:
    record: Record = g.record
    record.status = response.status_code
    response.headers["X-Request-Id"] = record.id
    response.call_on_close(record.close)
    g.handed_over = True
    return response


def _give_up(exc: BaseException | None) -> None:
    """A request that never got a response: its client went away."""
    if exc is not None and "handed_over" not in g:
        g.record.outcome = "client gone"
        g.record.close()
