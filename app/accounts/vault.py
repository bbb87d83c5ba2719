"""Rotated refresh tokens at rest, sealed so that the file alone opens nothing (docs/decisions/0005).

Row name and key come of the caller's own token: who does not hold it can neither find its row nor read it.
What seals is loaded for the first rotated token: six megabytes that others are spared (docs/decisions/0018).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.state import State

# What stands in the column `previous` cannot be put in place of the newest token, nor the other way round.
_PREVIOUS = ":previous"
# The upstream's clock decides when a token is over, and ours may be wrong.
_MARGIN_SECONDS = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class RotatedTokens:
    """The newest refresh token that the upstream gave for an original one, and the one it gave before."""

    newest: str = field(repr=False)
    previous: str | None = field(default=None, repr=False)


class Vault:
    """original refresh token -> those the upstream gave for it. Thread-safe.

    A row goes by the expiry of its tokens, with a wide margin, and never because the upstream refused them.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def put(self, original: str, tokens: RotatedTokens, expires: float) -> None:
        """Keep `tokens`, the last of which expires at this Unix time."""
        from app.accounts.seal import derive, seal  # noqa: PLC0415 - see above

        name, key = derive(original)
        previous = None if tokens.previous is None else seal(tokens.previous, key, name + _PREVIOUS)
        self._state.run(
            "INSERT INTO sealed_token (name, sealed, expires, previous) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE"
            " SET sealed = excluded.sealed, expires = excluded.expires, previous = excluded.previous",
            name,
            seal(tokens.newest, key, name),
            expires,
            previous,
        )

    def get(self, original: str) -> RotatedTokens | None:
        """The tokens kept for `original`; None where there are none that can be opened."""
        if not self._state.run("SELECT 1 FROM sealed_token LIMIT 1"):
            return None
        from app.accounts.seal import derive, unseal  # noqa: PLC0415 - see above

        name, key = derive(original)
        rows = self._state.run("SELECT sealed, previous FROM sealed_token WHERE name = ?", name)
        for sealed, sealed_previous in rows:
            newest = unseal(sealed, key, name)
            previous = unseal(sealed_previous, key, name + _PREVIOUS) if sealed_previous is not None else None
            if newest is not None:
                return RotatedTokens(newest, previous)
        return None

    def forget_expired(self, now: float) -> None:
        """Remove the tokens that have been over for long. `now` must be sure: a wrong one loses accounts."""
        self._state.run("DELETE FROM sealed_token WHERE expires < ?", now - _MARGIN_SECONDS)
