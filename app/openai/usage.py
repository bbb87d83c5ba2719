"""Token counts, estimated: the upstream reports none."""

from __future__ import annotations

_TOKENS_PER_WIDE_CHAR = 0.65
_TOKENS_PER_ASCII_CHAR = 0.26


class TokenEstimate:
    """Counts text as it passes, in constant time a piece: bytes and characters tell how much is not ASCII."""

    __slots__ = ("_ascii_chars", "_wide_chars")

    def __init__(self) -> None:
        self._ascii_chars = 0.0
        self._wide_chars = 0.0

    def add(self, text: str) -> None:
        # In UTF-8 nearly all that is not ASCII takes three bytes here: two more than it has characters.
        wide = (len(text.encode("utf-8", "replace")) - len(text)) / 2
        self._wide_chars += wide
        self._ascii_chars += len(text) - wide

    def remove(self, text: str) -> None:
        """Undo one `add` of the same text."""
        wide = (len(text.encode("utf-8", "replace")) - len(text)) / 2
        self._wide_chars -= wide
        self._ascii_chars -= len(text) - wide

    @property
    def chars(self) -> int:
        """How many characters (code points) were counted."""
        return round(self._ascii_chars + self._wide_chars)

    @property
    def tokens(self) -> int:
        tokens = self._wide_chars * _TOKENS_PER_WIDE_CHAR + max(self._ascii_chars, 0) * _TOKENS_PER_ASCII_CHAR
        return max(1, round(tokens)) if tokens > 0 else 0


def estimate_tokens(text: str) -> int:
    estimate = TokenEstimate()
    estimate.add(text)
    return estimate.tokens
