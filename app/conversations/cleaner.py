"""Deletes conversations upstream once they are due: in the background, gently, again where that failed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from app.conversations.ledger import Conversation, Ledger
from app.errors import GatewayError

log = logging.getLogger(__name__)

_AT_A_TIME = 8
_LONGEST_NAP_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 3600.0
_GIVE_UP_AFTER_SECONDS = 5 * 86400.0
# What fell due long ago - before a restart, while the upstream was away - is deleted one by one with a pause
# between, per account: a burst of deletions is what accounts get noticed for.
_BACKLOG_SECONDS = 30.0
_BACKLOG_PAUSE_SECONDS = 0.5

DeleteCall = Callable[[Conversation], None]
OwnersCall = Callable[[], Sequence[str]]


class Cleaner:
    """Owns its background threads from `start` to `stop`. One deletion at a time per account.

    `delete` removes one conversation upstream and raises GatewayError where that has to be tried again;
    `owners` names the accounts that have shown up, whose conversations alone can be deleted.
    """

    def __init__(
        self, ledger: Ledger, delete: DeleteCall, owners: OwnersCall, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._delete = delete
        self._owners = owners
        self._clock = clock
        self._wake = threading.Event()
        self._idle = threading.Condition()
        self._stopping = False
        self._busy: set[str] = set()  # owners with a deletion under way
        self._resting: dict[str, float] = {}  # owner -> when its next backlog deletion may begin
        self._workers = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="cleaner")
        self._thread = threading.Thread(target=self._run, name="cleaner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something may be due earlier than thought, or an account has shown up."""
        self._wake.set()

    def stop(self, seconds: float) -> None:
        """Delete what is due within so many seconds; what is left stays in the ledger."""
        deadline = time.monotonic() + seconds
        with self._idle:
            while self._work() and (left := deadline - time.monotonic()) > 0:
                self._idle.wait(min(left, 0.2))
        self._stopping = True
        self._wake.set()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def delete_now(self, conversation: Conversation) -> None:
        """Delete one conversation at once. Raises GatewayError where the upstream refuses."""
        self._delete(conversation)
        self._ledger.forget(conversation.id)

    def _run(self) -> None:
        while not self._stopping:
            self._work()
            self._wake.wait(self._nap())
            self._wake.clear()

    def _work(self) -> bool:
        """Begin every deletion that may begin; False when nothing is due or under way."""
        now = self._clock()
        due = self._ledger.list_due(self._owners(), now)
        for conversation in due:
            owner = conversation.owner
            if owner in self._busy or self._resting.get(owner, 0.0) > now or self._stopping:
                continue
            self._busy.add(owner)
            if conversation.due < now - _BACKLOG_SECONDS:
                self._resting[owner] = now + _BACKLOG_PAUSE_SECONDS
            self._workers.submit(self._clean, conversation)
        return bool(due or self._busy)

    def _nap(self) -> float:
        now = self._clock()
        self._resting = {owner: until for owner, until in self._resting.items() if until > now}
        due = self._ledger.next_due(now)
        ends = [until for until in (due, *self._resting.values()) if until is not None]
        return max(0.0, min([now + _LONGEST_NAP_SECONDS, *ends]) - now)

    def _clean(self, conversation: Conversation) -> None:
        try:
            if not self._ledger.is_in_use(conversation.id):
                self.delete_now(conversation)
        except GatewayError as error:
            self._try_later(conversation, error)
        finally:
            self._busy.discard(conversation.owner)
            with self._idle:
                self._idle.notify_all()
            self.wake()

    def _try_later(self, conversation: Conversation, error: GatewayError) -> None:
        now = self._clock()
        if now - conversation.last_used > _GIVE_UP_AFTER_SECONDS:
            log.error("giving up on deleting conversation %s: %s", conversation.id, error.code)
            self._ledger.forget(conversation.id)
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2.0**conversation.attempts, _LONGEST_PAUSE_SECONDS)
        log.info("conversation %s not deleted (%s), next try in %.0f s", conversation.id, error.code, pause)
        self._ledger.postpone(conversation.id, now + pause, conversation.attempts + 1)
