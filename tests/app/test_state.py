"""The state file: what goes wrong with files does not stop the gateway."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import state as module
from app.state import MEMORY, State, StateInUse

opened: list[State] = []


def open_state(path: str) -> State:
    """A state that is closed when the test is over."""
    opened.append(module.open_state(path))
    return opened[-1]


@pytest.fixture(autouse=True)
def close_all() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def write(state: State, name: str = "x") -> None:
    state.run("INSERT INTO login (account, owner, last_used) VALUES (?, ?, ?)", name, "owner", 1.0)


def count(state: State) -> int:
    ((found,),) = state.run("SELECT count(*) FROM login")
    return int(found)


def test_it_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.sqlite3"
    state = open_state(str(path))
    write(state)
    state.close()
    assert count(open_state(str(path))) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_gateway_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite3")
    first = open_state(path)
    with pytest.raises(StateInUse, match="GLM_STATE_PATH"):
        open_state(path)
    first.close()
    open_state(path).close()


def test_a_path_that_cannot_be_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    state = open_state(str(tmp_path / "file" / "state.sqlite3"))
    write(state)
    assert "a restart will forget" in caplog.text


@pytest.mark.parametrize("rubbish", [b"this is no database, but it is long enough to look like one" * 50])
def test_a_damaged_file_is_set_aside(
    tmp_path: Path, rubbish: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_bytes(rubbish)
    state = open_state(str(path))
    write(state)
    assert "set aside" in caplog.text
    assert [aside.read_bytes() for aside in tmp_path.glob("*.damaged-*")] == [rubbish]


def test_a_failing_disk_turns_it_to_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    state = open_state(str(tmp_path / "state.sqlite3"))
    write(state, "before")
    state.run("PRAGMA max_page_count = 1")
    big = "x" * 100_000
    write(state, big)
    write(state, "after")
    assert count(state) == 3
    assert caplog.text.count("going on in memory") == 1


def test_a_locked_file_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    open_state(str(path)).close()
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    state = open_state(str(path))
    write(state)
    assert count(state) == 1
    other.close()


def test_memory() -> None:
    write(open_state(MEMORY))
