"""An opener on scripted streams, one script a question; pool, refresher, ledger and failover are real."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.accounts.account import Account
from app.accounts.authenticator import Caller
from app.accounts.breaker import Breaker
from app.accounts.login import Logins
from app.accounts.pool import AccountPool
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.config import Settings
from app.conversations.cleaner import Cleaner
from app.conversations.ledger import Conversation, Ledger
from app.core.errors import GatewayError
from app.exchange.failover import Failover
from app.exchange.opener import Plan, ReplyOpener
from app.exchange.reply import Reply
from app.exchange.transforms.options import OutputOptions
from app.state import MEMORY, open_state
from app.upstream.request import DEFAULT_ASSISTANT_ID, StreamRequest
from app.upstream.upload import UploadedFile
from tests.app.exchange.script import ScriptedStream, Step
from tests.clock import Clock

ASSISTANT_ID = "c" * 24
_SETTINGS = Settings(
    start_seconds=15,
    first_event_seconds=10,
    commit_seconds=3,
    idle_seconds=20,
    heartbeat_seconds=5,
    max_reply_seconds=100,
    queue_seconds=0,
)


class ScriptedUpstream:
    """Stands for the upstream's client: plays what is listed for the account that asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.scripts: dict[str, list[tuple[Step, ...]]] = {}
        self.asked: list[str] = []
        self.on_ask: Callable[[], object] = lambda: None
        self.on_stop: Callable[[], object] = lambda: None

    def open_stream(self, token: AccessToken, question: StreamRequest, **_: float) -> ScriptedStream:
        account = token.value[:1]
        files = f" with {len(question.files)} file" if question.files else ""
        self.asked.append(f"{account}: {question.prompt}{files}")
        self.on_ask()
        return ScriptedStream(self._clock, *self.scripts[account].pop(0))

    def stop_answer(self, token: AccessToken, answer_id: str) -> None:
        self.on_stop()


class Files:
    """Stands for AttachedFiles: one file, which takes its time."""

    def __init__(self, clock: Clock, takes: float) -> None:
        self._clock = clock
        self._takes = takes

    def give(self, *_: object) -> tuple[UploadedFile, ...]:
        self._clock.now += self._takes
        return (UploadedFile("f", "f", "https://x/y", "a.md", 4),)


class Opening:
    def __init__(self) -> None:
        self.clock = Clock()
        self._begun_at = self.clock.now
        state = open_state(MEMORY)
        self.pool = AccountPool(Logins(state), clock=self.clock)
        self.ledger = Ledger(state)
        self._cleaner = Cleaner(self.ledger, lambda conversation: None, self.pool.owners)
        self.upstream = ScriptedUpstream(self.clock)
        self.asked = self.upstream.asked
        self.refreshed: list[str] = []
        self.refusals: dict[str, list[GatewayError]] = {}
        self.logins: dict[str, str] = {}
        refresher = Refresher(self._refresh, Vault(state), self.pool.identify)
        upstream: Any = self.upstream
        failover = Failover(self.pool, Breaker(5), _SETTINGS.queue_seconds)
        self._opener = ReplyOpener(_SETTINGS, upstream, failover, refresher, self._cleaner, self.clock)
        self._opened: list[Reply] = []

    @property
    def seconds(self) -> float:
        """How much time has passed."""
        return round(self.clock.now - self._begun_at, 1)

    def _refresh(self, refresh_token: str) -> RefreshedTokens:
        self.refreshed.append(refresh_token)
        if self.refusals.get(refresh_token):
            raise self.refusals[refresh_token].pop(0)
        access = AccessToken(f"{refresh_token}{len(self.refreshed)}", time.time() + 3600, "device")
        return RefreshedTokens(access, refresh_token, self.logins.get(refresh_token))

    def script(self, token: str, *steps: Step) -> None:
        """What the upstream says to the next question of this account."""
        self.upstream.scripts.setdefault(token, []).append(steps)

    def open(
        self,
        *tokens: str,
        prompt: str = "?",
        continues: str = "",
        assistant_id: str = ASSISTANT_ID,
        files: Any = None,
        reasoning: Any = "content",
        calls: Any = None,
        **plan: Any,
    ) -> Reply:
        question = StreamRequest(prompt, assistant_id or DEFAULT_ASSISTANT_ID, continues)
        caller, options = Caller("ann", "line", tokens), OutputOptions(reasoning=reasoning, calls=calls)
        reply = self._opener.open(
            Plan(question, self.pool.get_or_add(tokens), caller, files, options=options, **plan)
        )
        self._opened.append(reply)
        return reply

    def answer(self, *tokens: str, **plan: Any) -> None:
        """Open a reply, and leave it."""
        self.open(*tokens, **plan).close(in_background=False)

    def build_files(self, *, takes: float) -> Files:
        return Files(self.clock, takes)

    def account(self, token: str) -> Account:
        return self.pool.get_or_add([token])[0]

    def label(self, token: str) -> str:
        return self.account(token).label

    def remember(self, conversation_id: str, token: str) -> None:
        """As an earlier reply left it."""
        now = time.time()
        owner = self.account(token).owner
        self.ledger.begin(Conversation(conversation_id, ASSISTANT_ID, owner, "ann", now, now, now + 600))
        self.ledger.end(conversation_id, now=now, due=now + 600)

    def list_kept(self, token: str) -> list[Conversation]:
        return self.ledger.list_kept([self.account(token).owner], "ann", time.time())

    def close(self) -> None:
        for reply in self._opened:
            reply.close(in_background=False)
        self._cleaner.stop(5)
