"""Whether the upstream's words about a failure repeat the question: then they are for nobody's log. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from app.core.errors import GatewayError

# For as long as its answer runs, of each of a thousand answers; more is not compared, and counts as repeated.
_MAX_KEPT_CHARS = 16 * 1024
_MIN_SHARED_CHARS = 6
_MIN_LINE_CHARS = 3


class Echo:
    """Knows a question well enough to find it in other words, whatever their blanks and capitals."""

    __slots__ = ("_question",)

    def __init__(self, question: str | None) -> None:
        """None for a question that is not known any more."""
        is_kept = question is not None and len(question) <= _MAX_KEPT_CHARS
        self._question = question if is_kept else None

    def leave_out(self, error: GatewayError) -> None:
        """Nothing of the question is left in what `error` carries for the log; the upstream's code stays."""
        said = error.upstream
        if said is not None and said.text and self._is_shared(said.text):
            error.upstream = replace(said, text="")

    def _is_shared(self, text: str) -> bool:
        """Whether so many characters in a row, or a whole line of the question, stand in `text`."""
        if self._question is None:
            return True
        words, question = _squeeze(text), _squeeze(self._question)
        ends = range(_MIN_SHARED_CHARS, len(words) + 1)
        if any(words[end - _MIN_SHARED_CHARS : end] in question for end in ends):
            return True
        lines = map(_squeeze, self._question.splitlines())
        return any(len(line) >= _MIN_LINE_CHARS and line in words for line in lines)


def _squeeze(text: str) -> str:
    return "".join(text.casefold().split())
