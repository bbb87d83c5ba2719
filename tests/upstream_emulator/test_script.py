"""Directives in text."""

from __future__ import annotations

import time

import pytest

from upstream_emulator.script import Script, find_script, parse_script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", Script()),
        ("[[]] [ [text] ] [[Text]] [[a b]", Script()),
        ("[[text]]", Script("text")),
        ("先 [[ text ]] 后", Script("text")),
        ("[[chunks n=60 pace=20]]", Script("chunks", "", {"n": "60", "pace": "20"})),
        ("[[replay 2026-02-10-hello pace=1]]", Script("replay", "2026-02-10-hello", {"pace": "1"})),
        ("[[text say=a%20b%5D]]", Script("text", "", {"say": "a b]"})),
        ("[[busy]]\n[[cut at=1]] 谢谢", Script("cut", "", {"at": "1"})),
        ("[[text\nsay=x]]", Script("text", "", {"say": "x"})),
        ("[[[[text]]]]", Script("text")),
    ],
)
def test_finding(text: str, script: Script) -> None:
    assert find_script(text) == script


def test_a_line_is_a_directive_without_its_brackets() -> None:
    assert parse_script(" chunks n=3 ") == parse_script("[[chunks n=3]]") == Script("chunks", "", {"n": "3"})


@pytest.mark.parametrize(
    ("value", "number"), [("5", 5.0), ("0.5", 0.5), ("x", 7), ("-1", 7), ("nan", 7), ("inf", 7), ("1e99", 7)]
)
def test_numbers(value: str, number: float) -> None:
    assert Script("x", "", {"n": value}).number("n", 7) == number


def test_switches() -> None:
    script = Script("x", "", {"on": "1", "off": "0", "empty": ""})
    assert [script.is_set(key) for key in ("on", "off", "empty", "absent")] == [True, False, False, False]


@pytest.mark.parametrize("bait", ["[", "[[a ", "[[a" + " " * 50, " ", "[[a b=c"])
def test_a_long_text_is_searched_quickly(bait: str) -> None:
    begun = time.monotonic()
    find_script("[[a " + bait * (1_000_000 // len(bait)))
    assert time.monotonic() - begun < 5
