"""The state file itself: opened, set aside where it is beyond use, and made to say what memory says."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.state.schema import TABLES, ForeignSchema, migrate
from app.state_lock import StateLock

log = logging.getLogger(__name__)

_BEYOND_USE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


Change = tuple[str, tuple[Any, ...]]
"""A statement and its values."""


def open_file(path: Path, lock: StateLock) -> sqlite3.Connection:
    """The database at `path`, made if missing, of this version.

    Raises StateInUse, NewerSchema, OSError, or the sqlite3.Error that says what is wrong (`is_beyond_use`).
    """
    lock.cover()
    # Never waits for a lock: that would hold up every request. Who finds the file locked comes again.
    connection = sqlite3.connect(path, timeout=0.0, check_same_thread=False, isolation_level=None)
    try:
        migrate(connection)  # first: a file of a later version is not touched
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def read_version(path: Path) -> int:
    """The version in the header of the file (SQLite's file format 1.3), 0 where it cannot be read.

    Without SQLite, which would make files beside it. Raises OSError.
    """
    with path.open("rb") as file:
        header = file.read(64)
    is_database = header.startswith(b"SQLite format 3\0") and len(header) == 64
    return int.from_bytes(header[60:64]) if is_database else 0


def is_beyond_use(error: BaseException) -> bool:
    """Whether no waiting makes this file one of ours again; everything else may pass."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # without what SQLite adds above
    return isinstance(error, ForeignSchema) or code in _BEYOND_USE


def set_aside(path: Path, cause: BaseException) -> None:
    """Move the file out of the way, with what SQLite keeps beside it. Raises OSError."""
    aside = f"{path}.damaged-{int(time.time())}"
    for suffix in ("", "-wal", "-shm"):  # a log left behind would be played into the new file
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(aside + suffix)
    log.error("the state file is of no use (%s): set aside as %s, beginning a new one", cause, aside)


def read_missing(memory: sqlite3.Connection, file: sqlite3.Connection) -> None:
    """Let memory know the rows that it has no word of; its own are the newer ones.

    Raises ForeignSchema where the file turns out to be damaged.
    """
    if file.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise ForeignSchema("its pages are inconsistent")
    for table in TABLES:
        rows = file.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        if rows:
            memory.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({_marks(rows[0])})", rows)  # noqa: S608


def write_difference(memory: sqlite3.Connection, file: sqlite3.Connection, *, is_expected: bool) -> None:
    """Make the file say what memory says, all of it or nothing. Raises the sqlite3.Error that hinders it.

    Where a difference `is_expected`, a file that is locked is found out before anything is compared.
    """
    file.execute("BEGIN IMMEDIATE" if is_expected else "BEGIN")
    try:
        for table in TABLES:
            _write_table(table, memory, file)
        file.execute("COMMIT")
    finally:
        if file.in_transaction:
            file.execute("ROLLBACK")


def write_changes(file: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Execute `changes`, all of them or none. Raises the sqlite3.Error that hinders it."""
    if len(changes) == 1:  # a transaction by itself
        file.execute(*changes[0])
        return
    file.execute("BEGIN")
    try:
        for change in changes:
            file.execute(*change)
        file.execute("COMMIT")
    finally:
        if file.in_transaction:
            file.execute("ROLLBACK")


def _write_table(table: str, memory: sqlite3.Connection, file: sqlite3.Connection) -> None:
    query = f"SELECT * FROM {table}"  # noqa: S608
    wanted = {row[0]: row for row in memory.execute(query)}
    found = {row[0]: row for row in file.execute(query)}
    key = file.execute(query).description[0][0]
    gone = [(name,) for name in found.keys() - wanted.keys()]
    file.executemany(f"DELETE FROM {table} WHERE {key} = ?", gone)  # noqa: S608
    changed = [row for name, row in wanted.items() if found.get(name) != row]
    if changed:
        file.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({_marks(changed[0])})", changed)  # noqa: S608


def _marks(row: tuple[Any, ...]) -> str:
    return ", ".join("?" * len(row))
