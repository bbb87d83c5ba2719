"""Whose secrets are known for how long, and how they are taken out of a text."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from app.redaction.index import Index, Piece
from app.redaction.reading import fold, is_plain, list_readings

REDACTED = "[secret]"
_MIN_SECRET_CHARS = 6
# Of what a stranger sends: shorter, or nothing but letters, it may be a word that log lines are made of.
_MIN_CALLERS_CHARS = 16
MAX_LEARNT_CHARS = 8192
"""Nothing longer is learnt in one piece: no token is."""

_MAX_HELD_CHARS = 128 * 1024
# Of what holds escapes or the like, as no token does, only so much is folded: the rest is known as it came.
_MAX_ODD_CHARS = 4096
_MAX_REMEMBERED_CHARS = 256 * 1024
_MAX_ACCEPTED_CHARS = 1024 * 1024
# A secret that begins within what is shown may be spelt with so many characters for each of its own.
_MAX_SPELLING = 8
_QUOTES = "\"'`<>[]{}()"


class _Known(msgspec.Struct):
    pieces: tuple[Piece, ...] = ()
    """Empty while it is trusted: then it is found already, and in more ways."""
    uses: int = 0


class Hold:
    """What one request brought, known until it is released. Whoever holds it releases it.

    The words of it are remembered for a while after that, unless it is told to `forget`; slices of longer
    ones are not.
    """

    __slots__ = ("_redactor", "_remembers", "_slices", "_words")

    def __init__(self, redactor: Redactor, words: set[str], slices: set[str]) -> None:
        self._redactor = redactor
        self._words = words
        self._slices = slices
        self._remembers = True

    def forget(self) -> None:
        """Nothing is to be left of it."""
        self._remembers = False

    def release(self) -> None:
        """Idempotent."""
        words, slices = self._words, self._slices
        self._words, self._slices = set(), set()
        if words or slices:
            self._redactor._release(words, slices, remembers=self._remembers)

    __del__ = release


class Redactor:
    """Thread-safe. Three kinds, none of which pushes another out:

    the operator's and what they became, for good; what the upstream accepted once, the latest of it; and what
    callers sent, while their requests run and the latest of it a while longer.
    """

    def __init__(self) -> None:
        # Guards every change of what follows; a Hold that is collected may come between.
        self._lock = threading.RLock()
        self._index = Index()
        self._kept: set[str] = set()
        self._accepted: OrderedDict[str, tuple[Piece, ...]] = OrderedDict()
        self._accepted_chars = 0
        self._callers: dict[str, _Known] = {}
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._remembered_chars = 0

    def __repr__(self) -> str:
        return (
            f"<Redactor kept={len(self._kept)} accepted={len(self._accepted)} callers={len(self._callers)}>"
        )

    def keep(self, secret: str) -> None:
        """The operator's: never written, never forgotten, whatever callers send."""
        with self._lock:
            if len(secret) >= _MIN_SECRET_CHARS and secret not in self._kept:
                self._kept.add(secret)
                self._enter(_cut_trusted(secret))

    def accept(self, secret: str) -> None:
        """The upstream took it, or gave it: strangers cannot make it forgotten."""
        if not _is_learnable(secret):
            return
        with self._lock:
            if self._touch(secret):
                return
            pieces = self._accepted[secret] = _cut_trusted(secret)
            self._enter(pieces)
            self._accepted_chars += len(secret)
            while self._accepted_chars > _MAX_ACCEPTED_CHARS:
                oldest, pieces = self._accepted.popitem(last=False)
                self._accepted_chars -= len(oldest)
                self._leave(pieces)
                if oldest in self._callers:  # a request that runs brought it
                    self._use(oldest)  # its Hold may be collected while it is entered
                    self._enter_callers(oldest, fold(oldest))
                    self._disuse(oldest)

    def learn(self, secret: str) -> None:
        """A caller's: known for a while, also when its request is over. The oldest are forgotten first."""
        if not _is_learnable(secret):
            return
        with self._lock:
            self._remember(secret)

    def hold(self, text: str) -> Hold:
        """Everything in `text`, word by word and what is too long in slices, until it is released."""
        words = _cut_words(text[:_MAX_HELD_CHARS])
        slices = {piece for word in words if len(word) > MAX_LEARNT_CHARS for piece in _slice(word)}
        words = set(filter(_is_learnable, words))
        odd_chars = 0
        with self._lock:
            for secret in words | slices:
                odd_chars += 0 if is_plain(secret) else len(secret)
                self._use(secret, in_full=odd_chars <= _MAX_ODD_CHARS)
        return Hold(self, words, slices)

    def redact(self, text: str) -> str:
        """`text` without what is known: each place of it becomes `[secret]`."""
        if len(text) < self._index.min_chars:
            return text
        shown, done = [], 0
        for begin, end in self._find(text):
            if begin >= done:
                shown += [text[done:begin], REDACTED]
            done = max(done, end)
        return "".join([*shown, text[done:]]) if shown else text

    def quote(self, text: str, max_chars: int) -> str:
        """The beginning of foreign words, redacted before they are cut."""
        return self.redact(text[: max_chars * _MAX_SPELLING])[:max_chars]

    def _find(self, text: str) -> list[tuple[int, int]]:
        places = set()
        for reading in list_readings(text):
            for first, last, piece in self._index.find(reading.text):
                begin, end = reading.starts[first], reading.ends[last - 1]
                if piece.may_be_split or not any(map(str.isspace, text[begin:end])):
                    places.add((begin, end))
        return sorted(places)

    def _touch(self, secret: str) -> bool:
        """Whether it is trusted already."""
        if secret in self._accepted:
            self._accepted.move_to_end(secret)
        return secret in self._accepted or secret in self._kept

    def _use(self, secret: str, *, in_full: bool = True) -> None:
        known = self._callers.get(secret)
        if known is None:
            known = self._callers[secret] = _Known()
            if not self._touch(secret):
                self._enter_callers(secret, fold(secret) if in_full else {secret.lower()})
        known.uses += 1

    def _enter_callers(self, secret: str, forms: set[str]) -> None:
        known = self._callers[secret]
        if not known.pieces:
            known.pieces = _cut_callers(secret, forms)
            self._enter(known.pieces)

    def _remember(self, secret: str) -> None:
        if self._touch(secret):
            return
        if secret in self._remembered:
            self._remembered.move_to_end(secret)
            return
        self._use(secret)
        self._remembered[secret] = None
        self._remembered_chars += len(secret)
        while self._remembered_chars > _MAX_REMEMBERED_CHARS:
            oldest, _ = self._remembered.popitem(last=False)
            self._remembered_chars -= len(oldest)
            self._disuse(oldest)

    def _release(self, words: set[str], slices: set[str], *, remembers: bool) -> None:
        """What a Hold had; its words are learnable, all of them."""
        with self._lock:
            for word in words if remembers else ():
                self._remember(word)
            for secret in words | slices:
                self._disuse(secret)

    def _disuse(self, secret: str) -> None:
        known = self._callers[secret]
        known.uses -= 1
        if not known.uses:
            del self._callers[secret]
            self._leave(known.pieces)

    def _enter(self, pieces: tuple[Piece, ...]) -> None:
        for piece in pieces:
            self._index.add(piece)

    def _leave(self, pieces: tuple[Piece, ...]) -> None:
        for piece in pieces:
            self._index.remove(piece)


def _is_learnable(secret: str) -> bool:
    return _MIN_CALLERS_CHARS <= len(secret) <= MAX_LEARNT_CHARS and not secret.isalpha()


def _cut_words(text: str) -> set[str]:
    """What may be a secret in what came as credentials, quotes around it or not."""
    words = set(text.replace(",", " ").split())
    return words | {word.strip(_QUOTES) for word in words}


def _slice(word: str) -> Iterator[str]:
    for begin in range(0, len(word), MAX_LEARNT_CHARS):
        piece = word[begin : begin + MAX_LEARNT_CHARS]
        if _is_learnable(piece):
            yield piece


def _cut_trusted(secret: str) -> tuple[Piece, ...]:
    """Any long stretch of it is taken out, the payload and the signature of a JWT for two."""
    return tuple(
        Piece(
            text,
            is_quotable=True,
            may_be_split=len(secret) >= _MIN_CALLERS_CHARS,
            first_quotable=_find_payload(text),
        )
        for text in fold(secret)
    ) + tuple(Piece(segment.lower(), may_be_split=True) for segment in _split_token(secret))


def _cut_callers(secret: str, forms: set[str]) -> tuple[Piece, ...]:
    """The whole, folded to these, and what only its holder knows of a JWT.

    It is found between blanks only where it cannot be words that others write.
    """
    segments = _split_token(secret)
    may_be_split = bool(segments) and any(map(str.isdigit, secret))
    return tuple(Piece(text, may_be_split=may_be_split) for text in forms) + tuple(
        Piece(segment.lower(), may_be_split=may_be_split) for segment in segments
    )


def _find_payload(text: str) -> int:
    """Where a JWT's payload begins: its header is the same for everybody."""
    return text.index(".") + 1 if text.count(".") == 2 else 0


def _split_token(secret: str) -> list[str]:
    """Payload and signature of a JWT, where they are long enough to be secrets."""
    segments = secret.split(".")
    return [segment for segment in segments[1:] if _is_learnable(segment)] if len(segments) == 3 else []
