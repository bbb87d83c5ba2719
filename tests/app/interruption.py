"""Requests that are interrupted at each place where they wait, one after the other, among greenlets.

`python -m tests.app.interruption NAME` plays one scene again and again, each time one wait later, until the
request comes through unharmed, and prints what was wrong afterwards as JSON. What interrupts is thrown by the
event loop as `ClientWatch` does it; there a client must leave in the very moment, here it is looked for.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import logging  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from contextlib import suppress  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
import greenlet  # type: ignore[import-untyped]  # noqa: E402

from app.accounts.authenticator import Authenticator  # noqa: E402
from app.accounts.configured_tokens import ConfiguredTokens  # noqa: E402
from app.accounts.login import Logins  # noqa: E402
from app.accounts.pool import AccountPool  # noqa: E402
from app.accounts.refresh import Refresher  # noqa: E402
from app.accounts.vault import Vault  # noqa: E402
from app.auth_token import AccessToken, RefreshedTokens  # noqa: E402
from app.background import run_in_background  # noqa: E402
from app.caller_stats import CallerStats, Sample  # noqa: E402
from app.conversations.cleaner import Cleaner  # noqa: E402
from app.conversations.ledger import Conversation, Ledger  # noqa: E402
from app.conversations.use import ConversationUse  # noqa: E402
from app.core.errors import AccountExpired, GatewayError, Outcome  # noqa: E402
from app.hub import ClientGone  # noqa: E402
from app.keys import parse_keys  # noqa: E402
from app.state import MEMORY, open_state  # noqa: E402
from tests.eventually import eventually  # noqa: E402

log = logging.getLogger(__name__)
KEY = "glm-" + "k" * 43
MAX_WAITS = 60
ROUNDS = 6  # the crowd makes each request meet something else


class Complaints(logging.Handler):
    """What anybody logs as an error, executors of a broken worker for one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        self.heard.append(f"{record.getMessage()} {cause!r}")


class Scene:
    """What a request does, and what must hold when it is over, however it ended."""

    def prepare(self) -> None:
        """Called before the request begins, in a greenlet of its own."""

    def request(self) -> None:
        raise NotImplementedError

    def list_problems(self) -> list[str]:
        raise NotImplementedError


class Submission(Scene):
    """A request that gives work to an executor. No scene of the gateway's: why there is none that does."""

    def prepare(self) -> None:
        self.workers = ThreadPoolExecutor(4)
        self.go = threading.Event()
        self.done: list[str] = []
        self.workers.submit(self.go.wait)
        gevent.sleep(0.01)

    def request(self) -> None:
        self.go.set()  # a worker becomes free in the moment in which the request looks for one
        self.workers.submit(self.done.append, "done")

    def list_problems(self) -> list[str]:
        alive = all(thread.is_alive() for thread in self.workers._threads)
        self.workers.shutdown(wait=False)
        return [] if alive else ["a worker is dead"]


class Deletion(Scene):
    """A request leaves its conversation to the cleaner, in the moment in which a worker becomes free."""

    def prepare(self) -> None:
        self.go = threading.Event()
        self.ledger = Ledger(open_state(MEMORY))
        self.cleaner = Cleaner(self.ledger, self._delete, lambda: ["anna", "bert"])
        self.cleaner.start()
        self._leave("anna")
        gevent.sleep(0.01)

    def _delete(self, conversation: Conversation) -> None:
        self.go.wait()

    def _leave(self, owner: str) -> None:
        use = ConversationUse(self.ledger, self.cleaner, Conversation("", "assistant", owner, ""), 0.0)
        use.begin(f"of-{owner}")
        use.end(delivered=True)

    def request(self) -> None:
        self.go.set()
        self._leave("bert")
        gevent.sleep(0.001)  # its one wait

    def list_problems(self) -> list[str]:
        wait_for(lambda: not self.ledger.count())
        left = self.ledger.count()
        self.cleaner.stop(1)
        busy = sorted(self.cleaner._busy)
        return [f"{left} {busy}"] if left or busy else []


class Answer(Scene):
    """The whole way of a request through gate, pool, refresh, ledger, cleaner and history, in a crowd."""

    def prepare(self) -> None:
        state = open_state(MEMORY)
        self.pool = AccountPool(Logins(state))
        self.refresher = Refresher(self._refresh, Vault(state), self.pool.identify)
        self.ledger = Ledger(state)
        self.left: set[str] = set()
        self.cleaner = Cleaner(self.ledger, self._delete, self.pool.owners)
        self.authenticator = Authenticator(
            parse_keys(f"{KEY};parallel=50"), ConfiguredTokens(("one", "two"), None), pass_through=False
        )
        self.caller_stats = CallerStats()
        self.numbers = iter(range(10**6))
        self.cleaner.start()
        self.is_over = False
        self.crowd = [gevent.spawn(self._keep_asking) for _ in range(4)]

    def _refresh(self, token: str) -> RefreshedTokens:
        gevent.sleep(0.002)
        return RefreshedTokens(AccessToken(f"access-{token}", time.time(), "d"), f"{token}-x", token)

    def _delete(self, conversation: Conversation) -> None:
        gevent.sleep(0.001)
        self.left.discard(conversation.id)

    def _keep_asking(self) -> None:
        while not self.is_over:  # with more of them than accounts a request always has to wait for one
            with suppress(GatewayError):
                self.request()
            gevent.sleep(0)

    def request(self) -> None:
        caller = self.authenticator.authenticate(f"Bearer {KEY}", "peer")
        history = self.caller_stats.of(caller.queue)
        history.begin()
        try:
            accounts = self.pool.get_or_add(caller.refresh_tokens)
            lease = self.pool.acquire(accounts, wait_seconds=20, caller=caller.queue)
            try:
                self.refresher.access_token(lease.account)
                lease.confirm()
                self._answer(lease.account.owner)
            finally:
                lease.release(Outcome.OK)
        finally:
            history.end(Sample("ok"), 0)
            self.authenticator.leave(caller)

    def _answer(self, owner: str) -> None:
        name = f"c-{next(self.numbers)}"
        use = ConversationUse(self.ledger, self.cleaner, Conversation("", "assistant", owner, ""), 0.0)
        try:
            self.left.add(name)
            use.begin(name)
            log.warning("answering %s", name)
            gevent.sleep(0.001)
        finally:
            use.end(delivered=True)

    def list_problems(self) -> list[str]:
        self.is_over = True
        gevent.joinall(self.crowd, timeout=5)
        wait_for(lambda: not self.left and not self.ledger.count() and not self.refresher._running)
        problems = {
            "left upstream": self.left,
            "in the ledger": self.ledger.count(),
            "in use": self.ledger.in_use,
            "leased": self.pool.leased,
            "waiting": self.pool.queue_length,
            "refreshing": self.refresher._running,
            "inside": +self.authenticator._inside,
            "open": sum(history.open for history in self.caller_stats._histories.values()),
            "busy": self.cleaner._busy,
        }
        self.cleaner.stop(1)
        return [f"{what}: {left}" for what, left in problems.items() if left]


class Refusal(Answer):
    """The same with an upstream that refuses every token."""

    def _refresh(self, token: str) -> RefreshedTokens:
        gevent.sleep(0.002)
        raise AccountExpired("no")

    def request(self) -> None:
        with suppress(GatewayError):
            super().request()


class Background(Scene):
    """A request that has something done in the background: it is begun, or the request never came so far."""

    def prepare(self) -> None:
        self.came = self.done = 0

    def request(self) -> None:
        for _ in range(3):
            gevent.sleep(0)
            self.came += 1
            run_in_background(self._work)

    def _work(self) -> None:
        gevent.sleep(0)
        self.done += 1

    def list_problems(self) -> list[str]:
        wait_for(lambda: self.came == self.done)
        return [] if self.came == self.done else [f"{self.came - self.done} not done"]


SCENES = {scene.__name__: scene for scene in (Submission, Deletion, Answer, Refusal, Background)}


def wait_for(holds: Callable[[], bool]) -> None:
    with suppress(AssertionError):  # what does not hold is listed among the problems
        eventually(holds, 15)


def interrupt(request: Callable[[], None], at: int) -> bool:
    """Run `request`, and throw ClientGone into it at its wait number `at`; whether it came to that."""
    hub = gevent.get_hub()
    victim = gevent.Greenlet(request)
    waits, is_struck = 0, False

    def strike() -> None:
        nonlocal is_struck
        if not victim.dead:
            is_struck = True
            victim.throw(ClientGone())

    def trace(event: str, greenlets: tuple[Any, Any]) -> None:
        nonlocal waits
        if greenlets == (victim, hub):
            waits += 1
            if waits == at:
                hub.loop.run_callback(strike)

    greenlet.settrace(trace)
    try:
        victim.start()
        victim.join(10)
    finally:
        greenlet.settrace(None)
    return is_struck


def play(name: str) -> dict[str, Any]:
    logging.getLogger().addHandler(complaints := Complaints())
    problems: dict[int, list[str]] = {}
    for at in range(1, MAX_WAITS):
        if sum(play_once(name, at, complaints.heard, problems) for _ in range(ROUNDS)) == 0:
            return {"waits": at - 1, "problems": problems}
    raise AssertionError("a request that waits for ever")


def play_once(name: str, at: int, heard: list[str], problems: dict[int, list[str]]) -> bool:
    """Whether the request waited that often; what was wrong afterwards goes to `problems`."""
    scene = SCENES[name]()
    scene.prepare()
    is_struck = interrupt(scene.request, at)
    gevent.sleep(0.01)
    found = scene.list_problems() + heard
    heard.clear()
    if found:
        problems[at] = found
    return is_struck


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1])))
