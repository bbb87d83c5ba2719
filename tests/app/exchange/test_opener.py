"""The way to a reply: whom it leads past, and who is blamed where it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from app.accounts.breaker import Breaker
from app.accounts.gate import Caller
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.refusal import RefusalLimit
from app.accounts.vault import Vault
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Ledger
from app.errors import (
    AccessRejected,
    AccountExpired,
    AccountsBusy,
    ConversationUncertain,
    GatewayError,
    KeyLimited,
    SilentAnswer,
    UpstreamError,
    UpstreamUnreachable,
)
from app.exchange.attaching import Attacher
from app.exchange.opener import Plan, ReplyOpener
from app.exchange.turn import Turns
from app.files.fetch import Fetcher, FetchPolicy
from app.state import MEMORY, open_state
from app.token import RefreshedTokens
from app.upstream.client import UpstreamAddress, UpstreamClient
from app.upstream.request import StreamRequest

START_SECONDS = 0.2


class Rig:
    """An opener whose accounts never get an access token."""

    def __init__(self, fail: Callable[[str], RefreshedTokens]) -> None:
        settings = Settings(start_seconds=START_SECONDS)
        state = open_state(MEMORY)
        self.asked: list[str] = []
        self._fail = fail
        self.pool = AccountPool(Logins(state))
        self.client = UpstreamClient(UpstreamAddress("http://127.0.0.1:9", "secret", None, 1))
        cleaner = Cleaner(Ledger(state), lambda conversation: None, self.pool.owners)
        refresher = Refresher(self._refresh, Vault(state), self.pool.identify)
        self._attacher = Attacher(
            Fetcher(FetchPolicy(1, 1, frozenset())), self.client, most_files=1, timeout_seconds=1
        )
        self.refusals = RefusalLimit()
        turns = Turns(self.pool, Breaker(1000), settings.queue_seconds, self.refusals)
        self.opener = ReplyOpener(settings, self.client, turns, refresher, cleaner)

    def _refresh(self, token: str) -> RefreshedTokens:
        self.asked.append(token)
        return self._fail(token)

    def open(self, *tokens: str, continues: str = "", peer: str | None = None) -> None:
        accounts, question = self.pool.find(tokens), StreamRequest("?", conversation_id=continues)
        plan = Plan(question, accounts, Caller("", "", tokens, peer=peer), self._attacher.collect([]))
        self.opener.open(plan)


@pytest.fixture
def build() -> Iterator[Callable[[Callable[[str], RefreshedTokens]], Rig]]:
    made: list[Rig] = []

    def build(fail: Callable[[str], RefreshedTokens]) -> Rig:
        made.append(Rig(fail))
        return made[-1]

    yield build
    for rig in made:
        rig.client.close()


def fail_at_once(token: str) -> RefreshedTokens:
    raise UpstreamUnreachable("away")


def fail_too_late(token: str) -> RefreshedTokens:
    threading.Event().wait(START_SECONDS)
    raise UpstreamUnreachable("away")


def test_every_account_is_asked_once(build: Callable[..., Rig]) -> None:
    rig = build(fail_at_once)
    with pytest.raises(UpstreamUnreachable):
        rig.open("a", "b", "c")
    assert rig.asked == ["a", "b", "c"]


def test_when_the_time_is_over_nobody_else_is_blamed(build: Callable[..., Rig]) -> None:
    rig = build(fail_too_late)
    with pytest.raises(UpstreamError):
        rig.open("a", "b", "c")
    assert rig.asked == ["a"]
    assert [known["state"] for known in rig.pool.describe(["b", "c"])] == ["unknown", "unknown"]


def test_a_conversation_is_not_missing_where_nobody_had_time_to_look(build: Callable[..., Rig]) -> None:
    """Silence is how the upstream says that it is not this account's."""

    def be_silent_too_long(token: str) -> RefreshedTokens:
        threading.Event().wait(START_SECONDS)
        raise SilentAnswer("nothing")

    with pytest.raises(ConversationUncertain):
        build(be_silent_too_long).open("a", "b", continues="c")


def test_without_accounts_there_is_nobody_to_wait_for(build: Callable[..., Rig]) -> None:
    """The file of refresh tokens may have been emptied, or the shard may own none."""
    with pytest.raises(AccountsBusy):
        build(fail_at_once).open()


def test_who_sends_refused_tokens_is_told_to_wait(build: Callable[..., Rig]) -> None:
    """One request may try its whole list; the next one from there waits, but for tokens accepted before."""

    def refuse(token: str) -> RefreshedTokens:
        raise AccessRejected("no")

    rig = build(refuse)
    tokens = [f"made-up-{number}" for number in range(40)]
    with pytest.raises(AccountExpired):
        rig.open(*tokens, peer="peer")
    assert rig.asked == tokens
    with pytest.raises(KeyLimited):
        rig.open("made-up-40", peer="peer")
    for peer in ("other", None):
        with pytest.raises(AccountExpired):
            rig.open(f"made-up-by-{peer}", peer=peer)
    assert rig.asked == [*tokens, "made-up-by-other", "made-up-by-None"]
    known = rig.pool.find(["accepted-before"])
    known[0].is_accepted = True
    with pytest.raises(AccountExpired):
        rig.open("made-up-41", "accepted-before", peer="peer")
    assert rig.asked[-1] == "accepted-before"


@pytest.mark.parametrize(("fail", "times"), [(fail_at_once, 35), (fail_too_late, 2)])
def test_what_is_not_refused_is_not_counted(
    build: Callable[..., Rig], fail: Callable[[str], RefreshedTokens], times: int
) -> None:
    rig = build(fail)
    for number in range(times):
        with pytest.raises(GatewayError):
            rig.open(f"real-{number}", peer="peer")
    assert not rig.refusals._refused._windows
