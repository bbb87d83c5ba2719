"""Refresh tokens that rotate: none is lost to a refusal, and all of them are sealed."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from app.accounts.account import Account
from app.accounts.refresh import Refresher
from app.accounts.vault import RotatedTokens, Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.core.errors import AccessRejected, AccountExpired, UpstreamUnreachable
from app.state import MEMORY, State, open_state
from tests.app.accounts.rotating import Upstream, make_account, make_refresher
from tests.clock import Clock


def test_a_rotated_token_survives_a_restart() -> None:
    upstream, state = Upstream(), open_state(MEMORY)
    upstream.rotates_to = "second"
    make_refresher(upstream, state).access_token(make_account())
    upstream.alive, upstream.rotates_to = {"second"}, "third"
    make_refresher(upstream, state).access_token(make_account())
    upstream.alive = {"third"}
    make_refresher(upstream, state).access_token(make_account())
    assert upstream.asked == ["original", "second", "third"]


def test_the_original_is_a_fall_back() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    upstream.rotates_to = "second"
    refresher.access_token(account)
    upstream.rotates_to = None
    refresher.renew(account)
    assert upstream.asked == ["original", "second", "original"]


class Hard:
    """An upstream that rotates hard: the newest token alone is alive, and good once. May be ill."""

    def __init__(self) -> None:
        self.clock = Clock(1_800_000_000.0)
        self.state = open_state(MEMORY)
        self.alive = "original"
        self.illness: Exception | None = None
        self.asked: list[str] = []
        self.rotations = 0
        self.start()

    def start(self) -> None:
        """The gateway is new, its state is not."""
        self.account = make_account()
        self.refresher = Refresher(
            self._refresh, Vault(self.state), lambda account, user_id: None, self.clock
        )

    def _refresh(self, token: str) -> RefreshedTokens:
        self.asked.append(token)
        if self.illness is not None:
            raise self.illness
        if token != self.alive:
            raise AccessRejected("40102")
        self.rotations += 1
        self.alive = f"rotated-{self.rotations}"
        return RefreshedTokens(AccessToken("access", self.clock.now + 10, "device"), self.alive)

    def ask(self) -> list[str]:
        """The tokens that the next refresh tried."""
        self.asked = []
        with suppress(AccountExpired, UpstreamUnreachable):
            self.refresher.renew(self.account)
        return self.asked


@pytest.fixture
def hard() -> Hard:
    hard = Hard()
    for _ in range(3):
        hard.refresher.renew(hard.account)
    assert hard.alive == "rotated-3"
    return hard


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_refusals_lose_no_account(hard: Hard, rounds: int, restarts: bool) -> None:
    """All tokens are refused for a while, by an upstream that is ill; then it is well again."""
    hard.illness = AccessRejected("40102")
    for _ in range(rounds):
        assert hard.ask() == ["rotated-3", "rotated-2", "original"]
        if restarts:
            hard.start()
        hard.clock.now += 60
    hard.illness = None
    assert hard.ask() == ["rotated-3"]
    assert hard.account.access_token is not None


def test_none_is_asked_twice_in_a_cool_down(hard: Hard) -> None:
    hard.illness = AccessRejected("40102")
    assert hard.ask() == ["rotated-3", "rotated-2", "original"]
    hard.clock.now += 59
    with pytest.raises(AccountExpired):
        hard.refresher.access_token(hard.account)
    assert hard.ask() == []
    hard.clock.now -= 3600  # a clock that goes back does not prolong it
    assert hard.ask() == ["rotated-3", "rotated-2", "original"]


def test_what_is_no_refusal_leaves_the_older_ones_alone(hard: Hard) -> None:
    hard.illness = UpstreamUnreachable("a page")
    for _ in range(3):
        assert hard.ask() == ["rotated-3"]
    hard.illness = None
    assert hard.ask() == ["rotated-3"]


def test_the_one_before_is_tried_where_the_newest_is_refused(hard: Hard) -> None:
    """An answer that was lost on its way, say: the upstream never gave the newest one to anybody."""
    hard.alive = "rotated-2"
    assert hard.ask() == ["rotated-3", "rotated-2"]
    assert hard.alive == "rotated-4"
    assert known(hard.account, hard.state) == 2 * (RotatedTokens("rotated-4", "rotated-2"),)


def test_the_newest_comes_back_after_an_older_one_was_good() -> None:
    """One round is refused by mistake, and the original happens to be good as well."""
    upstream, account, state = Upstream(), make_account(), open_state(MEMORY)
    refresher = make_refresher(upstream, state)
    upstream.rotates_to, upstream.alive = "second", {"original"}
    refresher.renew(account)
    upstream.rotates_to = None
    refresher.renew(account)
    assert upstream.asked == ["original", "second", "original"]
    assert known(account, state) == 2 * (RotatedTokens("original", "second"),)
    upstream.alive = {"second"}
    refresher.renew(account)
    assert upstream.asked[3:] == ["original", "second"]
    assert known(account, state) == 2 * (RotatedTokens("second"),)


@pytest.mark.parametrize("odd", ["中文", "with blank", "line\nbreak", "", "x" * 9000])
def test_a_rotated_token_that_cannot_be_sent_is_not_kept(odd: str, caplog: pytest.LogCaptureFixture) -> None:
    upstream, account, state = Upstream(), make_account(), open_state(MEMORY)
    upstream.rotates_to = odd
    refresher = make_refresher(upstream, state)
    for _ in range(2):
        refresher.renew(account)
    assert upstream.asked == ["original", "original"]
    assert known(account, state) == (None, None)
    assert not odd or odd not in caplog.text


def test_the_vault_opens_only_with_the_original() -> None:
    state = open_state(MEMORY)
    vault = Vault(state)
    vault.put("original", RotatedTokens("rotated-secret", "previous-secret"), time.time() + 100)
    assert vault.get("original") == RotatedTokens("rotated-secret", "previous-secret")
    assert "secret" not in repr(vault.get("original"))
    assert vault.get("Original") is None
    ((name, sealed, previous),) = state.run("SELECT name, sealed, previous FROM sealed_token")
    assert b"secret" not in sealed + previous
    assert "original" not in name
    state.run("UPDATE sealed_token SET sealed = ?, previous = ?", previous, sealed)
    assert vault.get("original") is None  # neither stands for the other
    state.run("UPDATE sealed_token SET sealed = ?, previous = ?", sealed, sealed)
    assert vault.get("original") == RotatedTokens("rotated-secret")
    state.run("UPDATE sealed_token SET sealed = ?", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert vault.get("original") is None


def known(account: Account, state: State) -> tuple[RotatedTokens | None, RotatedTokens | None]:
    """The rotated tokens in memory and at rest."""
    return account.rotated, Vault(state).get(account.refresh_token)


def test_trouble_keeps_the_rotated_token() -> None:
    """A refusal of all of them, too."""
    upstream, account, state = Upstream(), make_account(), open_state(MEMORY)
    upstream.rotates_to = "second"
    refresher = make_refresher(upstream, state)
    refresher.access_token(account)

    def fail(token: str) -> RefreshedTokens:
        raise UpstreamUnreachable("away")

    with pytest.raises(UpstreamUnreachable):
        Refresher(fail, Vault(state), lambda account, user_id: None).renew(account)
    assert known(account, state) == 2 * (RotatedTokens("second"),)
    upstream.alive = set()
    with pytest.raises(AccountExpired) as raised:
        refresher.renew(account)
    assert known(account, state) == 2 * (RotatedTokens("second"),)
    assert "original" not in raised.value.message
    assert "second" not in raised.value.message
