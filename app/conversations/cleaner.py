"""Deletes conversations upstream once they are due: in the background, gently, again where that failed."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from app.background import run_in_background
from app.catalogue.path import BEING_ANSWERED
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import ConversationBusy, GatewayError
from app.hub import close_thread_loop

log = logging.getLogger(__name__)

_AT_A_TIME = 32
_MAX_NAP_SECONDS = 60.0
_END_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 5.0
_MAX_PAUSE_SECONDS = 3600.0
# Five days of trying: counted, not read from the clock, since the gateway may have been off for most of them.
_MAX_ATTEMPTS = 130
# What fell due long ago - before a restart, while the upstream was away - is deleted one by one with a pause
# between, per account: a burst of deletions is what accounts get noticed for.
_BACKLOG_SECONDS = 30.0
_BACKLOG_PAUSE_SECONDS = 0.5

DeleteCall = Callable[[Conversation], None]
OwnersCall = Callable[[], Sequence[str]]


class Cleaner:
    """Owns its background threads from `start` to `stop`. One deletion at a time per account.

    Requests only leave notes: they may be interrupted wherever they wait, and one that is interrupted inside
    a Condition lets go of a lock that somebody else holds (docs/architecture.md, "Interruption").

    `delete` removes one conversation upstream and raises GatewayError where that has to be tried again;
    `owners` names the accounts that have shown up, whose conversations alone can be deleted.
    """

    def __init__(
        self, ledger: Ledger, delete: DeleteCall, owners: OwnersCall, clock: Callable[[], float] = time.time
    ) -> None:
        self.ledger = ledger
        self._delete = delete
        self._owners = owners
        self.clock = clock
        self._wake = threading.Event()
        self._noted: dict[str, None] = {}  # owners to be served now; one step each, so that it needs no lock
        self._looked_at = 0.0
        self._napping_until = 0.0
        self._shall_look = True
        self._stopping = False
        # For the cleaner's own threads alone: guards what follows, and is notified when an owner is done.
        self._changed = threading.Condition()
        self._waiting: dict[str, None] = {}  # owners to be served as soon as there is room for one more
        self._busy: set[str] = set()  # owners whose conversations are being deleted, each by its own thread
        self._shall_look_again: set[str] = set()  # of those: something fell due since they were looked at
        self._resting: dict[str, float] = {}  # owner -> when the next one of its backlog may be deleted
        self._thread = threading.Thread(target=self._run, name="cleaner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something may be due earlier than thought, or an account has shown up."""
        self._shall_look = True
        self._wake.set()

    def expect(self, due: float) -> None:
        """Something falls due at this Unix time."""
        if due < self._napping_until:
            self.wake()

    def serve(self, owner: str) -> None:
        """Delete what is due for `owner` in the background, soon. Never waits."""
        self._noted[owner] = None
        self._wake.set()

    def stop(self, seconds: float) -> None:
        """Delete what is due within so many seconds; what is left stays in the ledger."""
        deadline = time.monotonic() + seconds
        self._serve_noted()
        self._serve_all(self.clock())
        with self._changed:
            while self._busy and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            self._stopping = True
        self._wake.set()
        if self._thread.is_alive():  # it must not look into a ledger that is closed after this
            self._thread.join(_END_SECONDS)

    def delete_now(self, conversation: Conversation) -> None:
        """Delete one conversation at once.

        Raises ConversationBusy where it is in use, GatewayError where the upstream refuses.
        """
        if not self.ledger.claim(conversation.id):
            raise ConversationBusy(BEING_ANSWERED, retry_after_seconds=5.0)
        try:
            self._delete(conversation)
            self.ledger.forget(conversation.id)
        finally:
            self.ledger.unclaim(conversation.id)

    def _run(self) -> None:
        while not self._stopping:
            self._serve_noted()
            now = self.clock()  # one for all of a look: what falls due between two is seen by the second one
            if self._shall_look or not self._looked_at <= now < self._napping_until:
                self._look(now)
            nap = self._napping_until - self.clock()
            if not self._wake.wait(min(max(0.0, nap), _MAX_NAP_SECONDS)):
                self._shall_look = True  # whatever the clock says
            self._wake.clear()

    def _look(self, now: float) -> None:
        self._shall_look, self._looked_at = False, now
        self._serve_all(now)
        self._napping_until = math.inf  # what is expected while the nap is planned ends it
        self._napping_until = self._plan_nap(now)

    def _serve_noted(self) -> None:
        with suppress(KeyError):  # there are no more
            while True:
                self._begin_cleaning(self._noted.popitem()[0])

    def _serve_all(self, now: float) -> None:
        for owner in self.ledger.list_owners_due(self._owners(), now):
            self._begin_cleaning(owner)

    def _begin_cleaning(self, owner: str) -> None:
        with self._changed:
            if owner in self._busy:
                self._shall_look_again.add(owner)
            else:
                self._waiting[owner] = None
                self._serve_waiting()

    def _serve_waiting(self) -> None:
        """Those there is room for, the first come first. Call with `_changed` held."""
        while self._waiting and len(self._busy) < _AT_A_TIME and not self._stopping:
            owner = next(iter(self._waiting))
            del self._waiting[owner]
            if self._resting.get(owner, 0.0) <= self.clock():
                self._busy.add(owner)
                run_in_background(partial(self._work, owner))

    def _work(self, owner: str) -> None:
        try:
            self._clean(owner)
        finally:
            with self._changed:
                self._busy.discard(owner)
                if owner in self._shall_look_again:
                    self._shall_look_again.discard(owner)
                    self._waiting[owner] = None
                self._serve_waiting()
                self._changed.notify_all()
            close_thread_loop()

    def _plan_nap(self, now: float) -> float:
        with self._changed:
            self._resting = {owner: until for owner, until in self._resting.items() if until > now}
            ends = [now + _MAX_NAP_SECONDS, *self._resting.values()]
        due = self.ledger.next_due(now)
        return min(ends if due is None else [due, *ends])

    def _clean(self, owner: str) -> None:
        """Delete what is due for one owner, one after the other, until nothing is or it shall rest."""
        while not self._stopping and (conversation := self.ledger.first_due(owner, self.clock())):
            self._clean_one(conversation)
            if conversation.due < self.clock() - _BACKLOG_SECONDS:
                self._rest(owner)
                break

    def _rest(self, owner: str) -> None:
        until = self.clock() + _BACKLOG_PAUSE_SECONDS
        with self._changed:
            self._resting[owner] = until
        self.expect(until)

    def _clean_one(self, conversation: Conversation) -> None:
        try:
            self.delete_now(conversation)
        except ConversationBusy:
            return  # taken since it was looked up; it falls due again when that use ends
        except GatewayError as error:
            self._try_later(conversation, error)

    def _try_later(self, conversation: Conversation, error: GatewayError) -> None:
        now = self.clock()
        if conversation.attempts >= _MAX_ATTEMPTS:
            log.error("giving up on deleting conversation %s: %s", conversation.id, error.code)
            self.ledger.forget(conversation.id)
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2.0**conversation.attempts, _MAX_PAUSE_SECONDS)
        log.info("conversation %s not deleted (%s), next try in %.0f s", conversation.id, error.code, pause)
        self.ledger.postpone(conversation.id, now + pause, conversation.attempts + 1)
        self.expect(now + pause)
