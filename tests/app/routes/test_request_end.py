"""The end of a request: everything it holds is given back, whatever one of those things does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.accounts.authenticator import Authenticator
from app.caller_stats import History
from app.core.errors import Outcome
from app.exchange.reply import Reply
from app.gateway import Gateway
from app.metrics.counters import Counters
from app.routes.services import EXTENSION
from app.server import request_log as journal
from app.server.active_requests import ActiveRequests
from tests.app.routes.conftest import Connect

KEY = "glm-" + "k" * 43
SECRET = "what-a-failure-may-quote"
CHAT = "/v1/chat/completions"
SHORT, ENDLESS = "a", "[[chunks n=100000 pace=20]]"

ENDS: dict[str, tuple[Any, str]] = {
    "reply": (Reply, "close"),
    "open replies": (ActiveRequests, "end_reply"),
    "history": (History, "end"),
    "gate": (Authenticator, "leave"),
    "counters": (Counters, "note_request"),
    "log line": (journal.RequestLog, "_fields"),
}


@pytest.fixture
def client(connect: Connect) -> FlaskClient:
    return connect(
        GLM_REFRESH_TOKENS="demo-end-one,demo-end-two",
        GATEWAY_API_KEYS=f"x={KEY};parallel=1",
        LOG_LEVEL="INFO",
    )


def fail_after(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, which then raises."""

    def call_and_fail(self: object, *args: Any, **named: Any) -> Any:
        call(self, *args, **named)
        raise RuntimeError(SECRET)

    return call_and_fail


def ask(client: FlaskClient, *, stream: bool, leaves: bool, progress: bool = False) -> None:
    """Who leaves has been answered in part: an answer that is short may have come as a whole by then."""
    question = {"messages": [{"role": "user", "content": ENDLESS if leaves else SHORT}]}
    how = {"stream": stream, "progress": progress}
    answer = client.post(
        CHAT, json=question | how, headers={"Authorization": f"Bearer {KEY}"}, buffered=False
    )
    assert answer.status_code == 200
    body = answer.iter_encoded()
    if leaves:
        next(body)
    else:
        assert b"".join(body)
    answer.close()


def sum_up(gateway: Gateway) -> dict[str, int]:
    histories = gateway.caller_stats._histories.values()
    return {
        "open replies": gateway.active_requests.open_replies,
        "leased": gateway.pool.leased,
        "inside": gateway.authenticator._inside.total(),
        "open": sum(history.open for history in histories),
        "in use": gateway.ledger.in_use,
    }


@pytest.mark.parametrize("broken", [None, *ENDS])
@pytest.mark.parametrize("progress", [False, True], ids=["", "progress"])
@pytest.mark.parametrize(("stream", "leaves"), [(True, False), (True, True), (False, False)])
def test_one_that_fails_keeps_nothing_else_from_its_end(
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: str | None,
    stream: bool,
    leaves: bool,
    progress: bool,
) -> None:
    caplog.set_level(logging.INFO)
    gateway: Gateway = client.application.extensions[EXTENSION]
    if broken is not None:
        kind, name = ENDS[broken]
        monkeypatch.setattr(kind, name, fail_after(getattr(kind, name)))
    for _ in range(3):  # with one place: whatever is not given back is missed by the next one
        ask(client, stream=stream, leaves=leaves, progress=progress)
        eventually_free(gateway)
    assert not any(sum_up(gateway).values()), sum_up(gateway)
    assert gateway.counters.requests.total() == 3
    lines = [request_log.fields for request_log in caplog.records if request_log.getMessage() == "request"]  # type: ignore[attr-defined]
    assert len(lines) == (0 if broken == "log line" else 3)
    assert {line["outcome"] for line in lines} <= {"client gone" if leaves else "ok"}
    failures = [request_log for request_log in caplog.records if request_log.levelno >= logging.ERROR]
    twice = broken == "reply" and not stream  # a whole answer gives its account back before it is sent
    expected = 0 if broken is None else 6 if twice else 3
    # Who leaves while the answer is waited for may have gone before there was a reply to close.
    assert len(failures) == expected or (progress and leaves and len(failures) < expected)
    assert SECRET not in caplog.text
    assert all("RuntimeError at " in failure.getMessage() for failure in failures)


def eventually_free(gateway: Gateway) -> None:
    """An answer that is left is stopped upstream first, in the background."""
    for token in ("demo-end-one", "demo-end-two"):
        gateway.pool.acquire(gateway.pool.get_or_add([token]), wait_seconds=5).release(Outcome.ABANDONED)


def test_everything_may_fail_at_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for kind, name in ENDS.values():
        monkeypatch.setattr(kind, name, fail_after(getattr(kind, name)))
    gateway: Gateway = client.application.extensions[EXTENSION]
    for stream in (True, False):
        ask(client, stream=stream, leaves=stream)
        eventually_free(gateway)
    assert not any(sum_up(gateway).values()), sum_up(gateway)
    assert SECRET not in caplog.text


def test_an_end_comes_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    def note(label: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def note_and_call(self: object, *args: Any, **named: Any) -> Any:
            ended.append(label)
            return call(self, *args, **named)

        return note_and_call

    for label, (kind, name) in ENDS.items():
        monkeypatch.setattr(kind, name, note(label, getattr(kind, name)))
    for stream in (True, False):
        ended.clear()
        ask(client, stream=stream, leaves=False)
        assert list(dict.fromkeys(ended)) == list(ENDS)
        assert [label for label in ended if label != "reply"] == list(ENDS)[1:]
