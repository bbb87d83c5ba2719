"""The state file: what goes wrong with files does not stop the gateway."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import state as module
from app.state import MEMORY, State, StateInUse

ROOT = Path(__file__).parents[2]
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


def test_a_damaged_file_is_set_aside_with_its_log(tmp_path: Path) -> None:
    """As after a power cut: pages are broken, and the log beside the file still holds the last changes."""
    path = tmp_path / "state.sqlite3"
    state = open_state(str(tmp_path / "source"))
    for number in range(400):
        write(state, f"{number}-{'x' * 200}")
    state.run("PRAGMA wal_checkpoint(TRUNCATE)")
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


def test_a_file_that_rots_while_it_is_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    for number in range(400):
        write(state, f"{number}-{'x' * 200}")
    state.run("PRAGMA wal_checkpoint(TRUNCATE)")
    state.run("PRAGMA shrink_memory")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    count(state)
    write(state, "after")
    assert "going on in memory" in caplog.text
    assert "cannot be read either" in caplog.text
    assert count(state) == 1


def test_a_mistake_of_ours_does_not_turn_it_to_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = open_state(str(tmp_path / "state.sqlite3"))
    write(state)
    with pytest.raises(sqlite3.IntegrityError):
        write(state)
    with pytest.raises(sqlite3.ProgrammingError):
        state.run("SELECT ?")
    assert caplog.text == ""


def test_a_lock_dies_with_its_process(tmp_path: Path) -> None:
    """However it ends: the file of a killed gateway can be opened at once."""
    path = str(tmp_path / "state.sqlite3")
    program = (
        f"from app.state import open_state; state = open_state({path!r}); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(StateInUse):
            open_state(path)
        process.kill()
        process.wait(10)
        write(open_state(path))


def test_memory() -> None:
    write(open_state(MEMORY))


def test_a_sound_state_is_the_same_file(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "state.sqlite3")
    opened.append(module.open_sound_state(path))
    write(opened[-1])
    with pytest.raises(StateInUse):
        module.open_sound_state(path)
    opened.pop().close()
    assert count(open_state(path)) == 1


def test_one_that_only_looks_leaves_a_damaged_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_bytes(b"no database at all, but long enough to look like a header" * 20)
    before = path.read_bytes()
    for _ in range(2):  # the lock is given back
        with pytest.raises(sqlite3.DatabaseError):
            module.open_sound_state(str(path))
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.damaged-*"))


def test_one_that_only_looks_does_not_go_on_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        module.open_sound_state(str(tmp_path / "file" / "state.sqlite3"))
