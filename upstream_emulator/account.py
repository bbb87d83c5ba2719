"""Accounts of the emulator and the tokens that open them.

`demo-NAME` is a live refresh token of the account NAME, `demo-NAME.ANYTHING` another one of the same account,
`dead-NAME` an expired one. Rotated refresh tokens and access tokens are JWT-shaped. Nothing about a token is
stored except that it died, so tokens survive a reset.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from upstream_emulator import jwt

REFRESH_LIFE_SECONDS = 180 * 86400
_NICKNAME = "用户_"
_PLAIN_REFRESH_TOKEN = re.compile(r"demo-([A-Za-z0-9_-]+)(\..+)?")


class TokenExpired(Exception):
    """The refresh token was good once (40102)."""


class TokenInvalid(Exception):
    """The token is not one of ours, is of the wrong kind, or is a dead access token (40103)."""


@dataclass(frozen=True, slots=True)
class CutAnswer:
    """An answer that was cut by a scenario: what is left of it, in which conversation, how it is told."""

    conversation_id: str
    assistant_id: str
    events: list[bytes]
    again: int | None
    """After how many of them it is cut once more."""


@dataclass(slots=True)
class Account:
    """One upstream identity.

    `stop_answer` ends the answer being generated, None when the account is free; `look_for_end` ends it where
    its client has left.
    """

    name: str
    refreshes: int = 0
    parallel_refreshes: int = 0
    answers: int = 0
    violations: int = 0
    is_guest: bool = False
    """A visitor's, as its tokens and their refresh say (protocol notes 0.2 row 2)."""
    is_barred: bool = False
    """Answers all the same, and is said to be blocked in its profile."""
    blocked: bool = False
    next_answers: deque[str] = field(default_factory=deque)
    next_refreshes: deque[str] = field(default_factory=deque)
    next_deletions: deque[str] = field(default_factory=deque)
    next_uploads: deque[str] = field(default_factory=deque)
    next_edits: deque[str] = field(default_factory=deque)
    refreshing: Counter[str] = field(default_factory=Counter)
    dead_refresh_tokens: set[str] = field(default_factory=set)
    access_dead_through: int = 0
    answering: str | None = None
    cut_answers: dict[str, CutAnswer] = field(default_factory=dict)
    stored_messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What `conversation/messages` answers, by the conversation's id."""
    stop_answer: Callable[[], None] | None = None
    look_for_end: Callable[[], None] | None = None

    @property
    def user_id(self) -> str:
        return _hex_of("user", self.name, 24)

    @property
    def device_id(self) -> str:
        return _hex_of("device", self.name, 32)

    @property
    def assistant_id(self) -> str:
        """Of the assistant that this account alone has."""
        return _hex_of("assistant", self.name, 24)

    @property
    def assistant_name(self) -> str:
        return f"{self.name}的助手"

    def refuses_another(self) -> bool:
        """Whether an answer is under way; a second one is counted as a violation."""
        if self.stop_answer is not None and self.look_for_end is not None:
            self.look_for_end()
        is_answering = self.stop_answer is not None
        self.violations += is_answering
        return is_answering

    @property
    def open_streams(self) -> int:
        return int(self.stop_answer is not None)


class AccountBook:
    """Every account that was ever mentioned, by name."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._serials = itertools.count(1)
        self._last_serial = 0

    def __iter__(self) -> Iterator[Account]:
        return iter(list(self._accounts.values()))

    def clear(self) -> None:
        """Forgets everything but which tokens were handed out, so that tokens outlive this."""
        self._accounts.clear()

    def named(self, name: str) -> Account:
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = Account(name)
        return account

    def by_refresh_token(self, token: str) -> Account:
        """The account a refresh token opens. Raises TokenExpired or TokenInvalid."""
        if token.startswith("dead-"):
            raise TokenExpired
        plain = _PLAIN_REFRESH_TOKEN.fullmatch(token)
        account = self.named(plain[1]) if plain else self._by_claims(token, "refresh")[0]
        if account.blocked or token in account.dead_refresh_tokens:
            raise TokenExpired
        return account

    def by_access_token(self, token: str) -> Account:
        """The account an access token speaks for. Raises TokenInvalid, also when the token is dead."""
        account, claims = self._by_claims(token, "access")
        if account.blocked or int(claims["jti"], 16) <= account.access_dead_through:
            raise TokenInvalid
        return account

    def mint_access_token(self, account: Account, life_seconds: float) -> str:
        return self._mint(account, "access", life_seconds)

    def mint_refresh_token(self, account: Account) -> str:
        return self._mint(account, "refresh", REFRESH_LIFE_SECONDS)

    def expire_access(self, account: Account) -> None:
        """Kills every access token that the account got so far."""
        account.access_dead_through = self._last_serial

    def _mint(self, account: Account, kind: str, life_seconds: float) -> str:
        self._last_serial = next(self._serials)
        issued = int(time.time())
        claims: dict[str, Any] = {"sub": _NICKNAME + account.name, "exp": issued + life_seconds}
        claims |= {"nbf": issued, "iat": issued, "jti": f"{self._last_serial:032x}", "uid": account.user_id}
        if account.is_guest:
            claims["is_guest"] = True
        # Refresh tokens have a device of their own, too (protocol notes 0.2 row 19).
        return jwt.mint(claims | {"device_id": account.device_id, "type": kind})

    def _by_claims(self, token: str, kind: str) -> tuple[Account, dict[str, Any]]:
        claims = jwt.read(token)
        if claims is None or claims["type"] != kind:
            raise TokenInvalid
        if claims["exp"] <= time.time():
            raise TokenExpired if kind == "refresh" else TokenInvalid
        return self.named(claims["sub"].removeprefix(_NICKNAME)), claims


def _hex_of(what: str, name: str, digits: int) -> str:
    return hashlib.sha256(f"{what}:{name}".encode()).hexdigest()[:digits]
