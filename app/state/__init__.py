"""What must survive a restart: in memory, and in one SQLite file, in which nothing opens anything by itself.

Everything is read from memory, and changed there first. Each change goes to the file at once, or with the
others of its round of the event loop (`gather_writes`); while the file does not take it - locked by another
program, disk full, read-only, gone - memory goes on, and the file is made to say the same as soon as it works
again. So nothing waits for a file, and what happened meanwhile needs no order.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.background import run_in_background
from app.state.file import (
    Change,
    is_beyond_use,
    open_file,
    read_missing,
    read_version,
    set_aside,
    write_changes,
    write_difference,
)
from app.state.schema import NewerSchema, build_memory, drop_indexes, require_known
from app.state_lock import MEMORY, StateInUse, StateLock, check_free

__all__ = ["MEMORY", "State", "StateInUse", "StateTooNew", "open_sound_state", "open_state"]

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_MAX_PAUSE_SECONDS = 10.0
# Of a file that could not be read since the start: what was changed meanwhile without knowing its rows.
_MAX_UNREAD_CHANGES = 10_000
_MAX_GATHERED_CHANGES = 64


class StateTooNew(Exception):
    """The state file was written by a later version."""


class State:
    """Thread-safe. Statements are short: SQLite blocks the whole process while one runs."""

    def __init__(self, path: str = MEMORY, *, keeps_damaged: bool = False) -> None:
        """Knows nothing of the file before `attach`. A damaged one is set aside unless it `keeps_damaged`."""
        self._path = None if path == MEMORY else Path(path).resolve()
        self._keeps_damaged = keeps_damaged
        self._lock = threading.Lock()  # guards what follows; whoever holds it waits for nothing
        self._memory = build_memory()
        self._file: sqlite3.Connection | None = None
        self._file_lock: StateLock | None = None
        self._unread: deque[Change] | None = deque(maxlen=_MAX_UNREAD_CHANGES)  # None: the file was read
        self._is_away = False  # somebody is trying again to attach the file
        self._damage: sqlite3.Error | None = None  # what makes the file useless, as a write has found out
        self._closed = threading.Event()
        self._call_soon: Callable[[Callable[[], None]], None] | None = None
        self._gathered: list[Change] = []  # in memory already, and not in the file

    def __repr__(self) -> str:
        return f"<State {self._path or MEMORY}{'' if self.is_kept else ' in memory'}>"

    @property
    def is_kept(self) -> bool:
        """Whether the file says what memory says: else a restart now would forget something."""
        return self._file is not None

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Execute one statement and return its rows. Raises sqlite3.Error where that is a mistake of ours."""
        with self._lock:
            cursor = self._memory.execute(statement, values)
            rows = cursor.fetchall()
            if cursor.description is None:  # it cannot give rows: it changes some
                self._write((statement, values))
            return rows

    def gather_writes(self, call_soon: Callable[[Callable[[], None]], None]) -> None:
        """From now on write what changes within a round of the event loop together, at the end of it.

        `call_soon` has a callback called then. Nobody waits for it, and nothing waits longer: a process that
        is killed has written what it knew before it last looked at its sockets.
        """
        self._call_soon = call_soon

    def attach(self) -> None:
        """Read the file, made if missing, and make it say what memory says.

        Raises StateInUse, NewerSchema, OSError, or the sqlite3.Error that hinders it.
        """
        with self._lock:
            self._attach()

    def attach_later(self, cause: Exception) -> None:
        """Go on in memory, and try again in the background until the file works."""
        self._is_away = True
        log.error(
            "the state file %s does not work (%s): going on in memory and trying again; until then a restart "
            "will forget",
            self._path,
            cause,
        )
        run_in_background(self._attach_again)

    def close(self) -> None:
        """Idempotent: write what is not written yet if that is possible now, and give the file free."""
        with self._lock:
            self._write_gathered()
            if self._is_away and not self._closed.is_set():
                self._attach_at_last()
            self._closed.set()
            self._memory.close()
            if self._file is not None:
                self._file.close()
            if self._file_lock is not None:
                self._file_lock.close()
            self._file = self._file_lock = None

    def _write(self, change: Change) -> None:
        if self._file is not None:
            self._gathered.append(change)
            if self._call_soon is None or len(self._gathered) >= _MAX_GATHERED_CHANGES:
                self._write_gathered()
            elif len(self._gathered) == 1:
                self._call_soon(self._flush)
        elif self._unread is not None and self._path is not None:
            self._unread.append(change)

    def _flush(self) -> None:
        with self._lock:
            self._write_gathered()

    def _write_gathered(self) -> None:
        """A change that cannot be written is not kept here: the file is told later what memory says."""
        changes, self._gathered = self._gathered, []
        if self._file is None or not changes:
            return
        try:
            write_changes(self._file, changes)
        except sqlite3.Error as exc:
            self._file.close()
            self._file = None
            self._damage = exc if is_beyond_use(exc) else None
            self.attach_later(exc)

    def _attach(self) -> None:
        if self._path is None or self._file is not None or self._closed.is_set():
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file_lock = self._file_lock or StateLock(self._path)
        try:
            if self._damage is not None:
                raise self._damage
            self._file = self._open_equal(self._path, self._file_lock)
        except sqlite3.Error as exc:
            if self._keeps_damaged or not is_beyond_use(exc):
                raise
            set_aside(self._path, exc)
            self._damage = None
            self._file = self._open_equal(self._path, self._file_lock)
        self._unread = None
        self._is_away = False

    def _open_equal(self, path: Path, lock: StateLock) -> sqlite3.Connection:
        """The file, which says what memory says."""
        file = open_file(path, lock)
        try:
            if self._unread is not None:
                read_missing(self._memory, file)
                for statement, values in self._unread:  # once more, now for the rows of the file, too
                    with suppress(sqlite3.IntegrityError):  # a row that memory has already
                        self._memory.execute(statement, values)
            write_difference(self._memory, file, is_expected=self._is_away)
            drop_indexes(file)  # last: a damaged file is not touched, a locked one is read
        except BaseException:
            file.close()
            raise
        return file

    def _attach_again(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._closed.wait(pause):
            try:
                self.attach()
            except (OSError, sqlite3.Error, StateInUse) as exc:
                log.debug("the state file %s still does not work: %s", self._path, exc)
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)
            else:
                if self.is_kept:
                    log.warning("the state file %s works again: everything is written", self._path)
                return

    def _attach_at_last(self) -> None:
        try:
            self._attach()
        except (OSError, sqlite3.Error, StateInUse) as exc:
            log.error("the state file %s does not work to the end (%s): changes are lost", self._path, exc)


def open_state(path: str) -> State:
    """The state of the file at `path`. A damaged one is set aside, one that cannot be used is tried again.

    Raises StateInUse where another process has it open, StateTooNew where a later version wrote it.
    """
    state = State(path)
    try:
        state.attach()
    except NewerSchema as exc:
        state.close()
        raise _build_too_new(path, exc) from exc
    except StateInUse:
        state.close()
        raise
    except (OSError, sqlite3.Error) as exc:
        state.attach_later(exc)
    return state


def check_startable(path: str) -> None:
    """Raises StateInUse or StateTooNew as far as can be seen now. Makes nothing, and opens no database."""
    check_free(path)
    if path == MEMORY:
        return
    with suppress(OSError):  # the gateway goes on without
        version = read_version(Path(path))
        try:
            require_known(version)
        except NewerSchema as exc:
            raise _build_too_new(path, exc) from exc


def _build_too_new(path: str, cause: NewerSchema) -> StateTooNew:
    return StateTooNew(
        f"GLM_STATE_PATH {path} cannot be used: {cause}. Start that version, or name another file."
    )


def open_sound_state(path: str) -> State:
    """As `open_state`, for those who only look: a damaged file stays where it is, nothing becomes memory.

    Raises StateInUse, OSError where the file cannot be written, sqlite3.DatabaseError where it is damaged.
    """
    state = State(path, keeps_damaged=True)
    try:
        state.attach()
    except BaseException:
        state.close()
        raise
    return state
