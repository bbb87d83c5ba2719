"""Who is asked next, who is blamed, and what the caller is told."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters

import pytest

from app.accounts.authenticator import Caller
from app.accounts.breaker import Breaker
from app.accounts.lease import Lease
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.core.errors import (
    AccountBlocked,
    AccountExpired,
    AccountsBusy,
    ConversationUncertain,
    CutAnswer,
    GatewayError,
    InternalError,
    InvalidRequest,
    KeyLimited,
    LoginAnswering,
    ModelNotFound,
    NoPicture,
    Outcome,
    ShuttingDown,
    UpstreamBusy,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from app.exchange.clock import StartClock
from app.exchange.failover import Failover, Task
from app.hub import ClientGone
from app.state import MEMORY, open_state
from tests.clock import Clock

Step = BaseException | Callable[[], None] | None


class Scripted(Task[str]):
    """What each account does, attempt by attempt; one without a script answers."""

    def __init__(self, rig: Rig, tokens: str, script: dict[str, list[Step]], peer: str | None = None) -> None:
        super().__init__(rig.pool.get_or_add(tokens), Caller("", "line", tuple(tokens), peer=peer), rig.start)
        self._rig = rig
        self._script = script

    def attempt(self, lease: Lease) -> str:
        token = lease.account.refresh_token
        self._rig.asked += token
        steps = self._script.get(token, [])
        step = steps.pop(0) if steps else None
        if callable(step):
            step()
        if isinstance(step, BaseException):
            raise step
        self._rig.leases.append(lease)
        return f"answer of {token}"


class Rig:
    def __init__(self) -> None:
        self.clock = Clock(1000.0)
        self.start = StartClock(60, self.clock)
        self.pool = AccountPool(Logins(open_state(MEMORY)), clock=self.clock)
        self.breaker = Breaker(1, self.clock)
        self.failover = Failover(self.pool, self.breaker, queue_seconds=0)
        self.asked = ""
        self.leases: list[Lease] = []

    def run(self, tokens: str, peer: str | None = None, **script: list[Step]) -> str:
        return self.failover.run(Scripted(self, tokens, script, peer))

    def state(self, token: str) -> object:
        return self.pool.describe([token])[0]["state"]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture(autouse=True)
def leases_are_given_back(rig: Rig) -> object:
    yield
    for lease in rig.leases:
        lease.release(Outcome.OK)
    assert rig.pool.leased == 0


def away() -> UpstreamUnreachable:
    return UpstreamUnreachable("away")


def test_the_first_who_answers_is_enough_and_has_the_lease(rig: Rig) -> None:
    assert rig.run("abc", a=[away()]) == "answer of b"
    assert (rig.asked, rig.pool.leased) == ("ab", 1)
    assert [rig.state(token) for token in "abc"] == ["cooling", "answering", "unknown"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UpstreamUnreachable("away"), "cooling"),
        (UpstreamTimeout("slow"), "cooling"),
        (CutAnswer("cut"), "cooling"),
        (NoPicture("words"), "cooling"),
        (UpstreamBusy("busy"), "cooling"),
        (UpstreamThrottled("slower"), "cooling"),
        (AccountBlocked("risk"), "blocked"),
        (AccountExpired("dead"), "expired"),
        (ModelNotFound("unknown"), "unknown"),
    ],
)
def test_what_says_something_about_an_account_lets_the_next_one_try(error: GatewayError, state: str) -> None:
    rig = Rig()
    assert rig.run("ab", a=[error]) == "answer of b"
    assert (rig.asked, rig.state("a")) == ("ab", state)
    rig.leases.pop().release(Outcome.OK)


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("wrong"),
        ConversationUncertain("who knows"),
        InternalError("ours"),
        ShuttingDown("stop"),
        ClientGone(),
        RuntimeError("ours"),
    ],
)
def test_what_says_nothing_about_an_account_ends_it_all(rig: Rig, error: BaseException) -> None:
    with pytest.raises(type(error)):
        rig.run("ab", a=[error])
    assert (rig.asked, rig.state("a"), rig.pool.leased) == ("a", "unknown", 0)


def test_every_account_is_asked_once(rig: Rig) -> None:
    with pytest.raises(UpstreamUnreachable):
        rig.run("abc", a=[away()], b=[away()], c=[away()])
    assert rig.asked == "abc"


def test_a_login_that_answers_already_is_waited_for_in_its_line(rig: Rig) -> None:
    """It is told once; the account is no worse for it, and is asked after the others."""
    assert rig.run("a", a=[LoginAnswering("by another token")]) == "answer of a"
    assert rig.asked == "aa"
    rig.leases.pop().release(Outcome.OK)
    assert rig.run("ab", b=[LoginAnswering("by another token")]) == "answer of a"
    assert rig.asked == "aaba"


def test_the_caller_hears_the_most_hopeful_truth(rig: Rig) -> None:
    with pytest.raises(UpstreamThrottled):
        rig.run("abc", a=[AccountExpired("dead")], b=[UpstreamThrottled("slower")], c=[away()])


def test_without_accounts_there_is_nobody_to_wait_for(rig: Rig) -> None:
    with pytest.raises(AccountsBusy, match="No account is left"):
        rig.run("")


def test_a_task_says_itself_what_an_account_learns_and_what_the_caller_hears(rig: Rig) -> None:
    class Particular(Scripted):
        def classify(self, error: GatewayError) -> Outcome:
            return Outcome.REJECTED

        def summarize(self, errors: list[GatewayError]) -> GatewayError:
            return InternalError(" ".join(error.message for error in errors))

    task = Particular(rig, "ab", {"a": [away()], "b": [NoPicture("words")]})
    with pytest.raises(InternalError, match="away words"):
        rig.failover.run(task)
    assert [rig.state("a"), rig.state("b"), rig.breaker.is_open] == ["expired", "expired", False]


# --- time ---


def test_when_the_time_is_over_nobody_else_is_blamed(rig: Rig) -> None:
    def take_long() -> None:
        rig.clock.now += 60
        raise away()

    with pytest.raises(UpstreamTimeout, match="no time left"):
        rig.run("ab", a=[take_long])
    assert (rig.asked, rig.state("b")) == ("a", "unknown")


def test_the_first_account_is_asked_in_any_case(rig: Rig) -> None:
    rig.clock.now += 60
    assert rig.run("a") == "answer of a"


@pytest.mark.parametrize(("queue_seconds", "left", "waits"), [(30, 60, 30), (90, 60, 60), (30, 0, 0)])
def test_nobody_waits_longer_than_for_the_queue_or_the_start(
    rig: Rig, queue_seconds: float, left: float, waits: float
) -> None:
    waited: list[tuple[float, str]] = []

    class Line(AccountPool):
        def acquire(self, accounts: object, *, wait_seconds: float, caller: str = "", **_: object) -> Lease:
            waited.append((wait_seconds, caller))
            raise AccountsBusy("all are answering")

    failover = Failover(Line(Logins(open_state(MEMORY))), rig.breaker, queue_seconds)
    rig.clock.now += 60 - left
    with pytest.raises(AccountsBusy):
        failover.run(Scripted(rig, "a", {}))
    assert waited == [(waits, "line")]


# --- the breaker ---


def test_the_breaker_hears_when_nobody_can_reach_the_upstream(rig: Rig) -> None:
    with pytest.raises(UpstreamTimeout):
        rig.run("ab", a=[away()], b=[UpstreamTimeout("slow")])
    assert rig.breaker.is_open
    with pytest.raises(UpstreamBusy):
        rig.run("c")
    assert rig.asked == "ab"
    rig.clock.now += 30
    assert rig.run("c") == "answer of c"
    assert not rig.breaker.is_open


@pytest.mark.parametrize("error", [AccountExpired("dead"), UpstreamThrottled("slower"), ModelNotFound("no")])
def test_what_is_an_accounts_own_fault_does_not_open_it(rig: Rig, error: GatewayError) -> None:
    with pytest.raises(GatewayError):
        rig.run("ab", a=[away()], b=[error])
    assert not rig.breaker.is_open


def test_accounts_that_answer_others_speak_for_the_upstream(rig: Rig) -> None:
    rig.run("b")
    with pytest.raises(AccountsBusy):
        rig.run("ab", a=[away()])
    assert (rig.asked, rig.breaker.is_open) == ("ba", False)


def test_accounts_that_rest_do_not_speak_for_the_upstream(rig: Rig) -> None:
    with pytest.raises(AccountExpired):
        rig.run("b", b=[AccountExpired("dead")])
    with pytest.raises(UpstreamUnreachable):
        rig.run("ab", a=[away()])
    assert (rig.asked, rig.breaker.is_open) == ("ba", True)


# --- refused tokens count against their address ---


def test_who_sends_refused_tokens_waits_but_for_those_accepted_before(rig: Rig) -> None:
    """One request may try its whole list; the next one from there waits."""
    made_up = ascii_letters[:40]
    dead = {token: list[Step]([AccountExpired("dead")]) for token in ascii_letters}
    with pytest.raises(AccountExpired):
        rig.run(made_up, "peer", **dead)
    assert rig.asked == made_up
    with pytest.raises(KeyLimited):
        rig.run("W", "peer")
    assert [rig.run("X", "other"), rig.run("V", None)] == ["answer of X", "answer of V"]
    known = rig.pool.get_or_add("Y")
    known[0].is_accepted = True
    rig.pool.remember(known)
    assert rig.run("ZY", "peer") == "answer of Y"
    assert rig.asked == made_up + "XVY"


def test_what_is_not_refused_is_not_counted(rig: Rig) -> None:
    rig.failover = Failover(rig.pool, Breaker(1000, rig.clock), queue_seconds=0)
    for token in ascii_letters[:35]:
        with pytest.raises(UpstreamUnreachable):
            rig.run(token, "peer", **{token: list[Step]([away()])})
    assert rig.run("Z", "peer") == "answer of Z"
