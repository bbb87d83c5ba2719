"""The command as a program: what it answers, its exit codes, and an output that takes nothing."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.marked_process import find_ports, find_processes

ROOT = Path(__file__).parents[2]
COMMANDS = ("run", "demo", "doctor", "record", "key")
# In a checkout with packages, and through make: the environments that make installs stand for this one.
MAKE = ("make --silent demo-serve", "make --silent doctor", "make --silent key LABEL=laptop")
SPEAKING = {
    "--help": 0, "--version": 0, **{f"{name} --help": 0 for name in COMMANDS},
    "key laptop": 0, "doctor": 1, "doctor --json": 1, "demo": None,
}  # fmt: skip


@pytest.fixture
def mark() -> str:
    """Every process of a test carries it in its environment."""
    return uuid.uuid4().hex


@pytest.fixture
def environ(mark: str, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "MARK": mark,
        "GLM_UPSTREAM_URL": "http://127.0.0.1:9", "GLM_STATE_PATH": str(tmp_path / "state"), "PORT": "0",
    }  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This one, with an environment that make takes for installed."""
    for name in ("app", "demo", "upstream_emulator", "gunicorn.conf.py", "wsgi.py", "Makefile",
                 "pyproject.toml", "requirements.txt"):  # fmt: skip
        (tmp_path / name).symlink_to(ROOT / name)
    program = tmp_path / ".venv-run/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    (tmp_path / ".venv-run/.installed").touch()
    return tmp_path


def shell(command: str, cwd: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """bash, since what is tested is how shells connect programs."""
    command = command.replace("glm-api", f"{shlex.quote(sys.executable)} -m app.command")
    return subprocess.run(
        ["bash", "-c", command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=50, check=False
    )


@pytest.fixture(autouse=True)
def nothing_is_left(mark: str) -> Iterator[None]:
    yield
    assert find_processes(mark) == []


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h", "help"])
def test_every_command_has_its_help(name: str, option: str, environ: dict[str, str]) -> None:
    run = shell(f"glm-api help {name}" if option == "help" else f"glm-api {name} {option}", ROOT, environ)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"usage: python -m app.command {name}")
    assert "Exit code: 0 " in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 120


def test_help_stands_anywhere_behind_a_command(environ: dict[str, str], tmp_path: Path) -> None:
    run = shell("glm-api record shapes --help", ROOT, environ)
    assert (run.returncode, run.stdout.partition("\n")[0]) == (0, "usage: python -m app.command record FILE")


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("docter", "doctor"),
        ("keys", "key"),
        ("start", None),
        ("Run", "run"),
        ("eyJhbGciOi", None),
        ("", None),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(
    wrong: str, near: str | None, environ: dict[str, str]
) -> None:
    run = shell(f"glm-api {wrong}", ROOT, environ)
    assert (run.returncode, run.stdout, run.stderr.count("\n")) == (2, "", 1)
    assert run.stderr.rstrip().endswith(f"did you mean {near}?" if near else "or --help")
    assert not wrong or wrong not in run.stderr.replace(near or "-", "")


@pytest.mark.parametrize("name", ["run", "demo"])
def test_an_argument_is_answered_with_the_variable(name: str, environ: dict[str, str]) -> None:
    run = shell(f"glm-api {name} --port 9000", ROOT, environ)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert f"PORT=8001 python -m app.command {name}" in run.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", SPEAKING)
@pytest.mark.parametrize(
    ("output", "reason"),
    [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor"),
     ("<&- >&-", "Bad file descriptor"), (">&- 2>&-", "")],
)  # fmt: skip
def test_an_output_that_takes_nothing_is_one_line(
    command: str, output: str, reason: str, unbuffered: str, environ: dict[str, str]
) -> None:
    run = shell(f"glm-api {command} {output}", ROOT, environ | {"PYTHONUNBUFFERED": unbuffered})
    assert run.returncode == 1
    assert run.stderr == (f"cannot write to standard output: {reason}\n" if reason else "")


@pytest.mark.parametrize("command", SPEAKING)
@pytest.mark.parametrize("reader", ["head -c 1", "true"])
def test_a_reader_that_has_seen_enough_ends_it_without_a_word(
    command: str, reader: str, environ: dict[str, str]
) -> None:
    run = shell(f'glm-api {command} | {reader} > /dev/null; exit "${{PIPESTATUS[0]}}"', ROOT, environ)
    assert run.stderr == ""
    # What fits into the pipe before its reader has gone is as good as read.
    assert run.returncode in {1, SPEAKING[command]}


@pytest.mark.parametrize("command", MAKE)
def test_make_adds_no_traceback(command: str, checkout: Path, environ: dict[str, str]) -> None:
    run = shell(f"{command} | true", checkout, environ)
    assert [line for line in run.stderr.splitlines() if not line.startswith("make: *** ")] == []
    for output, reason in (("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
        run = shell(f"{command} {output}", checkout, environ)
        said = [line for line in run.stderr.splitlines() if not line.startswith("make: ")]
        assert (run.returncode, said) == (2, [f"cannot write to standard output: {reason}"])


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["exec glm-api run", "exec make --silent run"])
def test_the_gateway_runs_without_standard_streams(
    closed: str, command: str, checkout: Path, environ: dict[str, str]
) -> None:
    """And puts nothing else into their places."""
    command = command.replace("glm-api", f"{shlex.quote(sys.executable)} -m app.command")
    with subprocess.Popen(
        ["bash", "-c", f"{command} {closed}"], cwd=checkout, env=environ, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            assert wait_for_ping(environ["MARK"], process)
            processes = find_processes(environ["MARK"], "gunicorn")
            assert len(processes) >= 2  # make's shell may be one more
            places = [str((process / "fd" / number).readlink()) for process in processes for number in "012"]
            assert [place for place in places if not place.startswith(("/dev/", "pipe:"))] == []
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def wait_for_ping(mark: str, process: subprocess.Popen[bytes]) -> bool:
    """It says nowhere at which port it listens; one that was free before may be somebody else's by then."""
    while process.poll() is None:  # the test's own time is the bound
        for port in find_ports(mark):
            url = f"http://127.0.0.1:{port}/ping"
            with suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.read() == b"pong")
        time.sleep(0.05)
    return False
