"""Whether something that looks like a call was only quoted: out of the question, the history or a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Quotation:
    """What the model has read. Compared without blanks and backslashes, which quoting adds and drops."""

    def __init__(self, list_texts: Callable[[], Iterable[str]]) -> None:
        """`list_texts` is called when first asked: most answers hold nothing that looks like a call."""
        self._list_texts = list_texts
        self._read: str | None = None

    def stands_in(self, text: str) -> bool:
        """Whether `text`, at least a few characters of it, stands in what the model has read."""
        if self._read is None:
            self._read = "\n".join(map(_condense, self._list_texts()))
        condensed = _condense(text)
        return bool(condensed) and condensed in self._read


def _condense(text: str) -> str:
    return "".join(text.split()).replace("\\", "")
