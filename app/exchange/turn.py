"""One account after the other, each at most once, until one of them does what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from app.accounts.account import Account
from app.accounts.breaker import Breaker
from app.accounts.gate import Caller
from app.accounts.lease import Lease
from app.accounts.pool import AccountPool
from app.accounts.refusal import RefusalLimit
from app.errors import (
    AccountsBusy,
    GatewayError,
    LoginAnswering,
    Outcome,
    UpstreamTimeout,
    most_telling,
)
from app.exchange.clock import StartClock

_T = TypeVar("_T")

Judge = Callable[[GatewayError], Outcome]
Conclude = Callable[[list[GatewayError]], GatewayError]


def _read_outcome(error: GatewayError) -> Outcome:
    return error.outcome


class Turns:
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

    def take(
        self,
        accounts: Sequence[Account],
        caller: Caller,
        clock: StartClock,
        attempt: Callable[[Lease], _T],
        *,
        judge: Judge = _read_outcome,
        conclude: Conclude = most_telling,
    ) -> _T:
        """What `attempt` returns for the first account that does not fail; it has the lease from then on.

        `judge` says what an account learns from an error. Raises the error that ends it all, or where every
        account failed what `conclude` makes of their errors.
        """
        self._breaker.check()
        untried = self._refusals.allow(accounts, caller.peer)
        errors: list[GatewayError] = []
        resting: list[GatewayError] = []
        while untried:
            try:
                lease = self._acquire(untried, clock, caller, is_next=bool(errors))
            except GatewayError as error:
                resting.append(error)
                break
            untried.remove(lease.account)
            try:
                taken = attempt(lease)
                self._breaker.record_success()
                self._pool.remember(accounts)
                return taken
            except GatewayError as error:
                self._refusals.note(lease.account, caller.peer, error)
                lease.release(judge(error), error)
                if isinstance(error, LoginAnswering):
                    untried.append(lease.account)
                elif error.moves_on:
                    errors.append(error)
                else:
                    raise
            except BaseException:
                lease.release(Outcome.ABANDONED)
                raise
        if _is_upstreams_fault([judge(error) for error in errors], resting):
            self._breaker.record_failure()
        raise conclude(errors + resting)

    def _acquire(self, accounts: list[Account], clock: StartClock, caller: Caller, *, is_next: bool) -> Lease:
        left_seconds = clock.left_seconds
        if is_next and not left_seconds:  # whoever is asked now would be blamed for what others took
            raise UpstreamTimeout("There was no time left to ask every account (GLM_START_SECONDS).")
        wait_seconds = min(self._queue_seconds, left_seconds)
        return self._pool.acquire(accounts, wait_seconds=wait_seconds, caller=caller.queue)


def _is_upstreams_fault(outcomes: list[Outcome], resting: list[GatewayError]) -> bool:
    """Whether everybody who was asked failed for the upstream's sake.

    Accounts that rest, dead ones say, do not speak for it; those that are answering do.
    """
    failed = bool(outcomes) and all(outcome is Outcome.UNREACHABLE for outcome in outcomes)
    return failed and not any(isinstance(error, AccountsBusy) for error in resting)
