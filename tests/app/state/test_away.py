"""A file that does not work for a moment: memory goes on, and the file says the same in the end."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import state as module
from app.state import State, StateInUse, open_state
from tests.app.state.opened import count, file_of, locked, read_file, write
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]


def test_a_full_disk_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is written, deleted and changed meanwhile stands in the file once there is room again."""
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    for name in ("before", "deleted"):
        write(state, name)
    big = "x" * 100_000
    with full_disk(state):
        write(state, big)
        assert not state.is_kept
        write(state, "after")
        state.run("DELETE FROM login WHERE account = ?", "deleted")
        state.run("UPDATE login SET owner = 'other' WHERE account = ?", "before")
        assert (count(state), caplog.text.count("going on in memory")) == (3, 1)
        time.sleep(0.3)  # some tries that fail
        assert not state.is_kept
    eventually(lambda: state.is_kept)
    assert read_file(path) == {"before", big, "after"}
    assert ("before", "other", 1.0) in file_of(state).execute("SELECT * FROM login").fetchall()
    eventually(lambda: caplog.text.count("going on in memory") == caplog.text.count("works again") == 1)
    write(state, "in the file at once")
    assert "in the file at once" in read_file(path)


@contextmanager
def full_disk(state: State) -> Iterator[None]:
    """As SQLite says it: no page more than there are, whoever opens the file."""
    connect = sqlite3.connect

    def connect_full(*args: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **named)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    file_of(state).execute("PRAGMA max_page_count = 1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_full)
        yield


def test_a_locked_file_is_not_waited_for_and_written_later(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    with locked(path):
        assert file_of(state).execute("PRAGMA busy_timeout").fetchone() == (0,)
        write(state, "meanwhile")
        assert (state.is_kept, count(state), read_file(path)) == (False, 1, set())
    eventually(lambda: state.is_kept)
    assert read_file(path) == {"meanwhile"}


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_is_locked_at_the_start(tmp_path: Path, how: str) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    write(state, "before")
    state.close()
    with locked(path, how):
        state = open_state(str(path))
        assert count(state) == 1  # it can be read, and there is nothing to write
        write(state, "meanwhile")
    eventually(lambda: state.is_kept)
    assert read_file(path) == {"before", "meanwhile"}


def test_one_that_cannot_be_read_at_the_start_is_read_later(tmp_path: Path) -> None:
    """What was changed without knowing the rows is changed in them, too, and theirs does not win."""
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    for name in ("kept", "deleted", "moved", "both"):
        write(state, name)
    state.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_file", refuse)
        state = open_state(str(path))
        assert (state.is_kept, count(state)) == (False, 0)
        state.run("DELETE FROM login WHERE account = 'deleted'")
        state.run("UPDATE login SET owner = 'other' WHERE account = 'moved'")
        state.run("INSERT INTO login (account, owner, last_used) VALUES ('both', 'newer', 2.0)")
        with pytest.raises(StateInUse):  # nobody else comes in meanwhile
            open_state(str(path))
    eventually(lambda: state.is_kept)
    rows = {("kept", "owner", 1.0), ("moved", "other", 1.0), ("both", "newer", 2.0)}
    assert set(state.run("SELECT * FROM login")) == rows
    assert set(file_of(state).execute("SELECT * FROM login")) == rows


def refuse(*_: object) -> sqlite3.Connection:
    raise sqlite3.OperationalError("disk I/O error")


def test_what_is_in_memory_is_written_at_the_end_if_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 60.0)
    path = tmp_path / "state.sqlite3"
    for name, hinders in (("written", False), ("lost", True)):
        state = open_state(str(path))
        with locked(path):
            write(state, name)
            if hinders:
                state.close()
        state.close()
        assert repr(state).endswith(" in memory>")
    assert read_file(path) == {"written"}
    assert caplog.text.count("changes are lost") == 1


def test_a_lock_is_kept_while_the_file_is_away(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    with locked(path):
        write(state)
        with pytest.raises(StateInUse):
            open_state(str(path))
    eventually(lambda: state.is_kept)


def test_writers_do_not_disturb_the_return(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))

    def write_many(writer: int) -> None:
        for number in range(200):
            write(state, f"{writer}-{number}")
            state.run("DELETE FROM login WHERE account = ?", f"{writer}-{number - 100}")

    threads = [threading.Thread(target=write_many, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        with locked(path):
            time.sleep(0.01)
    for thread in threads:
        thread.join(20)
    eventually(lambda: state.is_kept)
    wanted = {f"{writer}-{number}" for writer in range(4) for number in range(100, 200)}
    assert {name for (name,) in state.run("SELECT account FROM login")} == wanted
    assert read_file(path) == wanted


def test_a_file_that_rots_while_it_is_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is set aside, and nothing is lost: memory still knows everything."""
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    for number in range(400):
        write(state, f"{number}-{'x' * 200}")
    file_of(state).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file_of(state).execute("PRAGMA shrink_memory")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    write(state, "after")
    assert "going on in memory" in caplog.text
    assert count(state) == 401
    eventually(lambda: state.is_kept)
    assert "set aside" in caplog.text
    assert len(read_file(path)) == 401
    state.close()
    assert count(open_state(str(path))) == 401
