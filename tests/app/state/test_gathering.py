"""What changes within a round of the event loop is written together, and no later than its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.state import State, open_state

ADD = "INSERT INTO login VALUES (?, 'owner', 1.0)"


class Round:
    """The end of a round, which comes when a test says so."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def end(self) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()


@pytest.fixture
def turn() -> Round:
    return Round()


@pytest.fixture
def state(tmp_path: Path, turn: Round) -> Iterator[State]:
    state = open_state(str(tmp_path / "state.sqlite3"))
    state.gather_writes(turn.call_soon)
    yield state
    state.close()


def read_file(tmp_path: Path) -> list[str]:
    """As another process sees it, or one that comes after a `kill -9`."""
    connection = sqlite3.connect(tmp_path / "state.sqlite3")
    try:
        return [name for (name,) in connection.execute("SELECT account FROM login ORDER BY account")]
    finally:
        connection.close()


def test_changes_of_a_round_are_written_at_its_end_and_in_order(
    tmp_path: Path, state: State, turn: Round
) -> None:
    state.run(ADD, "a")
    state.run(ADD, "b")
    state.run("DELETE FROM login WHERE account = 'a'")
    assert state.run("SELECT account FROM login") == [("b",)]
    assert read_file(tmp_path) == []
    assert len(turn.callbacks) == 1
    turn.end()
    assert read_file(tmp_path) == ["b"]
    state.run(ADD, "c")
    turn.end()
    assert read_file(tmp_path) == ["b", "c"]


def test_reading_asks_for_no_write(state: State, turn: Round) -> None:
    state.run("SELECT account FROM login")
    assert not turn.callbacks


def test_very_many_changes_do_not_wait_for_the_end(tmp_path: Path, state: State) -> None:
    for number in range(1000):
        state.run(ADD, f"{number:04}")
    assert len(read_file(tmp_path)) >= 1000 - 64


def test_closing_writes_what_is_left(tmp_path: Path, state: State, turn: Round) -> None:
    state.run(ADD, "a")
    state.close()
    assert read_file(tmp_path) == ["a"]
    turn.end()  # comes too late, and does no harm


def test_what_a_locked_file_did_not_take_is_written_later(tmp_path: Path, state: State, turn: Round) -> None:
    other = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    state.run(ADD, "a")
    state.run(ADD, "b")
    turn.end()
    kept_while_locked = state.is_kept
    other.execute("ROLLBACK")
    other.close()
    state.attach()
    assert (kept_while_locked, state.is_kept) == (False, True)
    assert read_file(tmp_path) == ["a", "b"]


def test_a_mistake_of_ours_is_raised_where_it_is_made(state: State) -> None:
    with pytest.raises(sqlite3.OperationalError):
        state.run("INSERT INTO nowhere VALUES (1)")
