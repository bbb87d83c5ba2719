"""The tables of the state, and how a file of an earlier version becomes one of this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

TABLES = ("conversation", "login", "sealed_token")
"""Each row is known by the first column of its table."""

# What leads from each version to the next. The first one leaves files alone that were made before there was a
# version: they say 0 and hold these tables.
_MIGRATIONS = (
    (
        """CREATE TABLE IF NOT EXISTS conversation (
            id TEXT PRIMARY KEY,
            assistant_id TEXT NOT NULL,
            owner TEXT NOT NULL,
            caller TEXT NOT NULL,
            created REAL NOT NULL,
            last_used REAL NOT NULL,
            due REAL NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS login (
            account TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            last_used REAL NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS sealed_token (
            name TEXT PRIMARY KEY,
            sealed BLOB NOT NULL,
            expires REAL NOT NULL
        ) WITHOUT ROWID""",
    ),
    ("ALTER TABLE sealed_token ADD COLUMN previous BLOB",),
    ("ALTER TABLE conversation ADD COLUMN turns INTEGER NOT NULL DEFAULT 0",),
)
VERSION = len(_MIGRATIONS)

# For memory alone, where everything is looked up: in the file each would be one more page to write for
# every change.
_INDEXES = {"conversation_due": "conversation (due)", "conversation_owner_due": "conversation (owner, due)"}

_Columns = dict[str, list[tuple[Any, ...]]]


class NewerSchema(sqlite3.OperationalError):
    """The file was written by a later version, which may mean something else by it."""


class ForeignSchema(sqlite3.DatabaseError):
    """The tables are not those that the version of the file stands for."""


def build_memory() -> sqlite3.Connection:
    """An empty state in memory, of this version."""
    memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    migrate(memory)
    for name, columns in _INDEXES.items():
        memory.execute(f"CREATE INDEX {name} ON {columns}")
    return memory


def drop_indexes(connection: sqlite3.Connection) -> None:
    """Of a file that an earlier release made; of one that cannot be written now, a later start drops them.

    Raises the sqlite3.DatabaseError that says it is damaged.
    """
    with suppress(sqlite3.OperationalError):  # locked, disk full: they only cost time
        for name in _INDEXES:
            connection.execute(f"DROP INDEX IF EXISTS {name}")


def require_known(version: int) -> None:
    """Raises NewerSchema for a file of a later version."""
    if version > VERSION:
        raise NewerSchema(f"it was written by a newer glm-api: schema {version}, this one knows {VERSION}")


def migrate(connection: sqlite3.Connection) -> None:
    """Make an empty database, or one of an earlier version, one of this version; else it is left as it is.

    Raises NewerSchema or ForeignSchema, or the sqlite3.Error that keeps it from being written.
    """
    ((version,),) = connection.execute("PRAGMA user_version")
    require_known(version)
    if version == VERSION:
        _check_columns(connection)
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _apply(connection, [statement for step in _MIGRATIONS[version:] for statement in step])
        _check_columns(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _apply(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # "no such column", "duplicate column name"
            raise ForeignSchema(f"its tables are not ours: {exc}") from exc
        raise


def _check_columns(connection: sqlite3.Connection) -> None:
    for table, wanted in _COLUMNS.items():
        found = _list_columns(connection, table)
        if found != wanted:
            names = ", ".join(str(name) for name, *_ in found) or "none"
            raise ForeignSchema(f"its table {table} is not ours: it has the columns {names}")


def _list_columns(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """Name, type, whether it may be empty, and whether it is the key."""
    query = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?)'
    return connection.execute(query, (table,)).fetchall()


def _read_own_columns(tables: Sequence[str]) -> _Columns:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        _apply(connection, [statement for step in _MIGRATIONS for statement in step])
        return {table: _list_columns(connection, table) for table in tables}
    finally:
        connection.close()


_COLUMNS = _read_own_columns(TABLES)
