"""An account, and an upstream that answers its refreshes as told."""

from __future__ import annotations

import threading
import time

from app.accounts.account import Account, LoginSlot, Pacing, account_key
from app.accounts.refresh import Refresher
from app.accounts.vault import Vault
from app.auth_token import AccessToken, RefreshedTokens
from app.core.errors import AccessRejected
from app.state import MEMORY, State, open_state


def make_account(name: str = "original") -> Account:
    """An account whose refresh token is its name."""
    key = account_key(name)
    return Account(name, key, LoginSlot(Pacing()), key)


class Upstream:
    """Answers refreshes as told; knows which tokens it was asked with."""

    def __init__(self) -> None:
        self.alive = {"original"}
        self.asked: list[str] = []
        self.rotates_to: str | None = None
        self.authenticator = threading.Event()
        self.authenticator.set()

    def refresh(self, token: str) -> RefreshedTokens:
        self.authenticator.wait(5)
        self.asked.append(token)
        if token not in self.alive:
            raise AccessRejected("no")
        return RefreshedTokens(
            AccessToken(f"access-token-number-{len(self.asked)}", time.time() + 3600, "device"),
            self.rotates_to,
        )


def make_refresher(upstream: Upstream, state: State | None = None) -> Refresher:
    return Refresher(upstream.refresh, Vault(state or open_state(MEMORY)), lambda account, user_id: None)
