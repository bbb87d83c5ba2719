"""The state file: is it sound, who holds it, and may the doctor hold it for a moment?"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from pathlib import Path

from app.catalogue.message import Message
from app.doctor import advice, messages
from app.doctor.finding import Finding, Verdict, fail, note, ok, skip
from app.state import MEMORY, State, StateInUse, open_sound_state
from app.state.schema import NewerSchema

_MIN_FREE_BYTES = 4 * 1024 * 1024


def look_at_state(path: str) -> Finding:
    """As `take_state`, without making what is not there."""
    if path != MEMORY and not Path(path).exists():
        return _find_obstacle(path) or ok(messages.STATE, messages.STATE_NEW, path=path)
    finding, state = take_state(path)
    if state is not None:
        state.close()
    return finding


def take_state(path: str) -> tuple[Finding, State | None]:
    """The state with its lock, which the caller closes soon, since no gateway can start meanwhile.

    None where another process has it, or where what is written could be lost.
    """
    if path == MEMORY:
        return skip(messages.STATE, messages.STATE_MEMORY), None
    obstacle = _find_obstacle(path)
    if obstacle is not None:
        return obstacle, None
    try:
        state = open_sound_state(path)
    except StateInUse:
        return ok(messages.STATE, messages.STATE_HELD, path=path), None
    except NewerSchema as exc:
        return _fail(path, messages.STATE_TOO_NEW, advice.KEEP_VERSION, reason=exc), None
    except (OSError, sqlite3.OperationalError) as exc:
        return _fail(path, messages.STATE_UNUSABLE, advice.MEND_PLACE, reason=_say(exc)), None
    except sqlite3.DatabaseError as exc:
        return _fail(path, messages.STATE_DAMAGED, advice.RESTORE, reason=exc), None
    return ok(messages.STATE, messages.STATE_FREE, path=path), state


def _find_obstacle(path: str) -> Finding | None:
    """What would make opening the file harmful, or futile."""
    file = Path(path)
    place = next(place for place in (file, *file.absolute().parents) if place.exists())
    me, owner = os.geteuid(), place.stat().st_uid
    if not os.access(place, os.W_OK):
        return _fail(path, messages.STATE_UNUSABLE, advice.MEND_PLACE, reason=os.strerror(errno.EACCES))
    # What is made here belongs to whoever runs the doctor; a gateway of another user could not write to it.
    if owner != me and (place == file or me == 0):
        return note(messages.STATE, messages.STATE_FOREIGN, path=path, owner=owner)
    free = shutil.disk_usage(place).free
    if free < _MIN_FREE_BYTES:
        return _fail(path, messages.STATE_FULL, advice.MAKE_ROOM, free=free)
    return None


def _fail(path: str, message: Message, step: Message, **values: object) -> Finding:
    return fail(messages.STATE, Verdict.MACHINE, message, step, "", path=path, **values)


def _say(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
