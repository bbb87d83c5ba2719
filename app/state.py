"""The one SQLite file: what must survive a restart. Nothing in it opens anything by itself.

Losing the file, or the disk under it, never stops the gateway: it goes on in memory and says so.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)

MEMORY = ":memory:"

_LOCK_WAIT_SECONDS = 1.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversation (
    id TEXT PRIMARY KEY,
    assistant_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    caller TEXT NOT NULL,
    created REAL NOT NULL,
    last_used REAL NOT NULL,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS conversation_due ON conversation (due);
CREATE INDEX IF NOT EXISTS conversation_owner_due ON conversation (owner, due);
CREATE TABLE IF NOT EXISTS login (
    account TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    last_used REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sealed_token (
    name TEXT PRIMARY KEY,
    sealed BLOB NOT NULL,
    expires REAL NOT NULL
) WITHOUT ROWID;
"""


class StateInUse(Exception):
    """Another process holds the state file."""


class State:
    """Thread-safe. Statements are short: SQLite blocks the whole process while one runs."""

    def __init__(self, connection: sqlite3.Connection, lock_file: IO[bytes] | None = None) -> None:
        self._lock = threading.Lock()
        self._connection = connection
        self._lock_file = lock_file

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows. A failing disk turns the state to memory, once."""
        with self._lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise
            except sqlite3.DatabaseError as exc:
                self._turn_to_memory(exc)
                return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Give the file free for the next process."""
        with self._lock:
            self._connection.close()
            if self._lock_file is not None:
                self._lock_file.close()

    def _turn_to_memory(self, cause: sqlite3.Error) -> None:
        log.error("the state file failed (%s): going on in memory, a restart will forget", cause)
        self._connection = _copy_to_memory(self._connection)


def open_state(path: str) -> State:
    """Open the state file, made if missing. Raises StateInUse where another process has it open.

    A damaged file is set aside, a path that cannot be written means memory; both are logged.
    """
    if path == MEMORY:
        return State(_prepare(_connect(MEMORY)))
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_file = _lock(Path(path))
    except OSError as exc:
        log.warning("the state file %s cannot be written (%s): a restart will forget", path, exc.strerror)
        return State(_prepare(_connect(MEMORY)))
    return State(_open_file(path), lock_file)


def open_sound_state(path: str) -> State:
    """As `open_state`, for those who only look: a damaged file stays where it is, nothing becomes memory.

    Raises StateInUse, OSError where the file cannot be written, sqlite3.DatabaseError where it is damaged.
    """
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_file = _lock(Path(path))
    try:
        return State(_prepare(_connect(path)), lock_file)
    except BaseException:
        lock_file.close()
        raise


def _lock(path: Path) -> IO[bytes]:
    lock_file = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock_file.close()
        raise StateInUse(
            f"GLM_STATE_PATH {path} is in use by another gateway. Give each its own file: "
            "two that share accounts would answer twice at a time on one of them."
        ) from None
    return lock_file


def _open_file(path: str) -> sqlite3.Connection:
    try:
        return _prepare(_connect(path))
    except (OSError, sqlite3.OperationalError) as exc:
        log.warning("the state file %s cannot be used (%s): a restart will forget", path, exc)
        return _prepare(_connect(MEMORY))
    except sqlite3.DatabaseError as exc:
        aside = f"{path}.damaged-{int(time.time())}"
        for suffix in ("", "-wal", "-shm"):  # a log left behind would be played into the new file
            with suppress(FileNotFoundError):
                Path(path + suffix).rename(aside + suffix)
        log.error("the state file is damaged (%s): set aside as %s, beginning a new one", exc, aside)
        return _prepare(_connect(path))


def _copy_to_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """What can still be read of a failing file, which is closed; an empty state where that makes no sense."""
    try:
        memory = _connect(MEMORY)
        connection.backup(memory)
        return _prepare(memory)
    except sqlite3.Error:
        log.error("the state file cannot be read either: beginning with an empty state")
        return _prepare(_connect(MEMORY))
    finally:
        connection.close()


def _connect(path: str) -> sqlite3.Connection:
    if path != MEMORY:
        _reserve(Path(path))
    return sqlite3.connect(path, timeout=_LOCK_WAIT_SECONDS, check_same_thread=False, isolation_level=None)


def _reserve(path: Path) -> None:
    """Make the file, for its owner alone from its first moment. Raises OSError where it cannot be written."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with suppress(PermissionError):  # somebody else's file that we may write
        path.chmod(0o600)


def _prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Ready for use; closed where an error is raised."""
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its pages are inconsistent")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
