"""Nobody ever goes on in a conversation that is not, word for word, the history that is sent - or not theirs.

Random chats of clients that share accounts, texts and answers: they edit, regenerate, branch, go by id,
change the system text and the mode, leave, ask in parallel, while accounts come, go and fail, and
conversations are deleted. What is asked is checked by the upstream (`conversing`), at every question.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.accounts.authenticator import Caller
from app.accounts.breaker import Breaker
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.chat import service
from app.chat.going_on import GoingOn
from app.chat.service import ChatService, Directory, ToolSpeech
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.continuable import ContinuableConversations
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import AccessRejected, GatewayError, UpstreamThrottled, UpstreamUnreachable
from app.core.event import ReasoningDelta, TextDelta
from app.core.request import Question
from app.exchange.failover import Failover
from app.exchange.opener import ReplyOpener
from app.exchange.reply import Reply
from app.metrics.counters import Counters
from app.state import MEMORY, open_state
from app.tools.dialect import Dialect
from tests.app.chat.conversing import Asking, ConversingUpstream
from tests.app.chat.window import CALLERS, CHANGES, KEPT_AS, Window, say
from tests.clock import Clock

KEEP_SECONDS = 600.0
SETTINGS = Settings(
    conversation_ttl_seconds=KEEP_SECONDS, heal="off", queue_seconds=0, max_prompt_chars=100_000
)
MAX_REMEMBERED = 8
MAX_EXAMPLES = 150
STEPS = 40


@dataclass(slots=True)
class Open:
    """A reply that is being read."""

    window: Window
    reply: Reply
    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)

    def read(self) -> None:
        for event in self.reply.read() or ():
            if isinstance(event, TextDelta):
                self.said.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self.thought.append(event.text)

    def keep(self, kept_as: int) -> Window:
        """What its client makes of it."""
        thought, text = "".join(self.thought), "".join(self.said)
        answered = (say("assistant", KEPT_AS[kept_as](thought, text)),) if text else ()
        return replace(
            self.window,
            history=self.window.history + answered,
            conversation_id=self.reply.conversation_id,
        )


class NoFiles:
    def __bool__(self) -> bool:
        return False

    def close(self) -> None: ...


class Gateway:
    """All that decides in whose conversation a chat goes on; only the upstream is none."""

    def __init__(self) -> None:
        self.clock = Clock(time.time())
        self.state = open_state(MEMORY)
        self.pool = AccountPool(Logins(self.state), clock=self.clock)
        self.ledger = Ledger(self.state)
        self.cleaner = Cleaner(self.ledger, self._delete, self.pool.owners, self.clock)
        self.upstream = ConversingUpstream()
        refresher = Refresher(_refresh, Vault(self.state), self.pool.identify)
        upstream: Any = self.upstream
        failover = Failover(self.pool, Breaker(1_000_000), SETTINGS.queue_seconds)
        opener = ReplyOpener(SETTINGS, upstream, failover, refresher, self.cleaner, self.clock)
        going_on = GoingOn(self.cleaner, KEEP_SECONDS)
        going_on._conversations = ContinuableConversations(MAX_REMEMBERED)
        directory, speech = Directory(self.pool, self.ledger), ToolSpeech(Dialect("k3x9"), Counters())
        attacher: Any = self
        self._chat = ChatService(SETTINGS, directory, opener, attacher, speech, going_on)

    def collect(self, attachments: list[Any]) -> NoFiles:
        assert not attachments
        return NoFiles()

    def open(self, question: Question, caller: Caller) -> Reply:
        self.upstream.asking = Asking(caller.id, frozenset(caller.refresh_tokens), question)
        return self._chat.open(question, caller)

    def list_dues_of_others(self, caller: Caller) -> list[Any]:
        return list(self.state.run("SELECT id, due FROM conversation WHERE caller != ?", caller.id))

    def delete_what_is_due(self) -> None:
        for owner in self.pool.owners():
            while (due := self.ledger.first_due(owner, self.clock())) is not None:
                self.cleaner.delete_now(due)

    def _delete(self, conversation: Conversation) -> None:
        if conversation.id in self.upstream.held:
            self.upstream.delete(conversation.id)

    def close(self) -> None:
        self.cleaner.stop(1)
        self.state.close()


def _refresh(refresh_token: str) -> RefreshedTokens:
    return RefreshedTokens(AccessToken(refresh_token, time.time() + 1e6, "device"), refresh_token, None)


windows = st.integers(0, 5)
words = st.integers(1, 2)
places = st.integers(0, 9)
kept = st.integers(0, len(KEPT_AS) - 1)
TALLY = {"begun": 0, "gone on": 0}


class Chats(RuleBasedStateMachine):
    """Each rule takes one of the latest windows, as it is or changed; the former one stays, for a branch."""

    @initialize()
    def begin(self) -> None:
        self.gateway = Gateway()
        self.windows = [Window(CALLERS[0]), Window(CALLERS[1])]
        self.opened: list[Open] = []

    def find(self, index: int) -> Window:
        return self.windows[-1 - index % len(self.windows)]

    def ask(self, window: Window, word: int, **more: Any) -> Open | None:
        window = replace(window, history=(*window.history, say("user", f"u{word}")))
        question = Question(window.history, window.model, web_search=window.searches, **more)
        others = self.gateway.list_dues_of_others(window.caller)
        try:
            opened = Open(window, self.gateway.open(question, window.caller))
            self.opened.append(opened)
        except GatewayError:
            return None
        finally:
            assert self.gateway.list_dues_of_others(window.caller) == others, "another caller's is let go"
        return opened

    def end(self, opened: Open, kept_as: int, *, leaves: bool = False) -> None:
        with suppress(GatewayError):
            while not leaves and not opened.reply.finished:
                opened.read()
        opened.reply.close(in_background=False)
        self.opened.remove(opened)
        self.windows.append(opened.keep(kept_as))

    @rule(index=windows, word=words, kept_as=kept)
    def chat(self, index: int, word: int, kept_as: int) -> None:
        opened = self.ask(self.find(index), word)
        if opened is not None:
            self.end(opened, kept_as)

    @rule(index=windows, change=st.sampled_from(CHANGES), place=places, word=words, new=words, kept_as=kept)
    def chat_otherwise(
        self,
        index: int,
        change: Callable[[Window, int, int], Window],
        place: int,
        word: int,
        new: int,
        kept_as: int,
    ) -> None:
        opened = self.ask(change(self.find(index), place, word), new)
        if opened is not None:
            self.end(opened, kept_as)

    @rule(index=windows, word=words, max_tokens=st.none() | st.integers(1, 6))
    def ask_and_read_later(self, index: int, word: int, max_tokens: int | None) -> None:
        self.ask(self.find(index), word, max_tokens=max_tokens)

    @rule(index=windows, kept_as=kept, leaves=st.booleans())
    def end_one(self, index: int, kept_as: int, *, leaves: bool) -> None:
        if self.opened:
            self.end(self.opened[index % len(self.opened)], kept_as, leaves=leaves)

    @rule(index=windows, word=words, kept_as=kept, limit=st.integers(1, 6) | st.sampled_from([",", " and"]))
    def chat_briefly(self, index: int, word: int, kept_as: int, limit: int | str) -> None:
        more: Any = {"max_tokens": limit} if isinstance(limit, int) else {"stop": (limit,)}
        opened = self.ask(self.find(index), word, **more)
        if opened is not None:
            self.end(opened, kept_as)

    @rule(index=windows, caller=st.none() | st.sampled_from(CALLERS), word=words)
    def go_by_id(self, index: int, caller: Caller | None, word: int) -> None:
        """With an id of one's own, or of somebody else's; windows with that history stay as they are."""
        window = self.find(index)
        if window.conversation_id is not None:
            asking = Window(caller or window.caller, model=window.model, searches=window.searches)
            opened = self.ask(asking, word, continued_id=window.conversation_id)
            if opened is not None:
                self.end(opened, 0)
                self.windows.append(window)

    @rule(
        index=windows,
        word=words,
        kept_as=kept,
        ending=st.sampled_from(["finish", "intervene", "cut"]),
        thinks=st.booleans(),
    )
    def chat_to_another_end(self, index: int, word: int, kept_as: int, ending: Any, *, thinks: bool) -> None:
        upstream = self.gateway.upstream
        upstream.ending, upstream.thinks = ending, thinks
        self.chat(index, word, kept_as)
        upstream.ending, upstream.thinks = "finish", False

    @rule(
        index=windows,
        word=words,
        account=st.sampled_from("xyz"),
        error=st.sampled_from([UpstreamUnreachable, UpstreamThrottled, AccessRejected]),
    )
    def chat_while_one_fails(self, index: int, word: int, account: str, error: type[GatewayError]) -> None:
        self.gateway.upstream.failures[account] = [error("no"), error("no")]
        self.chat(index, word, 0)
        self.gateway.upstream.failures.clear()
        self.gateway.clock.now += KEEP_SECONDS / 4  # it has rested

    @rule(seconds=st.sampled_from([1.0, KEEP_SECONDS / 2, KEEP_SECONDS + 1]))
    def wait(self, seconds: float) -> None:
        self.gateway.clock.now += seconds

    @rule()
    def clean(self) -> None:
        self.gateway.delete_what_is_due()

    @rule(index=windows)
    def lose(self, index: int) -> None:
        """A conversation is deleted on the site itself."""
        named, held = self.find(index).conversation_id, self.gateway.upstream.held
        if named in held and not held[named].open:
            del held[named]

    def teardown(self) -> None:
        if hasattr(self, "gateway"):
            for opened in self.opened:
                opened.reply.close(in_background=False)
            TALLY["begun"] += self.gateway.upstream.begun
            TALLY["gone on"] += self.gateway.upstream.gone_on
            self.gateway.close()


def test_what_is_asked_is_the_history_of_its_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_OWNER_SECONDS", 0.0)
    TALLY.update({"begun": 0, "gone on": 0})
    chosen = settings(
        max_examples=MAX_EXAMPLES,
        stateful_step_count=STEPS,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Chats, settings=chosen)
    assert TALLY["gone on"] > TALLY["begun"] / 10, "the chats go on often enough to be looked at"
