"""Every row of protocol notes 0.2 that asks for something has its place in code, stand-in and tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Rows 3, 17, 21 and 22 say how the site is used; 23 what another site's tokens lack, which this one has.
ROWS = (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20)
# What the reader of frames takes because it looks at nothing more, has no line to cite the row in.
WITHOUT_CODE = frozenset({7, 10, 11})
_ROWS = re.compile(r"0\.2\s+(?:#\s*)?rows? (\d+(?:(?:, | and | - )\d+)*)")
_NAMES = re.compile(r"def test_rows?_(\d+(?:_(?:and_)?\d+)*)_")


def find_rows(folder: str) -> set[int]:
    """The rows that files of this folder cite, or name a test by."""
    found: set[int] = set()
    for path in (ROOT / folder).rglob("*.py"):
        if path != Path(__file__) and "node_modules" not in path.parts:
            text = path.read_text("utf-8")
            for cited in (*_ROWS.findall(text), *_NAMES.findall(text)):
                found |= {int(number) for number in re.findall(r"\d+", cited)}
    return found


@pytest.mark.parametrize("folder", ["app", "upstream_emulator", "tests"])
def test_every_row_has_its_place(folder: str) -> None:
    wanted = set(ROWS) - (WITHOUT_CODE if folder == "app" else set())
    assert sorted(wanted - find_rows(folder)) == []
