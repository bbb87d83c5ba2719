"""One file, one gateway, by whatever names the two know it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.state import StateInUse, open_state
from tests.app.state.opened import count, locked, read_file, write
from tests.eventually import eventually

ROOT = Path(__file__).parents[3]


def test_a_second_gateway_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite3")
    first = open_state(path)
    with pytest.raises(StateInUse, match="GLM_STATE_PATH"):
        open_state(path)
    first.close()
    open_state(path).close()


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
