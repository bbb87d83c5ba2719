"""Lists of accounts: asked when somebody looks, of one account, once in ten minutes; nobody waits long."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.accounts.account import Account, LoginSlot, Pacing
from app.auth_token import AccessToken
from app.core.errors import Outcome, UpstreamUnreachable
from app.core.listing import Assistant, Listing
from app.listing import cache
from app.listing.cache import Listings, index_names
from tests.clock import Clock
from tests.eventually import eventually

ID = "0123456789abcdef01234567"
LOOK_SECONDS = cache._LOOK_SECONDS


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a list comes late, and is no other list for that."""
    monkeypatch.setattr(cache, "_LOOK_SECONDS", 30.0)


def make(name: str, *, is_accepted: bool = True) -> Account:
    token = AccessToken(name, 2e9, "device") if is_accepted else None
    return Account(name, name, LoginSlot(Pacing()), name, is_accepted=is_accepted, access_token=token)


def listing_of(name: str) -> Listing:
    return Listing(("glm-5.2",), (Assistant(ID, f"{name}的助手"),))


class Upstream:
    """Each account has a list with its name in it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.parts: tuple[str, ...] = ("models", "assistants")
        self.is_open = threading.Event()
        self.is_open.set()

    def call(self, account: Account) -> Listing:
        self.asked.append(account.owner)
        self.is_open.wait(10)
        if self.error is not None:
            raise self.error
        whole = listing_of(account.owner)
        return Listing(**{part: getattr(whole, part) for part in self.parts})


def names(listing: Listing) -> list[str]:
    return [one.name for one in listing.assistants or ()]


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_is_asked_once_in_ten_minutes(upstream: Upstream, clock: Clock) -> None:
    listings = Listings(upstream.call, clock)
    for _ in range(3):
        assert listings.look([make("a")]) == listing_of("a")
    clock.now += 599.9
    listings.look([make("a")])
    assert upstream.asked == ["a"]
    clock.now += 0.1
    listings.look([make("a")])
    assert upstream.asked == ["a", "a"]


def test_one_account_is_asked_and_the_same_one_again(upstream: Upstream, clock: Clock) -> None:
    listings = Listings(upstream.call, clock)
    accounts = [make(name) for name in "abc"]
    for _ in range(3):
        assert names(listings.look(accounts)) == ["a的助手"]
        clock.now += 600
    assert upstream.asked == ["a", "a", "a"]


def test_who_was_never_accepted_is_not_asked(upstream: Upstream) -> None:
    listings = Listings(upstream.call)
    assert listings.look([make("stranger", is_accepted=False)]) == Listing()
    assert listings.look([make("stranger", is_accepted=False), make("b")]) == listing_of("b")
    assert upstream.asked == ["b"]


def test_who_answers_or_rests_is_not_asked(upstream: Upstream) -> None:
    answering, resting, expired = make("a"), make("r"), make("e")
    answering.login_slot.is_leased = True
    resting.record(Outcome.RATE_LIMITED, None, time.monotonic())
    expired.record(Outcome.REJECTED, None, time.monotonic())
    listings = Listings(upstream.call)
    assert listings.look([answering, resting, expired]) == Listing()
    assert upstream.asked == []


def test_nobody_sees_a_list_of_an_account_that_is_not_theirs(upstream: Upstream) -> None:
    listings = Listings(upstream.call)
    for name in "ab":
        assert names(listings.look([make(name)])) == [f"{name}的助手"]
    assert listings.find_assistant("a的助手", [make("a")]) == ID
    assert listings.find_assistant("a的助手", [make("b")]) is None
    assert listings.find_assistant("a的助手", []) is None


def test_an_account_that_was_refused_shows_nothing_any_more(upstream: Upstream) -> None:
    listings, account = Listings(upstream.call), make("a")
    listings.look([account])
    account.record(Outcome.REJECTED, None, time.monotonic())
    assert listings.look([account]) == Listing()
    assert listings.find_assistant("a的助手", [account]) is None


def test_what_failed_is_asked_again_after_a_minute_and_what_was_known_stays(
    upstream: Upstream, clock: Clock
) -> None:
    listings = Listings(upstream.call, clock)
    listings.look([make("a")])
    upstream.error = UpstreamUnreachable("no")
    clock.now += 600
    assert listings.look([make("a")]) == listing_of("a")
    assert listings.find_assistant("a的助手", [make("a")]) == ID
    assert upstream.asked == ["a", "a"]


def test_who_fails_gives_way_to_the_next(upstream: Upstream, clock: Clock) -> None:
    upstream.error = UpstreamUnreachable("no")
    listings, accounts = Listings(upstream.call, clock), [make(name) for name in "abc"]
    for _ in range(5):
        for _ in range(3):
            assert listings.look(accounts) == Listing()
        clock.now += 60
    assert upstream.asked == ["a", "b", "c", "a", "b"]


def test_half_a_list_is_filled_up_and_asked_again_sooner(upstream: Upstream, clock: Clock) -> None:
    upstream.parts = ("models",)
    listings = Listings(upstream.call, clock)
    assert listings.look([make("a")]) == Listing(("glm-5.2",), None)
    upstream.parts = ("assistants",)
    clock.now += 60
    assert listings.look([make("a")]) == listing_of("a")


def test_an_account_whose_login_turns_out_meanwhile(upstream: Upstream) -> None:
    """Who looks then waits for the call that runs, and finds what it brought."""
    account = make("key")
    upstream.is_open.clear()
    listings = Listings(upstream.call)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(listings.look, [account])
        eventually(lambda: upstream.asked == ["key"])
        account.owner = "login"
        second = threads.submit(listings.look, [account])
        upstream.is_open.set()
        assert names(first.result()) == names(second.result()) == ["login的助手"]
    assert listings.look([account]) == listing_of("login")
    assert upstream.asked == ["key"]
    assert repr(listings) == "<Listings known=1>"


def test_an_unexpected_failure_ends_the_call_too(upstream: Upstream, clock: Clock) -> None:
    """Else everybody who looks would wait for it."""
    upstream.error = RuntimeError("a mistake of ours")
    listings = Listings(upstream.call, clock)
    assert listings.look([make("a")]) == Listing()
    upstream.error = None
    clock.now += 60
    assert listings.look([make("a")]) == listing_of("a")


def test_many_who_look_at_once_ask_once_for_each_account(upstream: Upstream) -> None:
    upstream.is_open.clear()
    listings = Listings(upstream.call)
    callers: Sequence[Sequence[Account]] = [[make("a")], [make("b")], [make("a"), make("b")]]
    with ThreadPoolExecutor(60) as threads:
        looks = [threads.submit(listings.look, callers[number % 3]) for number in range(60)]
        eventually(lambda: set(upstream.asked) == {"a", "b"})
        upstream.is_open.set()
        seen = [look.result() for look in looks]
    assert sorted(upstream.asked) == ["a", "b"]
    assert all(names(listing) for listing in seen)


def test_nobody_waits_longer_than_two_seconds_from_the_begin_of_the_call(
    upstream: Upstream, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one who looks, a second and a half later, waits for half a second; the third not at all."""
    waits: list[float | None] = []

    class Event(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return False

    upstream.is_open.clear()
    monkeypatch.setattr(cache, "_LOOK_SECONDS", LOOK_SECONDS)
    monkeypatch.setattr(threading, "Event", Event)
    listings = Listings(upstream.call, clock)
    try:
        for seconds in (1.5, 1.0, 1.0):
            assert listings.look([make("a")]) == Listing()
            clock.now += seconds
        assert waits == [2.0, 0.5, 0.0]
        eventually(lambda: upstream.asked == ["a"])
    finally:
        upstream.is_open.set()


def test_only_so_many_calls_run_at_a_time(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_MAX_AT_A_TIME", 3)
    monkeypatch.setattr(cache, "_LOOK_SECONDS", 0.0)
    upstream.is_open.clear()
    listings = Listings(upstream.call)
    try:
        for number in range(10):
            assert listings.look([make(f"a{number}")]) == Listing()
        eventually(lambda: len(upstream.asked) == 3)
    finally:
        upstream.is_open.set()
    eventually(lambda: listings.look([make("late")]) == listing_of("late"))
    assert len(upstream.asked) == 4


@pytest.mark.parametrize("error", [None, UpstreamUnreachable("away")])
def test_what_is_remembered_is_bounded(
    upstream: Upstream, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts whose calls always fail are forgotten as well, and so is one whose call still runs."""
    monkeypatch.setattr(cache, "_MAX_KNOWN", 5)
    upstream.error = error
    listings = Listings(upstream.call)
    for number in range(20):
        listings.look([make(f"a{number}")])
    assert repr(listings) == "<Listings known=5>"


@pytest.mark.parametrize(
    ("assistants", "index"),
    [
        ([("a", "写作助手"), ("b", "翻译")], {"写作助手": "a", "翻译": "b"}),
        ([("a", "同名"), ("b", "同名"), ("c", " 同名\u200b")], {}),
        ([("a", "Writer"), ("b", "WRITER")], {}),
        ([("a", "glm-think"), ("b", "gpt-4o"), ("c", "cogview-3"), ("d", "claude-glm"), ("e", "")], {}),
        ([("a", "f" * 24), ("b", "x-" + "f" * 24)], {}),
    ],
)
def test_names_that_count(assistants: list[tuple[str, str]], index: dict[str, str]) -> None:
    """Only one assistant's, and nothing that means something already."""
    assert index_names([Assistant(*one) for one in assistants]) == index
