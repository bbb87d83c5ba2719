"""One log per request: what it holds until its response is closed, its line, its client's watch."""

from __future__ import annotations

import logging
import os
import socket
import time
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Flask, Response, g
from flask.globals import request_ctx

from app.caller_stats import Sample
from app.core.errors import GatewayError
from app.core.upstream_words import UpstreamWords, describe_words
from app.hub import Client, ClientWatch
from app.log_line import OwnText
from app.logs import redactor
from app.metrics.counters import Counters
from app.server.active_requests import ActiveRequests
from app.server.refusal import choose_level

log = logging.getLogger(__name__)

_UNKNOWN = "unknown"
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_PROXY_AUTHORIZATION")
_QUIET_PATHS = frozenset({"/", "/ping", "/health/live", "/health/ready"})


class RequestLog:
    """What is worth saying about one request, and the stack of what it holds. `close` ends both, once.

    Whoever takes something for the request pushes its end with `on_close`. The ends run in reverse order
    when the response is closed, each one whatever becomes of the others.
    """

    __slots__ = (
        "_active_requests",
        "_answers",
        "_begun_at",
        "_client",
        "_connection",
        "_counters",
        "_credentials",
        "_ends",
        "_failed_status",
        "_upstream",
        "_watch",
        "account",
        "first_delta_at",
        "frames",
        "has_response",
        "id",
        "key",
        "model",
        "outcome",
        "path",
        "route",
        "status",
    )

    def __init__(
        self,
        path: str,
        route: str,
        environ: Mapping[str, Any],
        active_requests: ActiveRequests,
        counters: Counters,
    ) -> None:
        """`path` is a rule's own, never what a caller wrote; `route` what many requests have in common."""
        self.id = os.urandom(16).hex()
        self.path = path
        self.route = route
        self.status = 0
        self.account: str | None = None
        self.model: str | None = None
        """What answered, by the upstream's name for it."""
        self.key: str | None = None
        """The label of the gateway key, where one was presented."""
        self.first_delta_at: float | None = None
        self.frames = 0
        self.has_response = False
        """From then on the server closes this with the response."""
        self.outcome: str | None = None
        self._failed_status = 0
        self._upstream: UpstreamWords | None = None
        self._begun_at = time.monotonic()
        self._watch: ClientWatch | None = None
        self._active_requests = active_requests
        self._counters = counters
        self._answers = False
        self._client: Client | None = None
        self._credentials = [redactor.hold(_read_credentials(environ))]
        # The credentials last: until then they are known for secrets.
        self._ends: list[Callable[[], None]] = [self._release_credentials, self._log, self._count]
        self._connection: socket.socket | None = environ.get("gunicorn.socket")
        if self._connection is not None:
            self._client = active_requests.enter(self._connection)
            self._ends.append(partial(active_requests.leave, self._client))

    def hold(self, secret: str) -> None:
        """`secret`, which came in the body, is known to the log until this request has its line."""
        self._credentials.append(redactor.hold(secret))

    def forget_credentials(self) -> None:
        """Nothing of what this request showed is to be remembered."""
        for hold in self._credentials:
            hold.forget()

    def on_close(self, end: Callable[[], None]) -> None:
        """`end` runs when the request is over, however it ends; should it fail, the log says so."""
        self._ends.append(end)

    def begin_reply(self) -> None:
        """From here on this is an open reply, and ends when its client hangs up. Call after reading the body.

        Raises ShuttingDown or TooManyStreams.
        """
        if not self._answers:
            self._active_requests.begin_reply()
            self._answers = True
            self.on_close(self._active_requests.end_reply)
        if self._connection is not None and self._watch is None:
            self._watch = ClientWatch(self._connection)

    def give_back(self, end: Callable[[], None]) -> None:
        """Run one end now, ahead of the others and shielded; what is left may be interrupted again."""
        self._shield()
        _run_guarded(end)
        if self._client is not None:
            self._client.unshield()

    def _shield(self) -> None:
        """From here on the request is not interrupted: what gives things back must run to its end."""
        if self._client is not None:
            self._client.shield()
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def fail(self, error: GatewayError) -> None:
        """The request ends with `error`, which is not kept: it would keep all that it saw on its way."""
        self.outcome, self._failed_status = error.code, error.status
        self.account = error.account or self.account
        self._upstream = error.upstream

    def close(self) -> None:
        """Idempotent."""
        if self._ends:
            _run_guarded(self._shield)
        try:
            while self._ends:
                end = self._ends.pop()
                try:
                    end()
                except Exception as exc:  # noqa: BLE001 - whatever it is, the other ends must run
                    _log_failed_end(exc)
        finally:
            if self._ends:  # one of them was broken off by more than an error
                self.close()

    def _count(self) -> None:
        seconds, first = self._measure()
        self._counters.note_request(self.route, self.outcome or "ok", seconds, first, self.frames)

    def _log(self) -> None:
        level = choose_level(max(self.status, self._failed_status))
        if self._is_quiet():
            level = logging.DEBUG
        log.log(level, "request", extra={"fields": self._fields()})

    def _release_credentials(self) -> None:
        for hold in self._credentials:
            hold.release()

    def sample(self) -> Sample:
        """What the watch is told of it. Call when it is over."""
        seconds, first = self._measure()
        if first is None:
            return Sample(self.outcome or "ok")
        return Sample(self.outcome or "ok", first, self.frames, seconds - first)

    def _measure(self) -> tuple[float, float | None]:
        """The seconds from its beginning until now, and until the first delta."""
        first = None if self.first_delta_at is None else self.first_delta_at - self._begun_at
        return time.monotonic() - self._begun_at, first

    def _is_quiet(self) -> bool:
        is_usual = self.path.startswith("/page/") or self.path == "/metrics"
        return self.path in _QUIET_PATHS or (is_usual and self.status < 400)

    def _fields(self) -> dict[str, object]:
        seconds, first = self._measure()
        return {
            "id": OwnText(self.id),
            "path": OwnText(self.path),
            "status": self.status or None,
            "key": self.key,
            "account": self.account,
            "model": self.model,
            "first_delta": None if first is None else round(first, 3),
            "duration": round(seconds, 3),
            "frames": self.frames or None,
            "outcome": self.outcome or "ok",
            **describe_words(self._upstream),
        }


def _run_guarded(end: Callable[[], None]) -> None:
    try:
        end()
    except Exception as exc:  # noqa: BLE001 - whatever it is, the other ends must run
        _log_failed_end(exc)


def _log_failed_end(exc: Exception) -> None:
    """Not its words, which may quote anything."""
    place = traceback.extract_tb(exc.__traceback__)[-1]
    name = f"{type(exc).__name__} at {place.filename}:{place.lineno}"
    log.error("something that a request held was not given back in order: %s", name)


def install(app: Flask, active_requests: ActiveRequests, counters: Counters) -> None:
    """Keep a log of every request of `app`."""
    app.before_request(partial(_begin, active_requests, counters))
    app.after_request(_hand_over)
    app.teardown_request(_give_up)


def _read_credentials(environ: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, map(environ.get, _CREDENTIALS)))


def _begin(active_requests: ActiveRequests, counters: Counters) -> None:
    request = request_ctx.request  # itself: flask's `request` looks for it at each use
    rule = request.url_rule
    # As the route itself is written: what callers put into a path may be anything, a token even.
    path = _UNKNOWN if rule is None else rule.rule
    route = "preflight" if request.method == "OPTIONS" else path
    g.request_log = RequestLog(path, route, request.environ, active_requests, counters)


def _hand_over(response: Response) -> Response:
    request_log: RequestLog = g.request_log
    request_log.status = response.status_code
    response.headers["X-Request-Id"] = response.headers["Request-Id"] = (
        request_log.id
    )  # OpenAI's, Anthropic's
    response.call_on_close(request_log.close)
    request_log.has_response = True
    return response


def _give_up(exc: BaseException | None) -> None:
    """A request that never got a response: its client went away."""
    if exc is not None and not g.request_log.has_response:
        g.request_log.outcome = "client gone"
        g.request_log.close()
