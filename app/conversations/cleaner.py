"""Deletes conversations upstream once they are due, in the background, and again where that failed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app.conversations.ledger import Conversation, Ledger
from app.errors import GatewayError

log = logging.getLogger(__name__)

_AT_A_TIME = 8
_LONGEST_NAP_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 3600.0
_MOST_ATTEMPTS = 60  # with the pauses above: more than two days


class Cleaner:
    """Owns one background thread from `start` to `stop`.

    `delete` removes one conversation upstream; it raises GatewayError where that has to be tried again.
    """

    def __init__(
        self, ledger: Ledger, delete: Callable[[Conversation], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._delete = delete
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = False
        self._deleting: set[str] = set()
        self._workers = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="cleaner")
        self._thread = threading.Thread(target=self._run, name="cleaner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something may be due earlier than thought."""
        self._wake.set()

    def stop(self) -> None:
        """Begin nothing more; what is left stays in the ledger."""
        self._stopping = True
        self._wake.set()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping:
            now = self._clock()
            for conversation in self._ledger.list_due(now):
                if conversation.id not in self._deleting and not self._stopping:
                    self._deleting.add(conversation.id)
                    self._workers.submit(self._clean, conversation)
            due = self._ledger.next_due(now)
            nap = _LONGEST_NAP_SECONDS if due is None else min(due - now, _LONGEST_NAP_SECONDS)
            self._wake.wait(nap)
            self._wake.clear()

    def _clean(self, conversation: Conversation) -> None:
        try:
            self._delete(conversation)
        except GatewayError as error:
            self._try_later(conversation, error)
        else:
            self._ledger.forget(conversation.id)
        finally:
            self._deleting.discard(conversation.id)

    def _try_later(self, conversation: Conversation, error: GatewayError) -> None:
        attempts = conversation.attempts + 1
        if attempts >= _MOST_ATTEMPTS:
            log.error("giving up on deleting conversation %s: %s", conversation.id, error.code)
            self._ledger.forget(conversation.id)
            return
        pause = min(_FIRST_PAUSE_SECONDS * 2.0**attempts, _LONGEST_PAUSE_SECONDS)
        log.info(
            "conversation %s could not be deleted (%s), next try in %.0f s",
            conversation.id,
            error.code,
            pause,
        )
        self._ledger.postpone(conversation.id, self._clock() + pause, attempts)
        self.wake()
