"""Who calls: refresh tokens from `Authorization: Bearer RT1,RT2`."""

from __future__ import annotations

from flask import g, request

from app.errors import CredentialsRejected
from app.logs import redactor

_MOST_ACCOUNTS = 200
_MOST_TOKEN_CHARS = 8192


def require_credentials() -> None:
    """A blueprint's `before_request`: refuse callers without refresh tokens. Preflights carry none."""
    if request.method != "OPTIONS":
        g.refresh_tokens = parse_bearer(request.headers.get("Authorization", ""))


def parse_bearer(header: str) -> tuple[str, ...]:
    """The refresh tokens of an Authorization header, each once, in order. Raises CredentialsRejected."""
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not value.strip(" ,"):
        raise CredentialsRejected(
            "No credentials: send your refresh token as `Authorization: Bearer <refresh token>`, "
            "several joined with commas."
        )
    tokens = parse_refresh_tokens(value)
    if len(tokens) > _MOST_ACCOUNTS:
        raise CredentialsRejected(f"Too many refresh tokens: at most {_MOST_ACCOUNTS} are allowed.")
    return tokens


def parse_refresh_tokens(text: str) -> tuple[str, ...]:
    """Refresh tokens joined with commas; blanks and repetitions are dropped."""
    tokens = tuple(dict.fromkeys(token for part in text.split(",") if (token := part.strip())))
    for token in tokens:
        redactor.learn(token)
        if len(token) > _MOST_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialsRejected("A refresh token holds characters that no token has. Copy it again.")
    return tokens
