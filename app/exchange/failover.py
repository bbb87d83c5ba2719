"""One account after the other, each at most once, until one of them does what is wanted."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.breaker import Breaker
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refusal import RefusalLimit
from app.catalogue.upstream import NO_TIME_LEFT
from app.core.errors import (
    AccountsBusy,
    GatewayError,
    LoginAnswering,
    Outcome,
    UpstreamTimeout,
)
from app.core.reported_error import choose_reported
from app.core.upstream_words import describe_words
from app.core.wait import TellWait
from app.exchange.clock import StartClock

log = logging.getLogger(__name__)

_MAX_NAMED_ACCOUNTS = 8

_T = TypeVar("_T")


class Task(ABC, Generic[_T]):
    """What one request wants of whichever account can do it. `Failover.run` does it, once."""

    def __init__(
        self,
        accounts: Sequence[Account],
        caller: Caller,
        clock: StartClock,
        queue_seconds: float | None = None,
        tell: TellWait | None = None,
    ) -> None:
        """`queue_seconds` is how long it waits for an account, None: as long as everybody."""
        self.queue_seconds = queue_seconds
        self.tell = tell
        self.accounts = accounts
        self.caller = caller
        self.clock = clock
        """What is left of the time for all accounts together."""

    @abstractmethod
    def attempt(self, lease: Lease) -> _T:
        """Do it with one account. Who returns owns the lease, or has released it; who raises does neither."""

    def classify(self, error: GatewayError) -> Outcome:
        """What the account learns from `error`."""
        return error.outcome

    def moves_on(self, error: GatewayError) -> bool:
        """Whether another account may do what failed with `error`."""
        return error.try_next_account

    def summarize(self, errors: list[GatewayError]) -> GatewayError:
        """What to tell the caller when every account failed."""
        return choose_reported(errors)


class Failover:
    """Thread-safe; lives as long as the process."""

    def __init__(
        self,
        pool: AccountPool,
        breaker: Breaker,
        queue_seconds: float,
        refusals: RefusalLimit | None = None,
    ) -> None:
        self._pool = pool
        self._breaker = breaker
        self._queue_seconds = queue_seconds
        self._refusals = refusals or RefusalLimit()

    def run(self, task: Task[_T]) -> _T:
        """What `task` returns for the first account that does not fail.

        An error that says nothing about its account ends it all; LoginAnswering sends the request to the
        queue once more. Raises that error, or where every account failed the summary of theirs.
        """
        self._breaker.check()
        untried = self._refusals.allow(task.accounts, task.caller.peer)
        errors: list[GatewayError] = []
        resting: list[GatewayError] = []
        while untried:
            try:
                lease = self._acquire(untried, task, is_next=bool(errors))
            except GatewayError as error:
                error.account = ",".join([account.label for account in untried[:_MAX_NAMED_ACCOUNTS]])
                resting.append(error)
                break
            untried.remove(lease.account)
            try:
                done = task.attempt(lease)
                self._breaker.record_success()
                self._pool.remember(task.accounts)
                return done
            except GatewayError as error:
                error.account = lease.account.label
                self._refusals.note(lease.account, task.caller.peer, error)
                lease.release(task.classify(error), error)
                _log_failure(error, task.classify(error))
                if isinstance(error, LoginAnswering):
                    untried.append(lease.account)
                elif task.moves_on(error):
                    errors.append(error)
                else:
                    raise
            except BaseException:
                lease.release(Outcome.ABANDONED)
                raise
        if _is_upstreams_fault([task.classify(error) for error in errors], resting):
            self._breaker.record_failure()
        raise task.summarize(errors + resting)

    def _acquire(self, accounts: list[Account], task: Task[_T], *, is_next: bool) -> Lease:
        left_seconds = task.clock.left_seconds
        if is_next and not left_seconds:  # whoever is asked now would be blamed for what others took
            raise UpstreamTimeout(NO_TIME_LEFT)
        queue_seconds = self._queue_seconds if task.queue_seconds is None else task.queue_seconds
        wait_seconds = min(queue_seconds, left_seconds)
        return self._pool.acquire(
            accounts, wait_seconds=wait_seconds, caller=task.caller.queue, tell=task.tell
        )


def _log_failure(error: GatewayError, outcome: Outcome) -> None:
    """What one account could not do; the line of the request tells of the last or the most telling one only.

    Accounts that the upstream keeps out are the operator's to mend.
    """
    if outcome is Outcome.ABANDONED:
        return
    fields = {"account": error.account, "outcome": error.code, **describe_words(error.upstream)}
    level = logging.WARNING if outcome in (Outcome.REJECTED, Outcome.BLOCKED) else logging.INFO
    log.log(level, "an account failed", extra={"fields": fields})


def _is_upstreams_fault(outcomes: list[Outcome], resting: list[GatewayError]) -> bool:
    """Whether everybody who was asked failed for the upstream's sake.

    Accounts that rest, dead ones say, do not speak for it; those that are answering do.
    """
    failed = bool(outcomes) and all(outcome is Outcome.UNREACHABLE for outcome in outcomes)
    return failed and not any(isinstance(error, AccountsBusy) for error in resting)
