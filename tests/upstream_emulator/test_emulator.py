"""Starting and stopping, as a program and inside a process; and the shape of the package."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import upstream_emulator
from tests.app.files.certificate import make_tls
from tests.upstream_emulator.client import STREAM, Client, chat_body
from upstream_emulator.emulator import UpstreamEmulator
from upstream_emulator.setting import InvalidSetting

PACKAGE = Path(upstream_emulator.__file__).parent


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "upstream_emulator"]
    with subprocess.Popen(command, cwd=PACKAGE.parent, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_it_is_told_to_stop(
    program: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert program.stdout is not None
    word, url = program.stdout.readline().split()
    assert word == "listening"
    with Client(url).logged_in("demo-ann") as client:
        assert client.chat("[[text]]").status == 200
        client.send("POST", STREAM, chat_body("[[stall]]"))
        client.read_head()
        program.send_signal(number)
        assert program.wait(20) == 0
    assert program.stdout.read() == ""


def test_inside_a_process() -> None:
    with UpstreamEmulator(era="2024") as upstream:
        assert upstream.url in repr(upstream)
        upstream.reset()
        with Client(upstream.url) as client:
            client.token = ""
            assert client.chat("你好").status == 401
            client.send("POST", STREAM, chat_body(""))
    upstream.close()


def test_with_tls() -> None:
    own, trusting = make_tls("localhost")
    with UpstreamEmulator(tls=own) as upstream:
        assert upstream.url.startswith("https://127.0.0.1:")
        with urllib.request.urlopen(
            f"{upstream.url}/_emulator/state", context=trusting, timeout=10
        ) as answer:
            assert answer.status == 200


def test_two_do_not_know_each_other() -> None:
    with UpstreamEmulator() as first, UpstreamEmulator() as second:
        with Client(first.url).logged_in("demo-ann"):
            pass
        assert first.state()["accounts"].keys() == {"ann"}
        assert second.state()["accounts"] == {}


def test_a_wrong_start_leaves_nothing_behind() -> None:
    with pytest.raises(InvalidSetting):
        UpstreamEmulator(era="1999").__enter__()
    with UpstreamEmulator() as upstream, pytest.raises(OSError, match="in use"):
        UpstreamEmulator(port=int(upstream.url.rpartition(":")[2])).__enter__()


def test_it_leans_on_little_but_the_standard_library() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top in {"upstream_emulator", "werkzeug"} | sys.stdlib_module_names, (
                    f"{path.name} imports {name}"
                )
