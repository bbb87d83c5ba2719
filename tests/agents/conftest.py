"""Agents as people run them, headless, before a real gateway; the model does what a test has written down.

Run by `make test-agents`, which installs them. Nothing but this machine can be reached: what an agent sends
elsewhere meets a proxy that is not there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from demo.gateway import GatewayProcess
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator

PACKAGES = Path(__file__).parent / "node_modules"
SECONDS = 100
# Agents must come through so often in a row.
RUNS = int(os.environ.get("RUNS", "10"))
_NOWHERE = "http://127.0.0.1:9"

RunAgent = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[UpstreamEmulator]:
    with UpstreamEmulator(pace=2) as upstream:
        yield upstream


@pytest.fixture(scope="session")
def gateway(
    shared_upstream: UpstreamEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    with GatewayProcess(shared_upstream.url, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
def account(request: pytest.FixtureRequest) -> str:
    """The name of an account that no other test uses."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:80]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def claude_settings(home: Path, gateway: GatewayProcess) -> None:
    """Those of docs/clients/claude-code.md, where Claude Code and its library look for them."""
    text = read_code("claude-code", "json", "Settings").replace("http://127.0.0.1:8000", gateway.url)
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text(text)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The directory in which the agent works."""
    path = tmp_path / "work"
    path.mkdir()
    (path / "a.txt").write_text("hello from the file\n")
    return path


@pytest.fixture
def run_agent(gateway: GatewayProcess, account: str, home: Path, work: Path) -> Iterator[RunAgent]:
    """Runs a command to its end, in processes of its own, with nothing of the caller's environment."""
    running: list[subprocess.Popen[str]] = []

    def run(
        command: Sequence[str], environ: Mapping[str, str], *, directory: Path = work
    ) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={
                "PATH": f"{PACKAGES / '.bin'}:{os.environ['PATH']}",
                "HOME": str(home),
                "HTTP_PROXY": _NOWHERE,
                "HTTPS_PROXY": _NOWHERE,
                "NO_PROXY": "127.0.0.1,localhost",
            }
            | dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        running.append(process)
        output, errors = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    yield run
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def call(name: str, **arguments: object) -> str:
    """What the model does next: call this tool."""
    return f"agent again=1 name={name} args={quote(json.dumps(arguments))}"


def say(text: str) -> str:
    """What the model does next: end with these words."""
    return f"text say={quote(text)}"


def write_down(upstream: UpstreamEmulator, account: str, *steps: str) -> None:
    """What the model does, question by question, whatever it is asked."""
    upstream.account(account, next=list(steps))


def read_prompts(upstream: UpstreamEmulator) -> list[str]:
    """What the model was asked, question by question."""
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("assistant/stream")]
    return [body["messages"][0]["content"][-1]["text"] for body in asked]


def check_steps(
    ended: subprocess.CompletedProcess[str], work: Path, upstream: UpstreamEmulator, *heard: str
) -> list[str]:
    """It did its work, heard this of each step and asked no more; gives what it asked."""
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "All is done.", ended.stderr
    assert (work / "a.txt").read_text() == (work / "b.txt").read_text() == "hello from the agent\n"
    prompts = read_prompts(upstream)
    assert len(prompts) == len(heard) + 1, "it asked more than it was given to do"
    for prompt, words in zip(prompts[1:], heard, strict=True):
        assert words in prompt.rpartition("[Result of ")[2]
    return prompts
