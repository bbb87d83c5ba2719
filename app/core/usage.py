"""Token counts, estimated: the upstream reports none (docs/decisions/0009).

Kinds of characters are counted and weighed; the weights were fitted to a real tokenizer with a vocabulary for
Chinese and English, and `bench/tokens.py` measures how far off they are.
"""

from __future__ import annotations

import msgspec

_DIGITS = b"0123456789"
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# In thousandths of a token, as whole numbers: so a count does not depend on how its text is cut.
_WIDE = 678
_SIGN = 502
_LETTER = 235
_DIGIT = 1200
_SPACE = 69
_LINE_END = 358


# Weighing costs about the same for a word and for a page.
_WEIGHED_CHARS = 4096
_SLICE_CHARS = 16 * 1024


class TokenEstimate:
    """Counts text as it passes. A piece is only put aside: many are weighed together."""

    __slots__ = ("_aside", "_millitokens", "_weigh_at", "chars")

    def __init__(self) -> None:
        self._aside: list[str] = []
        self._millitokens = 0
        self._weigh_at = _WEIGHED_CHARS
        self.chars = 0
        """How many characters (code points) were counted."""

    def add(self, text: str) -> None:
        self._aside.append(text)
        self.chars += len(text)
        if self.chars >= self._weigh_at:
            self._weigh_aside()

    def remove(self, text: str) -> None:
        """Undo one `add` of the same text."""
        self._weigh_aside()
        self._millitokens -= _weigh(text)
        self.chars -= len(text)

    @property
    def tokens(self) -> int:
        if self._aside:
            self._weigh_aside()
        return max(1, round(self._millitokens / 1000)) if self._millitokens > 0 else 0

    def _weigh_aside(self) -> None:
        self._millitokens += _weigh("".join(self._aside))
        self._aside.clear()
        self._weigh_at = self.chars + _WEIGHED_CHARS


class Usage(msgspec.Struct):
    """Estimated tokens of one exchange; what writes the answer counts what it shows."""

    prompt: TokenEstimate
    text: TokenEstimate = msgspec.field(default_factory=TokenEstimate)
    reasoning: TokenEstimate = msgspec.field(default_factory=TokenEstimate)
    """Thinking, whether or not the client sees it."""

    @property
    def completion_tokens(self) -> int:
        return self.text.tokens + self.reasoning.tokens


def estimate_tokens(text: str) -> int:
    estimate = TokenEstimate()
    estimate.add(text)
    return estimate.tokens


def _weigh(text: str) -> int:
    """In slices, so that what is made of one takes the room of the one before, in the cache as well."""
    return sum(
        [_weigh_slice(text[begin : begin + _SLICE_CHARS]) for begin in range(0, len(text), _SLICE_CHARS)]
    )


def _weigh_slice(text: str) -> int:
    # Nearly all that is not ASCII here takes three bytes: two more than it has characters.
    extra_bytes = len(text.encode("utf-8", "replace")) - len(text)
    millitokens = _WIDE // 2 * extra_bytes + _SIGN // 2 * (2 * len(text) - extra_bytes)
    # Each step has less to look through: of Chinese little is ASCII, of English little but letters.
    plain = text.encode("ascii", "ignore")
    others = plain.translate(None, _LETTERS)
    signs = others.translate(None, _DIGITS)
    return (
        millitokens
        + (_LETTER - _SIGN) * (len(plain) - len(others))
        + (_DIGIT - _SIGN) * (len(others) - len(signs))
        + (_SPACE - _SIGN) * signs.count(b" ")
        + (_LINE_END - _SIGN) * signs.count(b"\n")
    )
