"""Access tokens: one refresh for all who wait, rotated tokens kept and sealed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.accounts.account import Account
from app.accounts.refresh import Refresher
from app.accounts.vault import RotatedTokens, Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.core.errors import AccessRejected, AccountExpired, UpstreamUnreachable
from app.logs import redactor
from app.state import MEMORY, open_state
from tests.app.accounts.rotating import Upstream, make_account, make_refresher


def test_a_token_is_kept() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    assert refresher.access_token(account) is refresher.access_token(account)
    assert upstream.asked == ["original"]
    token = refresher.access_token(account)
    assert refresher.access_token(account, rejected=token) is not token


def test_a_refresh_that_ended_meanwhile_is_not_made_again() -> None:
    """It ends between the look at the token and the look for a refresh that runs."""
    upstream, account = Upstream(), make_account()
    account.access_token = AccessToken("stale", 0.0, "device")
    moments: list[float] = []

    def clock() -> float:
        moments.append(time.time())
        if len(moments) == 1:
            refresher.renew(account)
        return moments[-1]

    vault = Vault(open_state(MEMORY))
    refresher = Refresher(upstream.refresh, vault, lambda account, user_id: None, clock)
    assert refresher.access_token(account) is account.access_token
    assert upstream.asked == ["original"]


def test_all_who_wait_share_one_refresh() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    upstream.authenticator.clear()
    got: list[AccessToken] = []
    threads = [threading.Thread(target=lambda: got.append(refresher.access_token(account))) for _ in range(8)]
    for thread in threads:
        thread.start()
    upstream.authenticator.set()
    for thread in threads:
        thread.join(5)
    assert len(got) == 8
    assert upstream.asked == ["original"]


def test_a_refresh_that_runs_at_the_end_is_waited_for() -> None:
    upstream, account, state = Upstream(), make_account(), open_state(MEMORY)
    upstream.rotates_to = "second"
    upstream.authenticator.clear()
    refresher = make_refresher(upstream, state)
    refresher.settle(5)
    thread = threading.Thread(target=refresher.access_token, args=(account,))
    thread.start()
    while not refresher._running:
        thread.join(0.001)
    threading.Timer(0.05, upstream.authenticator.set).start()
    refresher.settle(5)
    assert Vault(state).get("original") == RotatedTokens("second")
    thread.join(5)


def test_trouble_is_not_death() -> None:
    def refresh(token: str) -> RefreshedTokens:
        raise UpstreamUnreachable("away")

    refresher = Refresher(refresh, Vault(open_state(MEMORY)), lambda account, user_id: None)
    with pytest.raises(UpstreamUnreachable):
        refresher.access_token(make_account())


def test_all_who_wait_share_one_error_and_the_next_one_asks_again() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    upstream.alive.clear()
    upstream.authenticator.clear()
    with ThreadPoolExecutor(8) as threads:
        asking = [threads.submit(refresher.access_token, account) for _ in range(8)]
        upstream.authenticator.set()
        errors = [asked.exception(5) for asked in asking]
    assert all(isinstance(error, AccountExpired) for error in errors)
    assert upstream.asked == ["original"]
    upstream.alive = {"original"}
    account.refused_until.clear()  # its cool-down is over
    refresher.access_token(account)


def test_accounts_do_not_wait_for_each_other() -> None:
    gate = threading.Event()

    def refresh(token: str) -> RefreshedTokens:
        if token == "slow":
            gate.wait(5)
        return RefreshedTokens(AccessToken(f"access-{token}", time.time() + 3600, "device"))

    refresher = Refresher(refresh, Vault(open_state(MEMORY)), lambda account, user_id: None)
    slow, quick = make_account("slow"), make_account("quick")
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(refresher.access_token, slow)
        assert refresher.access_token(quick).value == "access-quick"
        assert not waiting.done()
        gate.set()
        assert waiting.result(5).value == "access-slow"


@pytest.mark.parametrize(
    ("life", "margin"), [(86400.0, (120, 300)), (600.0, (119, 121)), (10.0, (2, 2)), (-5.0, (0, 0))]
)
def test_a_token_is_renewed_a_share_of_its_life_ahead(life: float, margin: tuple[float, float]) -> None:
    now = 1_000_000.0
    account, asked = make_account(), list[str]()

    def refresh(token: str) -> RefreshedTokens:
        asked.append(token)
        return RefreshedTokens(AccessToken("access", now + life, "device"))

    refresher = Refresher(refresh, Vault(open_state(MEMORY)), lambda account, user_id: None, lambda: now)
    refresher.access_token(account)
    ahead = now + life - account.refresh_at
    assert margin[0] <= ahead <= margin[1]
    refresher.access_token(account)
    assert len(asked) == (1 if life > 0 else 2)


def test_whose_login_it_is_is_told() -> None:
    told: list[tuple[Account, str]] = []
    token = AccessToken("access", time.time() + 3600, "device")
    refresher = Refresher(
        lambda _: RefreshedTokens(token, None, "user-7"),
        Vault(open_state(MEMORY)),
        lambda account, user_id: told.append((account, user_id)),
    )
    account = make_account()
    refresher.access_token(account)
    assert told == [(account, "user-7")]


def test_a_surprise_reaches_those_who_wait() -> None:
    def fail(token: str) -> RefreshedTokens:
        raise RuntimeError("a mistake of ours")

    refresher = Refresher(fail, Vault(open_state(MEMORY)), lambda account, user_id: None)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="mistake"):
            refresher.access_token(make_account())


def test_tokens_are_secrets_from_the_moment_they_are_known() -> None:
    upstream, account = Upstream(), make_account()
    upstream.rotates_to = "a-rotated-refresh-token-1"
    refresher = make_refresher(upstream)
    refresher.access_token(account)
    assert redactor.redact("a-rotated-refresh-token-1 access-token-number-1") == "[secret] [secret]"


@pytest.mark.parametrize("refusals", [0, 1])
def test_a_call_is_made_once_more_with_a_new_token_where_the_first_is_refused(refusals: int) -> None:
    upstream, called = Upstream(), list[str]()
    refresher, account = make_refresher(upstream), make_account()

    def call(token: AccessToken) -> str:
        called.append(token.value)
        if len(called) <= refusals:
            raise AccessRejected("no")
        return "done"

    assert refresher.with_token(account, call) == "done"
    assert called == [f"access-token-number-{number}" for number in range(1, refusals + 2)]


def test_a_call_that_is_refused_with_a_new_token_ends_the_account() -> None:
    refresher, account = make_refresher(Upstream()), make_account()
    called: list[AccessToken] = []

    def call(token: AccessToken) -> None:
        called.append(token)
        raise AccessRejected("no")

    with pytest.raises(AccountExpired):
        refresher.with_token(account, call)
    assert len(called) == 2


def test_a_visitors_token_opens_nothing() -> None:
    """Protocol notes 0.2 row 2: the upstream gives one to every visitor, and says so when it is used."""

    def refresh(token: str) -> RefreshedTokens:
        return RefreshedTokens(AccessToken("access", time.time() + 3600, "d"), "rotated", is_guest=True)

    account = make_account()
    refresher = Refresher(refresh, Vault(open_state(MEMORY)), lambda account, user_id: None)
    with pytest.raises(AccountExpired, match="Log in at chatglm"):
        refresher.access_token(account)
    assert account.access_token is None
    assert account.rotated is None
