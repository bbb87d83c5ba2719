"""Requests that are struck by ClientGone wherever they happen to be, in a process of greenlets.

`python -m tests.app.accounts.turmoil SECONDS SEED` plays them and prints what is left as JSON. Accounts,
refreshes, ledger and cleaner are real; the upstream is a set of names.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from random import Random  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from app.accounts.lease import Lease  # noqa: E402
from app.accounts.login import Logins  # noqa: E402
from app.accounts.pool import AccountPool  # noqa: E402
from app.accounts.refresh import Refresher  # noqa: E402
from app.accounts.vault import Vault  # noqa: E402
from app.auth_token import AccessToken, RefreshedTokens  # noqa: E402
from app.conversations.cleaner import Cleaner  # noqa: E402
from app.conversations.ledger import Conversation, Ledger  # noqa: E402
from app.conversations.use import ConversationUse  # noqa: E402
from app.core.errors import GatewayError, Outcome  # noqa: E402
from app.hub import NAME_SECONDS, ClientGone, Shield, interrupt  # noqa: E402
from app.state import MEMORY, open_state  # noqa: E402

TOKENS = [f"token-{number}" for number in range(14)]
LOGINS = 9
STRUCK_SHARE = 0.4


class Turmoil:
    """Several tokens of one login, several callers, short-lived tokens, and clients that leave."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        state = open_state(MEMORY)
        self.pool = AccountPool(Logins(state), queue_length=20)
        self._refresher = Refresher(self._refresh, Vault(state), self.pool.identify)
        self.ledger = Ledger(state)
        self.cleaner = Cleaner(self.ledger, self._delete, self.pool.owners)
        self._answering: set[str] = set()
        self._deleting: set[str] = set()
        self.upstream: set[str] = set()
        self.named = self.requests = 0
        self.problems: set[str] = set()

    def _rest(self, max_seconds: float) -> None:
        gevent.sleep(self._random.random() * max_seconds)

    def _login(self, token: str) -> str:
        return f"user-{int(token.partition('-')[2]) % LOGINS}"

    def _refresh(self, token: str) -> RefreshedTokens:
        self._rest(0.01)
        expires = time.time() + self._random.choice([0.05, 3600])
        return RefreshedTokens(AccessToken(f"access-{token}", expires, "d"), token, self._login(token))

    def _delete(self, conversation: Conversation) -> None:
        if conversation.id in self._deleting or self.ledger.is_in_use(conversation.id):
            self.problems.add("a conversation was deleted in use, or twice at a time")
        self._deleting.add(conversation.id)
        self._rest(0.01)
        self.upstream.discard(conversation.id)
        self._deleting.discard(conversation.id)

    def request(self) -> None:
        self.requests += 1
        accounts = self.pool.get_or_add(self._random.sample(TOKENS, self._random.randint(1, 4)))
        seconds, caller = self._random.choice([0, 0.05, 0.5]), str(self.requests % 5)
        try:
            lease = self.pool.acquire(accounts, wait_seconds=seconds, caller=caller)
        except GatewayError:
            return
        try:
            self._answer(lease)
        except GatewayError as error:
            lease.release(error.outcome, error)
        finally:
            lease.release(Outcome.ABANDONED)

    def _answer(self, lease: Lease) -> None:
        self._refresher.access_token(lease.account)
        lease.confirm()
        login = self._login(lease.account.refresh_token)
        if login in self._answering:
            self.problems.add("a login answered twice at a time")
        self._answering.add(login)
        record = Conversation("", "assistant", lease.account.owner, "")
        use = ConversationUse(self.ledger, self.cleaner, record, self._random.choice([0, 0.1]))
        try:
            with Shield(NAME_SECONDS):
                self._rest(0.005)
                self.named += 1
                self.upstream.add(f"c-{self.named}")
                use.begin(f"c-{self.named}")
            self._rest(0.02)
        finally:
            self._answering.discard(login)
            use.end(delivered=self._random.random() < 0.5)

    def play(self, seconds: float) -> None:
        self.cleaner.start()
        running: list[Any] = []
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            running.append(gevent.spawn(self.request))
            if self._random.random() < STRUCK_SHARE:
                gevent.spawn_later(self._random.random() * 0.05, strike, running[-1])
            if not len(running) % 3:
                self._rest(0.004)
        gevent.joinall(running, timeout=10)
        while self.ledger.count() and time.monotonic() < ends_at + 20:
            gevent.sleep(0.01)
        self.cleaner.stop(1)

    def sum_up(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "problems": sorted(self.problems),
            "pool": repr(self.pool),
            "in_use": self.ledger.in_use,
            "upstream": len(self.upstream),
            "ledger": self.ledger.count(),
        }


def strike(greenlet: Any) -> None:
    if not greenlet.dead:
        interrupt(greenlet, ClientGone())


if __name__ == "__main__":
    turmoil = Turmoil(int(sys.argv[2]))
    turmoil.play(float(sys.argv[1]))
    print(json.dumps(turmoil.sum_up()))
