"""Citation marks of every era become Markdown links in place (protocol notes 4.4).

`【12†source】` is a number in the list of pages that a search found, `【turn0search0】` or `[turn0search0]`
the key of one page; each may name lines, `,L3-L9` (protocol notes 0.2 row 15). A mark that leads to no known
page is left out. Links to the sandbox of the code interpreter open nowhere but in the web chat, and say so
instead.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from app.core.event import CitedText
from app.upstream.source import Source, Sources

Said = str | CitedText

# What clients are told of it elsewhere, and the work.
_MARK_BYTES = 512

SANDBOX_NOTE = " (仅能在网页端下载 / can only be downloaded in the web chat)"

_KEY = r"turn\d{1,4}[A-Za-z]{1,20}\d{1,4}"
_LINES = r"(?:,\s?L\d{1,6}(?:-L?\d{1,6})?)?"
_KEYS = rf"{_KEY}{_LINES}(?:[\s,，、;；]{{0,3}}{_KEY}{_LINES}){{0,9}}"
_NUMBERED = rf"【(?P<number>\d{{1,4}})(?::\d{{1,4}})?{_LINES}†[^【】\n]{{0,40}}】"
_KEYED = rf"【(?P<keys>{_KEYS})】"
_BRACKETED = rf"\[(?P<bracketed>{_KEYS})\]"
_BARE = rf"【?(?<![A-Za-z0-9_])(?P<bare>{_KEY})(?![A-Za-z0-9_])】?"
_SANDBOX = r"\]\((?P<sandbox>sandbox:[^()\s]{0,2000})\)"

# What may still become one of the above when more text comes. All of them are bounded.
_LINES_BEGUN = r"(?:,\s?(?:L(?:\d{1,6}(?:-(?:L?\d{0,6})?)?)?)?)?"
_NUMBERED_BEGUN = rf"\d{{1,4}}(?::\d{{0,4}})?{_LINES_BEGUN}(?:†[^【】\n]{{0,40}})?"
_KEYED_BEGUN = r"t(?:u(?:r(?:n[A-Za-z0-9\s,，、;；-]{0,300})?)?)?"
_BARE_BEGUN = r"(?<![A-Za-z0-9_])t(?:u(?:r(?:n(?:\d{1,4}(?:[A-Za-z]{1,20}\d{0,4})?)?)?)?)?"
_SANDBOX_BEGUN = r"\](?:\((?:s(?:a(?:n(?:d(?:b(?:o(?:x(?::[^()\s]{0,2000})?)?)?)?)?)?)?)?)?"
_BRACKET_BEGUN = rf"【(?:{_NUMBERED_BEGUN}|{_KEYED_BEGUN})?"
# Whole as well: its last character may begin a link to the sandbox.
_SQUARE_BEGUN = rf"\[(?:{_KEYED_BEGUN}|{_KEYS}\])?"


class _Grammar(msgspec.Struct, frozen=True):
    mark: re.Pattern[str]
    begun: re.Pattern[str]


_WITHOUT_KEYS = _Grammar(
    mark=re.compile("|".join((_NUMBERED, _KEYED, _SANDBOX))),
    begun=re.compile(rf"(?:{_BRACKET_BEGUN}|{_SANDBOX_BEGUN})\Z"),
)


class CitingText:
    """The text of one part on its way out: what may be the beginning of a mark waits for the rest of it."""

    __slots__ = ("_before", "_held", "_sources")

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._before = ""  # the character that was passed on last: a key begins where a word begins
        self._held = ""

    def passes(self, text: str) -> bool:
        """Whether `text` may be passed on without `feed`."""
        if self._held or "【" in text or "]" in text or (self._sources.has_keys and _may_hold_key(text)):
            return False
        self._before = text[-1:]
        return True

    def feed(self, text: str) -> list[Said]:
        """What can be said now that `text` came."""
        text = self._before + self._held + text
        grammar = _grammar(self._sources)
        begun = grammar.begun.search(text, len(self._before))
        end = begun.start() if begun else len(text)
        said = self._say(grammar, text[:end])
        self._before = text[end - 1 : end]
        self._held = text[end:]
        return said

    def leave(self) -> list[Said]:
        """Another part speaks next: what was held comes before it, as text."""
        return self.finish("")

    def finish(self, final: str) -> list[Said]:
        """Nothing more comes: what was held is text, unless it is a mark after all."""
        if not self._held:
            return []
        text = self._before + self._held
        said = self._say(_grammar(self._sources), text)
        self._before, self._held = text[-1:], ""
        return said

    def _say(self, grammar: _Grammar, text: str) -> list[Said]:
        said: list[Said] = []
        position = len(self._before)
        for mark in grammar.mark.finditer(text, position):
            said.append(text[position : mark.start()])
            rendered = self._render(mark)
            self._sources.held.add(_MARK_BYTES + sum(map(_measure, rendered)))
            said.extend(rendered)
            position = mark.end()
        said.append(text[position:])
        return [piece for piece in said if piece]

    def _render(self, mark: re.Match[str]) -> list[Said]:
        groups = mark.groupdict()
        if groups["sandbox"]:
            return ["]" + SANDBOX_NOTE]
        if groups["number"]:
            number = int(groups["number"])
            return [_cite(number, source)] if (source := self._sources.find_number(number)) else []
        keys = re.findall(_KEY, groups["keys"] or groups.get("bracketed") or groups["bare"])
        found = [source for key in keys if (source := self._sources.find_key(key))]
        return [_cite(source.number, source) for source in found]


def _measure(said: Said) -> int:
    return len(said if isinstance(said, str) else said.text)


def _grammar(sources: Sources) -> _Grammar:
    return _compile_with_keys() if sources.has_keys else _WITHOUT_KEYS


@cache
def _compile_with_keys() -> _Grammar:
    """Keys without brackets count only once a search gave keys: elsewhere `turn2left3` is just text."""
    return _Grammar(
        mark=re.compile("|".join((_NUMBERED, _KEYED, _BRACKETED, _BARE, _SANDBOX))),
        begun=re.compile(rf"(?:{_BRACKET_BEGUN}|{_SQUARE_BEGUN}|{_BARE_BEGUN}|{_SANDBOX_BEGUN})\Z"),
    )


def _may_hold_key(text: str) -> bool:
    return _compile_key_begun().search(text) is not None


@cache
def _compile_key_begun() -> re.Pattern[str]:
    return re.compile(r"\[|turn\d|t(?:u(?:rn?)?)?\Z")


def _cite(number: int, source: Source) -> CitedText:
    return CitedText(f"[{number}]({source.url})", source.url, source.title)
