"""The clients in processes and packages of their own, before a real gateway. A missing package is a failure.

Run by `make test-clients`, which installs them.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv-clients/bin"
NODE_PACKAGES = Path(__file__).parent
SECONDS = 50
COMMANDS = {
    "python": [str(PROGRAMS / "python")],
    "javascript": ["node", "--input-type=module", "-e"],
    "shell": ["bash", "-eu", "-o", "pipefail", "-c"],
}
PLACES = {"javascript": NODE_PACKAGES}

StartProgram = Callable[..., subprocess.Popen[str]]
RunProgram = Callable[..., subprocess.CompletedProcess[str]]


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
def start_program(gateway: GatewayProcess, account: str, tmp_path: Path) -> Iterator[StartProgram]:
    """Starts a text in a language, with an empty home and the settings that every recipe begins with."""
    started: list[subprocess.Popen[str]] = []
    environ = {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "PYTHONUTF8": "1",
        "OPENAI_BASE_URL": f"{gateway.url}/v1",
        # LiteLLM asks the internet for its list of prices otherwise.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }

    def start(language: str, text: str, credentials: str = f"demo-{account}") -> subprocess.Popen[str]:
        if language == "python":  # a file, as smolagents reads the source of a tool
            program = tmp_path / f"program-{len(started)}.py"
            program.write_text(text, "utf-8")
        process = subprocess.Popen(
            [*COMMANDS[language], str(program) if language == "python" else text],
            cwd=PLACES.get(language, tmp_path),
            env=environ | {"OPENAI_API_KEY": credentials},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def run_program(start_program: StartProgram) -> RunProgram:
    """Runs one to its end and gives its exit code and what it wrote."""

    def run(language: str, text: str, credentials: str | None = None) -> subprocess.CompletedProcess[str]:
        process = start_program(language, text, *([credentials] if credentials else []))
        output, errors = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(language, process.returncode, output, errors)

    return run
