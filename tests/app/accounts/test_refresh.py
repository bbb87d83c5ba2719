"""Access tokens: one refresh for all who wait, rotated tokens kept and sealed."""

from __future__ import annotations

import threading
import time

import pytest

from app.accounts.account import Account, Pacing, Seat, account_key
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.errors import AccessRejected, AccountExpired, UpstreamUnreachable
from app.state import MEMORY, State, open_state
from app.token import AccessToken, RefreshedTokens


def make_account() -> Account:
    key = account_key("original")
    return Account("original", key, Seat(Pacing()), key)


class Upstream:
    """Answers refreshes as told; knows which tokens it was asked with."""

    def __init__(self) -> None:
        self.alive = {"original"}
        self.asked: list[str] = []
        self.rotates_to: str | None = None
        self.gate = threading.Event()
        self.gate.set()

    def refresh(self, token: str) -> RefreshedTokens:
        self.gate.wait(5)
        self.asked.append(token)
        if token not in self.alive:
            raise AccessRejected("no")
        return RefreshedTokens(
            AccessToken(f"access-{len(self.asked)}", time.time() + 3600, "device"), self.rotates_to
        )


def make_refresher(upstream: Upstream, state: State | None = None) -> Refresher:
    return Refresher(upstream.refresh, Vault(state or open_state(MEMORY)), lambda account, user_id: None)


def test_a_token_is_kept() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    assert refresher.access_token(account) is refresher.access_token(account)
    assert upstream.asked == ["original"]
    token = refresher.access_token(account)
    assert refresher.access_token(account, rejected=token) is not token


def test_all_who_wait_share_one_refresh() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    upstream.gate.clear()
    got: list[AccessToken] = []
    threads = [threading.Thread(target=lambda: got.append(refresher.access_token(account))) for _ in range(8)]
    for thread in threads:
        thread.start()
    upstream.gate.set()
    for thread in threads:
        thread.join(5)
    assert len(got) == 8
    assert upstream.asked == ["original"]


def test_a_rotated_token_survives_a_restart() -> None:
    upstream, state = Upstream(), open_state(MEMORY)
    upstream.rotates_to = "second"
    make_refresher(upstream, state).access_token(make_account())
    upstream.alive, upstream.rotates_to = {"second"}, "third"
    make_refresher(upstream, state).access_token(make_account())
    upstream.alive = {"third"}
    make_refresher(upstream, state).access_token(make_account())
    assert upstream.asked == ["original", "second", "third"]


def test_the_original_is_the_one_fall_back() -> None:
    upstream, account = Upstream(), make_account()
    refresher = make_refresher(upstream)
    upstream.rotates_to = "second"
    refresher.access_token(account)
    upstream.rotates_to = None
    refresher.renew(account)
    assert upstream.asked == ["original", "second", "original"]
    upstream.alive = set()
    with pytest.raises(AccountExpired):
        refresher.renew(account)


def test_trouble_is_not_death() -> None:
    def refresh(token: str) -> RefreshedTokens:
        raise UpstreamUnreachable("away")

    refresher = Refresher(refresh, Vault(open_state(MEMORY)), lambda account, user_id: None)
    with pytest.raises(UpstreamUnreachable):
        refresher.access_token(make_account())


def test_the_vault_opens_only_with_the_original() -> None:
    state = open_state(MEMORY)
    vault = Vault(state)
    vault.put("original", "rotated-secret", time.time() + 100)
    assert vault.get("original") == "rotated-secret"
    assert vault.get("Original") is None
    ((name, sealed),) = state.run("SELECT name, sealed FROM sealed_token")
    assert b"rotated-secret" not in sealed
    assert "original" not in name
    state.run("UPDATE sealed_token SET sealed = ?", sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert vault.get("original") is None
    vault.put("original", "short-lived", time.time() - 1)
    assert vault.get("original") is None
