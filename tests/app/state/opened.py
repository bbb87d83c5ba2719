"""A state whose file is looked at from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.state import State


def file_of(state: State) -> sqlite3.Connection:
    assert state._file is not None
    return state._file


def read_file(path: Path) -> set[str]:
    """The names that the file holds, for whoever opens it now."""
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT account FROM login")}


def write(state: State, name: str = "x") -> None:
    state.run("INSERT INTO login (account, owner, last_used) VALUES (?, ?, ?)", name, "owner", 1.0)


def count(state: State) -> int:
    ((found,),) = state.run("SELECT count(*) FROM login")
    return int(found)


@contextmanager
def locked(path: Path, how: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """As a backup or the sqlite3 shell may hold the file."""
    with closing(sqlite3.connect(path)) as other:
        other.execute(how)
        yield
