"""`make demo` and `make demo-serve` as a newcomer meets them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from demo.gateway import ROOT


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


def nothing_answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return True
    return False


def url_of(said: str, word: str) -> str:
    (line,) = [line for line in said.splitlines() if line.startswith(word)]
    return line.split()[1]


def test_the_tour_shows_everything_and_ends_well() -> None:
    with running() as process:
        said, _ = process.communicate(timeout=40)
    assert process.returncode == 0, said
    for number in range(1, 6):
        assert f"\n{number}. " in said
    assert "Thoughts (reasoning_content):" in said
    assert "第 2 轮" in said
    assert "Traceback" not in said


def test_serving_ends_cleanly_at_ctrl_c() -> None:
    with running("--serve") as process:
        said = read_until(process, "Ctrl-C")
        gateway, upstream = url_of(said, "gateway"), url_of(said, "upstream")
        assert f"curl -N {gateway}/chat/completions" in said
        assert requests.get(gateway.replace("/v1", "/ping"), timeout=5).text == "pong"
        assert 'data-demo-key="demo-anna"' in requests.get(gateway.replace("/v1", "/"), timeout=5).text
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert (process.returncode, rest.split()[-1]) == (0, "stopped")
    assert nothing_answers(gateway)
    assert nothing_answers(upstream)


def test_a_tour_that_is_interrupted_leaves_nothing_behind() -> None:
    with running() as process:
        said = read_until(process, "The gateway answers at")
        gateway = said.rsplit("http", 1)[1].split(",")[0]
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert nothing_answers("http" + gateway)


def test_a_gateway_that_does_not_start_is_told_with_its_log() -> None:
    with running("--serve", LOG_LEVEL="loud") as process:
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "LOG_LEVEL is wrong" in said
    assert "Traceback" not in said
