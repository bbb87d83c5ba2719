"""How an account feels: pauses that grow, states with names, nothing secret in view."""

from __future__ import annotations

import weakref

import pytest

from app.accounts.account import Account, LoginSlot, Pacing, State, account_key, login_key
from app.accounts.vault import RotatedTokens
from app.auth_token import AccessToken
from app.core.errors import AccountBlocked, Outcome, UpstreamThrottled

NOW = 1000.0


def make_account(pacing: Pacing = Pacing()) -> Account:  # noqa: B008 - frozen
    key = account_key("secret-refresh")
    account = Account("secret-refresh", key, LoginSlot(pacing), key)
    account.login_slot.accounts[account.key] = account
    return account


def fail(account: Account, outcome: Outcome, times: int, retry_after_seconds: float | None = None) -> float:
    """The length of the last pause."""
    error = UpstreamThrottled("no", retry_after_seconds=retry_after_seconds)
    for _ in range(times):
        account.record(outcome, error, NOW)
    return account.cooling_until - NOW


def test_what_made_it_rest_is_not_kept_with_its_request() -> None:
    account = make_account()
    error = UpstreamThrottled("no")
    account.record(Outcome.RATE_LIMITED, error, NOW)
    assert account.describe(NOW, 0.0)["last_error"] == "upstream_throttled"
    gone = weakref.ref(error)
    del error
    assert gone() is None


@pytest.mark.parametrize(
    ("outcome", "times", "seconds"),
    [
        (Outcome.REJECTED, 1, 60),
        (Outcome.REJECTED, 3, 240),
        (Outcome.REJECTED, 30, 3600),
        (Outcome.BLOCKED, 1, 60),
        (Outcome.RATE_LIMITED, 1, 30),
        (Outcome.RATE_LIMITED, 2, 60),
        (Outcome.RATE_LIMITED, 100_000, 3600),
        (Outcome.UNREACHABLE, 1, 0.2),
        (Outcome.UNREACHABLE, 2, 0.4),
        (Outcome.UNREACHABLE, 50, 15),
    ],
)
def test_pauses_double_up_to_a_bound(outcome: Outcome, times: int, seconds: float) -> None:
    assert seconds <= fail(make_account(), outcome, times) <= seconds * 1.2001


def test_accounts_that_fail_together_come_back_apart() -> None:
    assert len({fail(make_account(), Outcome.RATE_LIMITED, 1) for _ in range(20)}) > 10


def test_the_upstreams_own_wish_counts() -> None:
    assert 5 <= fail(make_account(), Outcome.RATE_LIMITED, 1, 5) <= 6.01
    assert 10_000 <= fail(make_account(), Outcome.RATE_LIMITED, 1, 10_000) <= 12_001


def test_success_forgives() -> None:
    account = make_account()
    fail(account, Outcome.RATE_LIMITED, 5)
    account.record(Outcome.OK, None, NOW)
    assert (account.failures, account.last_error, account.replies) == (0, None, 1)
    assert fail(account, Outcome.RATE_LIMITED, 1) <= 36.01


def test_a_client_that_went_away_says_nothing_about_the_account() -> None:
    account = make_account()
    account.record(Outcome.ABANDONED, None, NOW)
    assert (account.cooling_until, account.failures, account.replies) == (0.0, 0, 0)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.REJECTED, "expired"),
        (Outcome.BLOCKED, "blocked"),
        (Outcome.RATE_LIMITED, "cooling"),
        (Outcome.UNREACHABLE, "cooling"),
        (Outcome.OK, "unknown"),
    ],
)
def test_states(outcome: Outcome, state: State) -> None:
    account = make_account()
    account.record(outcome, AccountBlocked("no"), NOW)
    assert account.state(NOW) == state
    later = max(NOW, account.cooling_until)
    assert account.state(later) == "unknown"
    account.access_token = AccessToken("secret-access", 0, "d")
    assert account.state(later) == "ready"
    account.login_slot.is_leased = True
    assert account.state(NOW) == "answering"


def test_the_description_is_for_people() -> None:
    account = make_account()
    account.access_token = AccessToken("secret-access", 0, "d")
    account.record(Outcome.RATE_LIMITED, UpstreamThrottled("no", retry_after_seconds=30), NOW)
    described = account.describe(NOW, offset=1_000_000)
    assert described.pop("cooling_until") == int(account.cooling_until + 1_000_000)
    assert described == {
        "label": account.key[:8],
        "state": "cooling",
        "since": 1_001_000,
        "replies": 0,
        "last_error": "upstream_throttled",
    }
    assert account.describe(NOW + 100, offset=0)["cooling_until"] is None


def test_nothing_secret_in_view() -> None:
    account = make_account()
    account.rotated = RotatedTokens("secret-newest", "secret-previous")
    account.refused_until = {"secret-refused": 1.0}
    account.access_token = AccessToken("secret-access", 0, "secret-device")
    assert "secret" not in repr(account)


def test_digests_of_different_kinds_differ() -> None:
    assert account_key("x") != login_key("x")
    assert len(account_key("x")) == 64


def test_readiness_is_the_latest_of_all_reasons() -> None:
    pacing = Pacing(10, 1)
    account = make_account(pacing)
    assert account.ready_at(pacing, NOW) == NOW
    account.login_slot.last_used = NOW
    assert account.ready_at(pacing, NOW) == NOW + 10
    account.cooling_until = NOW + 20
    assert account.ready_at(pacing, NOW) == NOW + 20
    assert account.login_slot.replies is not None
    account.login_slot.replies.add(NOW)
    assert account.ready_at(pacing, NOW) == NOW + 3600
    assert account.ready_at(pacing, NOW + 5000) == NOW + 5000
