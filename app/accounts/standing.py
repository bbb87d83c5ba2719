"""What accounts have left and whether they are blocked: asked only when somebody looks, and seldom.

Who looks starts what is due in the background and gets what is known within a moment, so that a slow upstream
holds nobody up. Nothing is signed in to, and no reward is fetched.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial

from app.accounts.account import Account
from app.auth_token import AccessToken
from app.background import run_in_background
from app.core.errors import GatewayError
from app.core.standing import Standing
from app.hub import close_thread_loop

_KNOWN_SECONDS = 600.0
_LOOK_SECONDS = 2.0
_MAX_AT_A_TIME = 4
_MAX_KNOWN = 10_000

StandingCall = Callable[[AccessToken], Standing]


class Standings:
    """Thread-safe. By login; of an account that has no good access token nothing is asked."""

    def __init__(self, call: StandingCall, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = call
        self._clock = clock
        self._lock = threading.Lock()  # guards what follows
        self._known: dict[str, Standing] = {}
        self._asked_at: OrderedDict[str, float] = OrderedDict()
        self._running: dict[str, threading.Event] = {}

    def look(self, accounts: Sequence[Account]) -> list[Standing | None]:
        """What is known of each, after at most two seconds."""
        ends_at = self._clock() + _LOOK_SECONDS
        for event in self._start_due(accounts):
            event.wait(max(0.0, ends_at - self._clock()))
        with self._lock:
            return [self._known.get(account.owner) for account in accounts]

    def _start_due(self, accounts: Sequence[Account]) -> list[threading.Event]:
        """The events of what runs now for these accounts; no more than a few begin at a time."""
        starting: list[tuple[Account, AccessToken, threading.Event]] = []
        with self._lock:
            now = self._clock()
            for account in accounts:
                token = account.access_token
                asked_at = self._asked_at.get(account.owner)
                is_due = asked_at is None or now - asked_at >= _KNOWN_SECONDS
                has_room = len(self._running) < _MAX_AT_A_TIME
                if token is not None and is_due and has_room and account.owner not in self._running:
                    event = self._running[account.owner] = threading.Event()
                    self._note_asked(account.owner, now)
                    starting.append((account, token, event))
            running = [self._running[a.owner] for a in accounts if a.owner in self._running]
        for account, token, event in starting:
            run_in_background(partial(self._ask, account.owner, token, event))
        return running

    def _ask(self, owner: str, token: AccessToken, event: threading.Event) -> None:
        standing: Standing | None = None
        try:
            standing = self._call(token)
        except GatewayError:
            pass  # what was known stays, until the next look that is due
        finally:
            with self._lock:
                del self._running[owner]
                if standing is not None and owner in self._asked_at:
                    self._known[owner] = standing
            event.set()
            close_thread_loop()

    def _note_asked(self, owner: str, now: float) -> None:
        """Whoever was asked longest ago is forgotten, with what was known, whether calls succeed or not."""
        self._asked_at[owner] = now
        self._asked_at.move_to_end(owner)
        if len(self._asked_at) > _MAX_KNOWN:
            forgotten, _ = self._asked_at.popitem(last=False)
            self._known.pop(forgotten, None)
