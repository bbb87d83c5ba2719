"""`glm-api demo` and `make demo-serve`: the port they take, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

from demo import command
from demo.command import find_port
from demo.gateway import ROOT
from tests.marked_process import find_processes


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_given_is_insisted_on(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(taken))
    with pytest.raises(SystemExit, match=f"^port {taken} is taken .* PORT={taken % 65535 + 1}$"):
        find_port()


def test_a_port_that_is_given_and_free_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """At an address of its own: what others take meanwhile is not there."""
    with socket.create_server(("127.0.0.3", 0)) as server:
        port = str(server.getsockname()[1])
    monkeypatch.setenv("PORT", port)
    monkeypatch.setenv("HOST", "127.0.0.3")
    assert find_port() == (port, "")


@pytest.mark.parametrize("given", ["", " "])
def test_the_usual_port_is_not_insisted_on(given: str, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", given)
    monkeypatch.setattr(command, "USUAL_PORT", taken)
    port, why = find_port()
    assert port == "0"
    assert f"port {taken} is taken" in why


@pytest.mark.parametrize("wrong", ["x", "-1", "65536", "８０"])
def test_a_port_that_is_none(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", wrong)
    with pytest.raises(SystemExit, match=r"^PORT is wrong"):
        find_port()


def test_it_is_taken_where_it_shall_listen(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", str(taken))
    monkeypatch.setenv("HOST", "127.0.0.2")
    assert find_port() == (str(taken), "")


@contextmanager
def serve(output: int | None = subprocess.PIPE, **environ: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--serve"],
        cwd=ROOT, env=os.environ | environ, stdout=output, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def read_until(output: IO[str] | None, words: str) -> list[str]:
    assert output is not None
    lines: list[str] = []
    for line in output:
        lines.append(line)
        if words in line:
            break
    return lines


def test_it_says_which_port_it_took_and_why() -> None:
    with socket.socket() as usual:
        usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            usual.bind(("127.0.0.1", 8000))
            usual.listen()
        except OSError:  # somebody else's is as good
            pass
        with serve(PORT="") as process:
            said = "".join(read_until(process.stdout, "Ctrl-C"))
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    assert "page      http://127.0.0.1:" in said
    assert "http://127.0.0.1:8000/" not in said
    assert "since port 8000 is taken by another program" in said


def test_a_taken_port_is_one_line(taken: int) -> None:
    with serve(PORT=str(taken)) as process:
        said, complaints = process.communicate(timeout=20)
    assert (process.returncode, said, complaints.count("\n")) == (1, "", 1)


def test_it_ends_with_its_reader_and_takes_the_gateway_along() -> None:
    """It says nothing while it waits, and must not learn of it by writing."""
    mark = uuid.uuid4().hex
    with serve(PORT="0", MARK=mark) as process:
        read_until(process.stdout, "Ctrl-C")
        assert find_processes(mark, "gunicorn")
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(20) == 1
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert find_processes(mark) == []


def test_it_ends_with_its_window() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may have been started with nohup
    with serve(PORT="0") as process:
        signal.signal(signal.SIGHUP, before)
        read_until(process.stdout, "Ctrl-C")
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0
