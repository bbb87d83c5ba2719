"""The mistakes that `make mutants` makes are real ones: each module that comes out runs, and is another."""

from __future__ import annotations

import ast

import pytest

from tests.mutant import list_mutants
from tests.mutants import ROOMS, ROOT

SOURCE = '''
"""A module."""

class Queue:
    __slots__ = ("_most",)

    def __init__(self, most: int = 3) -> None:
        """Shorter than `most`."""
        self._most = most

    def check(self, count: int, *, is_open: bool) -> int:
        log.debug("looking %d", 7)
        if is_open and not count < self._most:
            raise ValueError(f"at most {self._most}")
        self.note(count)
        return count + 1

    def __repr__(self) -> str:
        return f"<Queue {1 + 1}>"
'''


def test_every_kind_of_mistake_is_made_and_nothing_that_people_read_is_touched() -> None:
    mutants = list(list_mutants("app/queue.py", SOURCE))
    assert [str(mutant).removeprefix("app/queue.py:") for mutant in mutants] == [
        "7  3  ->  6",
        "9  self._most = most  ->  self._most = None",
        "13  is_open and (not count < self._most)  ->  is_open or not count < self._most",
        "13  not count < self._most  ->  count < self._most",
        "13  count < self._most  ->  count <= self._most",
        "14  raise ValueError(f'at most {self._most}')  ->  None",
        "15  self.note(count)  ->  None",
        "16  return count + 1  ->  return None",
        "16  count + 1  ->  count - 1",
        "16  1  ->  2",
    ]
    rightly = ast.unparse(ast.parse(SOURCE))
    assert all(mutant.source != rightly for mutant in mutants)
    assert len({mutant.source for mutant in mutants}) == len(mutants)


@pytest.mark.parametrize("pattern", [pattern for patterns in ROOMS.values() for pattern in patterns])
def test_the_modules_in_which_mistakes_are_made_are_there(pattern: str) -> None:
    paths = sorted((ROOT / "app").glob(pattern))
    assert paths
    for path in paths[:3]:
        for mutant in list_mutants(str(path), path.read_text()):
            ast.parse(mutant.source)
