"""What somebody gives the doctor to check: never an argument of the command line, which everybody can see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from app.accounts.authenticator import parse_refresh_tokens
from app.catalogue import credential
from app.core.errors import CredentialsRejected
from app.keys import KEY_PREFIX
from app.logs import redactor
from app.pasted_token import split_line


@dataclass(frozen=True, slots=True)
class Credentials:
    """Refresh tokens, and perhaps the gateway key that a running gateway wants to see."""

    tokens: tuple[str, ...] = field(default=(), repr=False)
    key: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return bool(self.tokens or self.key)

    @property
    def header(self) -> str:
        """What goes into `Authorization` towards a gateway."""
        return f"Bearer {self.key or ','.join(self.tokens)}"

    def with_tokens(self, configured: Iterable[str]) -> Credentials:
        return Credentials(tuple(dict.fromkeys((*configured, *self.tokens))), self.key)

    def split(self, count: int) -> Iterator[tuple[str, ...]]:
        """The tokens, so many at a time."""
        for begin in range(0, len(self.tokens), count):
            yield self.tokens[begin : begin + count]


def parse_credentials(text: str) -> Credentials:
    """Lines or commas between; `#` begins a comment. Raises CredentialsRejected, never quoting anything."""
    words = [word for line in text.splitlines() for word in split_line(line)]
    keys = [word for word in words if word.startswith(KEY_PREFIX)]
    for word in words:
        redactor.keep(word)
    if len(keys) > 1:
        raise CredentialsRejected(credential.TWO_KEYS)
    if not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        raise CredentialsRejected(credential.ODD_KEY)
    tokens = parse_refresh_tokens(",".join(word for word in words if word not in keys))
    if not words:
        raise CredentialsRejected(credential.NOTHING_GIVEN)
    return Credentials(tokens, keys[0] if keys else None)
