"""A text of eight times the length takes some eight times the time, whatever is in it."""

from __future__ import annotations

import pytest

from tests.markdown.conftest import SECONDS, Check

pytestmark = pytest.mark.timeout(SECONDS + 20)

LENGTHS = (25_000, 200_000)
# Eight for a time in proportion to the length, and what the machine adds; 64 for one with the square of it.
# Below a millisecond nothing is measured.
MAX_RATIO = 30
REPEATED = [
    *(
        "`",
        "a`",
        "``a` ",
        "` `` ``` ",
        "**a ",
        "a** ",
        "*a _b ",
        "a* b_ ",
        "*a**b",
        "~~a ",
        "*a **b ~~c [d](e) `f` ",
    ),
    *("[", "![", "[a]", "[a](", "[a](b", "[a](<b", '[a](b "', "[a](b 'c [a](b (", "[[a](b)", "](b)", "!["),
    *(
        "<",
        "<a@",
        "<http:",
        "<br",
        "<b>",
        "https://",
        "http://a(",
        "http://a)",
        "http://a....",
        "&",
        "&amp",
        "\\",
    ),
    *("$", "$a ", "$a\\$", "$$ a ", "$$\na\n\n", "\\(", "\\(a\\)", "\\[ a\n\n"),
    *(
        ">",
        "> > > > a\n",
        ">\n",
        "- ",
        "-\n",
        "- - - - - a\n",
        "- a\n\n",
        "1. ",
        "- ```\n",
        "- [ ] a\n",
        "-\t",
        "\t",
    ),
    *(
        "|",
        "|-",
        "a|b\n",
        "a|b\n-|-|-\n",
        "|a|b|\n|-|-|\n",
        "\\|",
        "#",
        "# #",
        "* ",
        "---\n",
        "```\n",
        "~",
        "a\n=\n",
    ),
    *(" ", "a  \n", "\n", "\r", "a\n\n", "a\n", "    a\n\n"),
]
# Before and after, each as long as the middle.
AROUND = [
    ("[", "[a](b)", ""),
    ("[", "a", "](b)"),
    ("*", "a", "*"),
    ("*a ", "b", " c*"),
    ("*a ", "b_ ", ""),
    ("[a", "b](", ""),
    (">", "a\n", ""),
    ("- ", "\n", "a"),
    ("```\n", "a\n", ""),
    ("`", "a", "``"),
    ("# ", " ", "#"),
    ("$", "\\", "$"),
    ("    a\n", "\n", "    b\n"),
]


# A head of many columns, and rows that lack most of them.
WIDE = [("|a", "|-", "a\n"), ("|a", "|-", "|\n")]


def test_the_time_is_in_proportion_to_the_length(check: Check) -> None:
    kinds = [("", piece, "") for piece in REPEATED] + AROUND + WIDE
    texts = [[build(kind, length) for length in LENGTHS] for kind in kinds]
    times = zip(kinds, check("time", given=texts), strict=True)
    assert [(kind, *pair) for kind, pair in times if pair[1] / max(pair[0], 1) > MAX_RATIO] == []


def test_a_text_that_grows_costs_what_is_new_in_it(check: Check) -> None:
    pieces = ["a *b* c\n\n", "- a\n\n# b\n", "```\na\n```\n", "> a\n\n", "|a|b|\n|-|-|\n|c|d|\n\n"]
    texts = [[build(("", piece, ""), length) for length in LENGTHS] for piece in pieces]
    times = zip(pieces, check("growth", given=texts), strict=True)
    assert [(piece, *pair) for piece, pair in times if pair[1] / max(pair[0], 1) > MAX_RATIO] == []


def build(kind: tuple[str, str, str], length: int) -> str:
    """Each part again and again, up to `length` characters."""
    end = "\n" if kind in WIDE else ""
    return end.join(part * (length // len(part)) for part in kind if part)
