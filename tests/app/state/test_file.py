"""The state file: what goes wrong with files does not stop the gateway."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from app.state import MEMORY, StateInUse, open_sound_state, open_state
from tests.app.state.opened import count, file_of, write

ROOT = Path(__file__).parents[3]


def test_it_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.sqlite3"
    state = open_state(str(path))
    write(state)
    state.close()
    assert count(open_state(str(path))) == 1
    assert path.stat().st_mode & 0o777 == 0o600


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


def test_a_damaged_file_is_set_aside_with_its_log(tmp_path: Path) -> None:
    """As after a power cut: pages are broken, and the log beside the file still holds the last changes."""
    path = tmp_path / "state.sqlite3"
    state = open_state(str(tmp_path / "source"))
    for number in range(400):
        write(state, f"{number}-{'x' * 200}")
    file_of(state).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    write(state, "in the log")
    for suffix in ("", "-wal"):
        (tmp_path / f"state.sqlite3{suffix}").write_bytes((tmp_path / f"source{suffix}").read_bytes())
    state.close()
    with path.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(b"\xff" * 4096 * 8)
    again = open_state(str(path))
    assert count(again) == 0
    write(again)
    again.close()
    assert count(open_state(str(path))) == 1


@pytest.mark.parametrize("errno_", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_file_that_cannot_be_written(
    tmp_path: Path, errno_: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read-only: the lock beside it can be had, the file itself not."""

    def refuse(path: Path, *_: int) -> int:
        raise OSError(errno_, os.strerror(errno_), str(path))

    monkeypatch.setattr(os, "open", refuse)
    state = open_state(str(tmp_path / "state.sqlite3"))
    write(state)
    assert count(state) == 1
    assert "a restart will forget" in caplog.text


def test_a_directory_that_cannot_be_made(caplog: pytest.LogCaptureFixture) -> None:
    write(open_state("/proc/glm-api/state.sqlite3"))
    assert "a restart will forget" in caplog.text


def test_a_file_of_somebody_else_that_we_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    write(state)
    state.close()
    assert count(open_state(str(path))) == 1


def test_everything_it_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    """From its first moment, and in the files that SQLite puts beside it."""
    before = os.umask(0)
    try:
        write(open_state(str(tmp_path / "new" / "state.sqlite3")))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").glob("state.sqlite3*")}
    assert modes.pop("state.sqlite3.lock", 0o600)  # empty for ever
    assert set(modes.values()) == {0o600}, modes
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_an_older_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    path.touch(0o644)
    open_state(str(path))
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_mistake_of_ours_is_no_fault_of_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = open_state(str(tmp_path / "state.sqlite3"))
    write(state)
    with pytest.raises(sqlite3.IntegrityError):
        write(state)
    with pytest.raises(sqlite3.ProgrammingError):
        state.run("SELECT ?")
    assert caplog.text == ""
    assert state.is_kept


def test_memory() -> None:
    write(open_state(MEMORY))


def test_a_sound_state_is_the_same_file(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "state.sqlite3")
    state = open_sound_state(path)
    write(state)
    with pytest.raises(StateInUse):
        open_sound_state(path)
    state.close()
    assert count(open_state(path)) == 1


def test_one_that_only_looks_leaves_a_damaged_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_bytes(b"no database at all, but long enough to look like a header" * 20)
    before = path.read_bytes()
    for _ in range(2):  # the lock is given back
        with pytest.raises(sqlite3.DatabaseError):
            open_sound_state(str(path))
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.damaged-*"))


def test_one_that_only_looks_does_not_go_on_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        open_sound_state(str(tmp_path / "file" / "state.sqlite3"))
