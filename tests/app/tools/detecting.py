"""Answers fed to a detector in pieces, and what came out, in a form that reads well in tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from app.core.tool import Tool
from app.tools.detector import CallDetector, CallOut, MalformedOut, Out, TextOut
from app.tools.dialect import Dialect
from app.tools.name import Names
from app.tools.quotation import Quotation

DIALECT = Dialect("k3x9")
CLOSER = "</call-k3x9>"
_MAX_CUT_EVERYWHERE = 2_000
_RANDOM_CUTS = 200


def opener(name: str) -> str:
    return f'<call-k3x9 name="{name}">'


READ = Tool(
    "read_file",
    "Read a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "lines": {"type": "integer"}},
        "required": ["path"],
    },
)
NOW = Tool("now", "Tell the time.", {"type": "object", "properties": {}})
PATCH = Tool("apply_patch", "Patch files.", kind="custom")
SEARCH = Tool("search", "Search the notes.", {"type": "object", "properties": {"q": {"type": "string"}}})
TOOLS = (READ, NOW, PATCH, SEARCH)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer came to; `is_over` is whether the detector had enough before the end."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    malformed: tuple[str | None, str] | None = None
    is_over: bool = False


def make_detector(
    tools: Iterable[Tool] = TOOLS, *, read: Iterable[str] = (), is_parallel: bool = True
) -> CallDetector:
    """`read` is what the model has read, out of which it may quote."""
    numbers = itertools.count(1)
    quotation = Quotation(lambda: read)
    return CallDetector(
        DIALECT,
        Names(tools),
        lambda _: f"call_{next(numbers)}",
        quotation.stands_in,
        is_parallel=is_parallel,
    )


def detect(pieces: Iterable[str], detector: CallDetector | None = None) -> Answer:
    detector = detector or make_detector()
    out: list[Out] = []
    for piece in pieces:
        out += detector.feed(piece)
    is_over = detector.is_over
    out += detector.finish()
    assert all(not isinstance(each, TextOut) or each.text for each in out), "an empty delta"
    kinds = [type(each) for each in out]
    assert TextOut not in kinds[kinds.index(CallOut) :] if CallOut in kinds else True, "text after a call"
    malformed = [(each.name, each.reason) for each in out if isinstance(each, MalformedOut)]
    assert len(malformed) <= 1
    return Answer(
        join_text(out),
        tuple((each.call.tool.name, each.call.arguments) for each in out if isinstance(each, CallOut)),
        malformed[0] if malformed else None,
        is_over,
    )


def join_text(out: Iterable[Out]) -> str:
    return "".join(each.text for each in out if isinstance(each, TextOut))


def cut_everywhere(text: str) -> Iterator[list[str]]:
    """Whole, one character at a time, cut at each place; a long text at the edges of marks and at random."""
    yield [text]
    yield list(text)
    places: Iterable[int] = range(len(text) + 1)
    if len(text) > _MAX_CUT_EVERYWHERE:
        edges = {i + d for i, mark in enumerate(text) if mark in "<>{}`" for d in (0, 1)}
        edges = set(sorted(edges)[:200] + sorted(edges)[-200:])
        places = edges | {Random(7).randrange(len(text)) for _ in range(_RANDOM_CUTS)}
    for place in places:
        yield [text[:place], text[place:]]
    for step in (2, 3, 7):
        yield [text[i : i + step] for i in range(0, len(text), step)]
