"""A history as one digest, the same for what was delivered and for what clients send back of it. Pure.

Clients change an answer before they send it again: they strip thinking, citations, pictures and white space,
or put the thinking in front as a quotation. The marks of all these are left out on both sides; the words of a
quotation cannot be told from others, so an answer has two digests, without its thinking and behind it. What
users and systems said counts to the letter, but for white space around it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from app.core.request import FilePart, Question, TextPart, Turn
from app.exchange.delivered_text import MAX_CHARS

_THINKING = (("<think>", "</think>"), ('<details type="reasoning"', "</details>"))
# No answer of ours is longer, whatever its client puts in front of it (`delivered_text.MAX_CHARS`).
_MAX_ANSWER_CHARS = 5 * MAX_CHARS
# Two patterns, each of which begins with a character of its own: as one they take three times as long.
_PICTURES = re.compile(r"!\[[^\[\]\n]{0,300}\]\([^()\s]{0,2100}\)")
_CITATIONS = re.compile(r"\[\d{1,4}\]\(https?://[^()\s]{0,2100}\)")
_QUOTE_MARKS = re.compile(r"^[ \t]*(?:>[ \t]*)+", re.MULTILINE)


class HistoryDigest:
    """`add` turn after turn."""

    __slots__ = ("_digest",)

    def __init__(self, context: Sequence[str]) -> None:
        """`context` is what makes equal words another conversation: who asks, of whom, and how."""
        self._digest = hashlib.sha256()
        _add(self._digest, "context", list(context))

    def add(self, turn: Turn) -> None:
        if turn.role == "assistant":
            answer = "\n".join(part.text for part in turn.parts if isinstance(part, TextPart))
            _add(self._digest, "assistant", [_fold_answer(answer)])
        else:
            _add(self._digest, turn.role, [_write_part(part) for part in turn.parts])

    def write(self) -> str:
        return self._digest.hexdigest()

    def write_answered(self, text: str) -> str:
        """What `write` would say behind an answer."""
        answered = self._digest.copy()
        _add(answered, "assistant", [_fold_answer(text)])
        return answered.hexdigest()


def _add(digest: hashlib._Hash, role: str, said: list[str]) -> None:
    digest.update(f"{role} {len(said)}\n".encode())
    for text in said:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d\n" % len(data))
        digest.update(data)


def _fold_answer(text: str) -> str:
    """Without what clients change; one that is too long for an answer of ours as it is."""
    if len(text) > _MAX_ANSWER_CHARS:
        return text
    if "<" in text:
        for opener, closer in _THINKING:
            text = _leave_out(text, opener, closer)
    text = _CITATIONS.sub("", _PICTURES.sub("", text))
    if ">" in text:
        text = _QUOTE_MARKS.sub("", text)
    return "".join(text.split())


def _leave_out(text: str, opener: str, closer: str) -> str:
    """Without what stands between the two. Linear: a pattern would look for each closer from every opener."""
    kept: list[str] = []
    at = 0
    while (start := text.find(opener, at)) >= 0 and (end := text.find(closer, start + len(opener))) >= 0:
        kept.append(text[at:start])
        at = end + len(closer)
    return "".join([*kept, text[at:]])


def can_be_gone_on_with(question: Question) -> bool:
    """A chat of words and files, whose client has no other way to go on, and no wish against it."""
    return (
        question.continued_id is None
        and question.is_stored
        and not question.tools
        and question.search_tool is None
        and question.json_output is None
        and question.turns[-1].role == "user"
        and all(turn.role != "tool" and not turn.calls for turn in question.turns)
    )


def _write_part(part: TextPart | FilePart) -> str:
    if isinstance(part, TextPart):
        return part.text.replace("\r\n", "\n").strip()
    return f"{part.kind} {part.name} {hashlib.sha256(part.url.encode()).hexdigest()}"
