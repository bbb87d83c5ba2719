"""The door: who calls, with which accounts, and how often. Knows nothing of HTTP frameworks."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from app.accounts.configured_tokens import ConfiguredTokens
from app.catalogue import credential
from app.core.errors import CredentialsRejected, KeyLimited
from app.keys import KEY_PREFIX, GatewayKey, find_key
from app.limit import Windows
from app.logs import redactor
from app.pasted_token import MistakenToken, check_token, parse_tokens, split_tokens, strip_scheme

_MAX_ACCOUNTS = 200
_MAX_WRONG_KEYS = 10
_MINUTE_SECONDS = 60.0
_BLANKS = " \t\r\n"
# A shorter secret of the operator's may stand in a token by chance, and could be guessed by trying tokens.
_MIN_OWN_CHARS = 16
_MAX_PERCENTS = 500
# Twice what a header holds, and what twenty of the longest tokens are.
_MAX_TEXT_CHARS = 192 * 1024
_KEY = re.compile(rf"(?<![\w.-]){KEY_PREFIX}[\w-]{{16,}}", re.ASCII)
_WORDS = re.compile(r"[\s,\"'`]+")
_JWT = re.compile(r"[\w-]{2,}\.[\w-]{2,}\.[\w-]*")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `id` owns conversations beside the account; empty where the tokens are its own."""

    id: str
    queue: str
    refresh_tokens: tuple[str, ...] = field(repr=False)
    key: GatewayKey | None = field(default=None, repr=False)
    peer: str | None = None
    """The address that tokens which the upstream refuses count against; None where nobody knows it."""

    @property
    def may_see_accounts(self) -> bool:
        return self.key is None or self.key.is_admin


class Authenticator:
    """Thread-safe. Every admitted caller must `leave`."""

    def __init__(
        self,
        keys: tuple[GatewayKey, ...],
        roster: ConfiguredTokens,
        *,
        pass_through: bool,
        own_secrets: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own_secrets` are the operator's, which open nothing here and never travel upstream."""
        self._own_secrets = {secret.lower() for secret in own_secrets if len(secret) >= _MIN_OWN_CHARS}
        self._keys = keys
        self._roster = roster
        self._pass_through = pass_through
        self._clock = clock
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()
        self._requests = {key.id: Windows(key.per_minute, _MINUTE_SECONDS) for key in keys if key.per_minute}
        self._wrong = Windows(_MAX_WRONG_KEYS, _MINUTE_SECONDS)

    @property
    def needs_key(self) -> bool:
        return bool(self._keys)

    def authenticate(self, header: str, peer: str, *, counted_peer: str | None = None) -> Caller:
        """The caller behind an Authorization header. Raises CredentialsRejected or KeyLimited.

        `peer` is who guesses keys; `counted_peer` the same where it is sure that it is one client.
        """
        value = _read_bearer(header)
        key = find_key(self._keys, value)
        if key is not None:
            redactor.keep(value)
            return self._authenticate_key(key)
        if self._keys and not (self._pass_through and _are_jwts(value)):
            raise self._refuse(peer, is_token=_are_jwts(value))
        tokens = self.parse_tokens(_mend_utf8(value))
        queue = hashlib.sha256(",".join(sorted(tokens)).encode()).hexdigest()
        return Caller("", queue, tokens, peer=counted_peer)

    def parse_tokens(self, text: str) -> tuple[str, ...]:
        """Refresh tokens joined with commas, none a secret of this gateway. Raises CredentialsRejected."""
        if len(text) > _MAX_TEXT_CHARS:
            raise CredentialsRejected(credential.LIST_TOO_LONG)
        self.refuse_own(text)
        words = _WORDS.split(text) if self._keys else ()
        if _KEY.search(text) or any(find_key(self._keys, word) is not None for word in words if word):
            raise CredentialsRejected(credential.KEY_FOR_TOKEN if self._keys else credential.KEY_WITHOUT_KEYS)
        return parse_refresh_tokens(text)

    def refuse_own(self, text: str) -> None:
        """Raises CredentialsRejected where a secret of the operator's stands in `text`, in whatever spelling.

        It would travel upstream as somebody's token, or a part of one.
        """
        plain = unquote(text) if text.count("%") <= _MAX_PERCENTS else text
        said, meant = text.lower(), "".join(plain.split()).lower()
        for secret in self._own_secrets:
            if secret in said or secret in meant:
                raise CredentialsRejected(credential.OWN_SECRET)

    def leave(self, caller: Caller) -> None:
        if caller.key is not None:
            with self._lock:
                self._inside[caller.id] -= 1

    def _authenticate_key(self, key: GatewayKey) -> Caller:
        try:
            self._count_in(key)
        except KeyLimited as limited:
            limited.key_label = key.label
            raise
        return Caller(key.id, key.id, self._roster.tokens(), key)

    def _count_in(self, key: GatewayKey) -> None:
        """Raises KeyLimited."""
        now = self._clock()
        with self._lock:
            if key.parallel is not None and self._inside[key.id] >= key.parallel:
                raise KeyLimited(credential.KEY_PARALLEL.fill(parallel=key.parallel), retry_after_seconds=1.0)
            if key.per_minute is not None:
                window = self._requests[key.id].of(key.id)
                if window.free_at(now) > now:
                    raise KeyLimited(
                        credential.KEY_PER_MINUTE.fill(per_minute=key.per_minute),
                        retry_after_seconds=window.free_at(now) - now,
                    )
                window.add(now)
            self._inside[key.id] += 1

    def _refuse(self, peer: str, *, is_token: bool) -> CredentialsRejected | KeyLimited:
        now = self._clock()
        with self._lock:
            window = self._wrong.of(peer)
            wait = window.free_at(now) - now
            if wait <= 0:
                window.add(now)
        if wait > 0:
            return KeyLimited(credential.WRONG_KEYS, retry_after_seconds=wait)
        return CredentialsRejected(credential.TOKEN_FOR_KEY if is_token else credential.KEY_UNKNOWN)


def parse_refresh_tokens(text: str) -> tuple[str, ...]:
    """Refresh tokens as people paste them (app/pasted_token.py). Raises CredentialsRejected."""
    tokens = split_tokens(text)
    if len(tokens) > _MAX_ACCOUNTS:
        raise CredentialsRejected(credential.TOO_MANY_TOKENS.fill(max_tokens=_MAX_ACCOUNTS))
    try:
        for token in tokens:
            check_token(token)
    except MistakenToken as exc:
        raise CredentialsRejected(exc.said) from None
    return tokens


def _read_bearer(header: str) -> str:
    """What stands behind `Bearer`, but for the blanks that HTTP allows: a key is compared exactly."""
    scheme, _, value = header.strip(_BLANKS).partition(" ")
    value = value.strip(_BLANKS)
    if scheme.lower() != "bearer" or not value.strip(" ,"):
        raise CredentialsRejected(credential.NONE_SENT)
    return strip_scheme(value) or value


def _are_jwts(value: str) -> bool:
    try:
        return all(_JWT.fullmatch(token) for token in parse_tokens(_mend_utf8(value)))
    except MistakenToken:
        return False


def _mend_utf8(header: str) -> str:
    """Servers read a header as Latin-1; a comma of Chinese keyboards comes in UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
