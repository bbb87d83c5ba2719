"""deploy/glm-api@.service: systemd understands it, finds little to blame, and what it starts works.

The hardening itself cannot be tried without a running systemd: see docs/verification.md.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.fleet import call
from tests.deploy.front import find_port, wait_until

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "deploy/glm-api@.service").read_text("utf-8")
KEY = f"glm-{'u' * 43}"
MAX_EXPOSURE = 15
"""In tenths; 0 is a service that can do nothing, 100 one that nothing holds back."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit of one instance, with the paths of this checkout."""
    path = tmp_path / "glm-api@8000.service"
    text = UNIT.replace("/opt/glm-api/.venv-run/bin", str(Path(sys.executable).parent))
    path.write_text(text.replace("/opt/glm-api", str(ROOT)), "utf-8")
    return path


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_systemd_understands_it(unit: Path) -> None:
    run = analyze("verify", "--man=no", unit)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_little_is_exposed(unit: Path) -> None:
    run = analyze("security", "--offline=true", f"--threshold={MAX_EXPOSURE}", unit)
    assert run.returncode == 0, run.stdout
    print(run.stdout.splitlines()[-1])


def read_values(name: str) -> list[str]:
    """What the unit says, with what it only suggests."""
    return re.findall(rf"^(?:# )?{name}=(.*)$", UNIT, re.MULTILINE)


def test_it_waits_for_the_drain() -> None:
    drain, clean_up = 30, 5
    assert int(*read_values("TimeoutStopSec")) > drain + clean_up


class Started:
    """The command of the unit with its environment, and the notifications that systemd would hear."""

    def __init__(self, directory: Path) -> None:
        self.port = find_port()
        self._places = {"%i": str(self.port), "%S": f"{directory}/state", "%t": f"{directory}/run"}
        self._places["%d"] = str(directory)
        for name in ("StateDirectory", "RuntimeDirectory"):
            (value,) = read_values(name)
            Path(self.fill(f"{'%S' if name == 'StateDirectory' else '%t'}/{value}")).mkdir(parents=True)
        (directory / "refresh-tokens").write_text("demo-systemd\n")
        (directory / "gateway-keys").write_text(f"laptop={KEY};admin\n")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(directory / "notify"))
        self._socket.settimeout(20)
        self.environ = dict(shlex.split(pair)[0].split("=", 1) for pair in self._list_pairs())
        self.environ |= {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(directory / "notify")}
        (command,) = read_values("ExecStart")
        words = command.replace("/opt/glm-api/.venv-run/bin", str(Path(sys.executable).parent)).split()
        self.process = subprocess.Popen(words, cwd=ROOT, env=self.environ, stderr=subprocess.DEVNULL)

    def fill(self, text: str) -> str:
        for mark, value in self._places.items():
            text = text.replace(mark, value)
        return text

    def hear(self) -> str:
        return self._socket.recv(4096).decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._socket.close()

    def _list_pairs(self) -> list[str]:
        return [pair for line in read_values("Environment") for pair in self.fill(line).split()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    started.close()


def test_what_it_starts_says_that_it_is_there_and_takes_its_secrets_from_files(started: Started) -> None:
    assert "READY=1" in started.hear()
    url = f"http://127.0.0.1:{started.port}"
    assert call(url, "/v1/accounts", KEY)[0] == 200
    assert call(url, "/v1/accounts", "demo-systemd")[0] == 401
    Path(started.environ["GLM_DRAIN_FILE"]).touch()
    assert call(url, "/health/ready")[0] == 503
    assert Path(started.environ["GLM_STATE_PATH"]).exists()
    started.process.send_signal(signal.SIGTERM)
    wait_until(lambda: started.process.poll() is not None, "it does not stop")
    assert started.process.returncode == 0
