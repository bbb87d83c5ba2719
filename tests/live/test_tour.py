"""`make demo` and `make demo-serve` as a newcomer meets them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests

from demo.gateway import ROOT
from tests.marked_process import find_ports, find_processes


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m demo`, ended by SIGKILL where a test did not see to its end."""
    command = [sys.executable, "-u", "-m", "demo", *arguments]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PORT": "0"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], mark: str) -> str:
    """What it says up to the line with `mark`. The time limit of the test bounds the wait."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if mark in line:
            return said
    raise AssertionError(f"it ended without saying {mark!r}: {said}")


def url_of(said: str, word: str) -> str:
    (line,) = [line for line in said.splitlines() if line.startswith(word)]
    return line.split()[1]


def test_the_tour_shows_everything_and_ends_well() -> None:
    with running() as process:
        said, _ = process.communicate(timeout=150)
    assert process.returncode == 0, said
    for number in range(1, 6):
        assert f"\n{number}. " in said
    assert "Thoughts (reasoning_content):" in said
    assert "第 2 轮" in said
    assert "Traceback" not in said


def test_serving_ends_cleanly_at_ctrl_c() -> None:
    mark = uuid.uuid4().hex
    with running("--serve", MARK=mark) as process:
        said = read_until(process, "Ctrl-C")
        gateway, upstream = url_of(said, "gateway"), url_of(said, "upstream")
        assert {urlsplit(gateway).port, urlsplit(upstream).port} == find_ports(mark)
        assert f"curl -N {gateway}/chat/completions" in said
        assert requests.get(gateway.replace("/v1", "/ping"), timeout=5).text == "pong"
        assert 'data-demo-key="demo-anna"' in requests.get(gateway.replace("/v1", "/"), timeout=5).text
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert (process.returncode, rest.split()[-1]) == (0, "stopped")
    assert find_processes(mark) == []


def test_a_tour_that_is_interrupted_leaves_nothing_behind() -> None:
    mark = uuid.uuid4().hex
    with running(MARK=mark) as process:
        read_until(process, "The gateway answers at")
        assert find_processes(mark, "gunicorn")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert find_processes(mark) == []


def test_a_gateway_that_does_not_start_is_told_with_its_log() -> None:
    with running("--serve", LOG_LEVEL="loud") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "LOG_LEVEL is wrong" in said
    assert "Traceback" not in said
