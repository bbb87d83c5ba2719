"""The state file: what goes wrong with files does not stop the gateway."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import state as module
from app.accounts.login import Logins
from app.accounts.vault import RotatedTokens, Vault
from app.conversations.ledger import Conversation, Ledger
from app.state import MEMORY, State, StateInUse, StateTooNew
from app.state.schema import VERSION

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


def file_of(state: State) -> sqlite3.Connection:
    assert state._file is not None
    return state._file


def read_file(path: Path) -> set[str]:
    """The names that the file holds, for whoever opens it now."""
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT account FROM login")}


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


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
    assert caplog.text.count("going on in memory") == caplog.text.count("works again") == 1
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


@contextmanager
def locked(path: Path, how: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """As a backup or the sqlite3 shell may hold the file."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(how)
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


def test_a_mistake_of_ours_is_no_fault_of_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = open_state(str(tmp_path / "state.sqlite3"))
    write(state)
    with pytest.raises(sqlite3.IntegrityError):
        write(state)
    with pytest.raises(sqlite3.ProgrammingError):
        state.run("SELECT ?")
    assert caplog.text == ""
    assert state.is_kept


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


@contextmanager
def named_otherwise(path: Path, how: str) -> Iterator[str]:
    """Another name of the same file, which exists."""
    other = path.parent / "elsewhere" / "other.sqlite3"
    other.parent.mkdir()
    match how:
        case "a symbolic link":
            other.symlink_to(path)
        case "a link that leads there relatively":
            other.symlink_to(Path("..") / path.name)
        case "a hard link":
            other.hardlink_to(path)
        case "a linked directory":
            other = path.parent / "linked" / path.name
            other.parent.symlink_to(path.parent)
        case "dots":
            other = path.parent / "elsewhere" / ".." / path.name
        case "a relative path":
            other = Path(os.path.relpath(path))
    yield str(other)


NAMES = (
    "a symbolic link",
    "a link that leads there relatively",
    "a hard link",
    "a linked directory",
    "dots",
    "a relative path",
)


@pytest.mark.parametrize("how", NAMES)
def test_a_second_gateway_is_refused_by_whatever_name(tmp_path: Path, how: str) -> None:
    """The first one locks the file again after it had to be opened anew."""
    path = tmp_path / "state.sqlite3"
    first = open_state(str(path))
    with named_otherwise(path, how) as other:
        with pytest.raises(StateInUse, match="GLM_STATE_PATH"):
            open_state(other)
        with locked(path):
            write(first)
        eventually(lambda: first.is_kept)
        with pytest.raises(StateInUse):
            open_state(other)
        assert read_file(path) == {"x"}
        first.close()
        assert count(open_state(other)) == 1


def test_a_gateway_of_another_process_is_refused_by_a_hard_link(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    open_state(str(path))
    with named_otherwise(path, "a hard link") as other:
        program = f"from app.state import open_state; open_state({other!r})"
        played = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
        )
    assert played.returncode == 1
    assert "StateInUse" in played.stderr


def test_where_no_such_lock_can_be_had_the_one_beside_the_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EINVAL, "not here")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    path = str(tmp_path / "state.sqlite3")
    open_state(path)
    with pytest.raises(StateInUse):
        open_state(path)


def make_unversioned(path: Path) -> None:
    """A file as it was before there was a schema version."""
    script = (ROOT / "tests/fixtures/state/unversioned.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(script)


def test_a_file_of_an_earlier_version_is_taken_along(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.sqlite3"
    make_unversioned(path)
    for _ in range(2):
        state = open_state(str(path))
        assert Vault(state).get("original-refresh-token") == RotatedTokens("rotated-refresh-token")
        assert Logins(state).get("a" * 64) == "b" * 64
        kept = Ledger(state).get("c" * 24)
        assert kept == Conversation("c" * 24, "assistant", "b" * 64, "caller", 1764e6, 1764000005, 1764000605)
        assert file_of(state).execute("PRAGMA user_version").fetchone() == (VERSION,)
        state.close()
    assert caplog.text == ""


def test_a_migrated_file_is_as_a_new_one(tmp_path: Path) -> None:
    make_unversioned(tmp_path / "old")
    tables = []
    for name in ("old", "new"):
        state = open_state(str(tmp_path / name))
        query = "SELECT m.name, c.* FROM sqlite_master m, pragma_table_info(m.name) c ORDER BY m.name, c.cid"
        tables.append(file_of(state).execute(query).fetchall())
    assert tables[0] == tables[1]


def test_a_migration_that_does_not_come_through_is_made_later(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    make_unversioned(path)
    with locked(path):
        state = open_state(str(path))
        Vault(state).put("another", RotatedTokens("newest", "previous"), 2e9)
    eventually(lambda: state.is_kept)
    assert Vault(state).get("original-refresh-token") == RotatedTokens("rotated-refresh-token")
    state.close()
    assert Vault(open_state(str(path))).get("another") == RotatedTokens("newest", "previous")


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    state = open_state(str(path))
    write(state)
    file_of(state).execute(f"PRAGMA user_version = {VERSION + 1}")
    state.close()
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(
            StateTooNew, match=rf"GLM_STATE_PATH .* schema {VERSION + 1}, this one knows {VERSION}"
        ):
            open_state(str(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "is_versioned"),
    [
        ("ALTER TABLE conversation DROP COLUMN caller", False),
        ("ALTER TABLE conversation DROP COLUMN caller", True),
        ("ALTER TABLE conversation RENAME COLUMN due TO due_at", True),
        ("ALTER TABLE login ADD COLUMN more TEXT NOT NULL DEFAULT ''", False),
        ("ALTER TABLE login ADD COLUMN more TEXT NOT NULL DEFAULT ''", True),
        ("ALTER TABLE sealed_token ADD COLUMN previous TEXT", False),
        ("DROP TABLE login; CREATE TABLE login (account, owner, last_used)", False),
        ("DROP TABLE login", True),
        ("DROP TABLE conversation; CREATE VIEW conversation AS SELECT 1 AS id", False),
    ],
)
def test_a_file_with_other_columns_is_set_aside_unchanged(
    tmp_path: Path, change: str, is_versioned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.sqlite3"
    if is_versioned:
        open_state(str(path)).close()
    else:
        make_unversioned(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"DROP INDEX conversation_owner_due; {change}")
        dump = list(connection.iterdump())
    state = open_state(str(path))
    write(state)
    assert Ledger(state).count() == 0
    assert state.is_kept
    assert "not ours" in caplog.text
    (aside,) = tmp_path.glob("*.damaged-*")
    with closing(sqlite3.connect(aside)) as connection:
        assert list(connection.iterdump()) == dump
