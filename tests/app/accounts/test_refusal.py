"""A token whose first refresh is under way for several requests, and what is left when they are over."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.core.errors import AccessRejected, AccountExpired, Outcome
from app.state import MEMORY, open_state

REQUESTS = 8


class Rig:
    """Requests that take their turns at one account; the upstream answers when `gate` is open."""

    def __init__(self, *, alive: bool) -> None:
        state = open_state(MEMORY)
        self.pool = AccountPool(Logins(state))
        self.refresher = Refresher(self._refresh, Vault(state), self.pool.identify)
        self.alive = alive
        self.authenticator = threading.Event()
        self.begun = threading.Barrier(REQUESTS + 1)
        self.asked = 0

    def _refresh(self, token: str) -> RefreshedTokens:
        self.authenticator.wait(5)
        self.asked += 1
        if not self.alive:
            raise AccessRejected("no")
        return RefreshedTokens(AccessToken("access", 2e9, "device"))

    def request(self, number: int) -> str:
        """One that holds the account before any of them asks; the outcome in a word."""
        accounts = self.pool.get_or_add(["new"])
        self.begun.wait(5)
        try:
            lease = self.pool.acquire(accounts, wait_seconds=5, caller=str(number))
        except AccountExpired:
            return "spared"
        try:
            self.refresher.access_token(lease.account)
        except AccountExpired as error:
            lease.release(error.outcome, error)
            return "refused"
        lease.release(Outcome.OK)
        return "answered"


def run(rig: Rig) -> list[str]:
    with ThreadPoolExecutor(REQUESTS) as threads:
        outcomes = [threads.submit(rig.request, number) for number in range(REQUESTS)]
        rig.begun.wait(5)
        rig.authenticator.set()
        return sorted(outcome.result(10) for outcome in outcomes)


def test_a_real_token_is_refreshed_once_and_kept() -> None:
    rig = Rig(alive=True)
    assert run(rig) == ["answered"] * REQUESTS
    assert rig.asked == 1
    assert rig.pool._registry.kept == 1
    (account,) = rig.pool.get_or_add(["new"])
    assert (account.replies, account.is_accepted) == (REQUESTS, True)


def test_a_made_up_token_is_refused_once_and_forgotten() -> None:
    """Those that waited hear of the refusal without asking, as long as one of them holds the account."""
    rig = Rig(alive=False)
    assert run(rig) == ["refused", *["spared"] * (REQUESTS - 1)]
    assert rig.asked == 1
    assert rig.pool._registry.kept == 0


def test_requests_without_a_lease_share_one_refresh_too() -> None:
    rig = Rig(alive=False)

    def check(number: int) -> bool:
        (account,) = rig.pool.get_or_add(["new"])
        rig.begun.wait(5)
        try:
            rig.refresher.access_token(account)
        except AccountExpired:
            return False
        return True

    with ThreadPoolExecutor(REQUESTS) as threads:
        outcomes = [threads.submit(check, number) for number in range(REQUESTS)]
        rig.begun.wait(5)
        while not rig.refresher._running:
            threading.Event().wait(0.001)
        rig.authenticator.set()
        assert [outcome.result(10) for outcome in outcomes] == [False] * REQUESTS
    assert rig.pool._registry.kept == 0
