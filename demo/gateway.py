"""Starts the gateway as its users do: gunicorn, in a process of its own, on a free loopback port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 20
STOP_SECONDS = 50

_LISTENING = re.compile(r"Listening at: (http://[\d.]+:\d+)")


class GatewayFailed(Exception):
    """The gateway did not start; the message holds its log."""


class GatewayProcess:
    """A running gateway. Settings are environment variables; everything it writes lies in `directory`."""

    def __init__(
        self,
        upstream_url: str,
        directory: Path | None = None,
        application: str = "wsgi:app",
        **settings: str,
    ) -> None:
        self._application = application
        self._own_directory = None if directory else tempfile.TemporaryDirectory(prefix="glm-api-")
        self._directory = directory or Path(self._own_directory.name if self._own_directory else ".")
        self._log_path = self._directory / f"gateway-{time.monotonic_ns()}.log"
        self._settings = {
            "GLM_UPSTREAM_URL": upstream_url,
            "GLM_STATE_PATH": str(self._directory / "state.sqlite3"),
            "PORT": "0",
        } | settings
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __repr__(self) -> str:
        return f"<GatewayProcess {self.url or 'not started'}>"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Raises GatewayFailed when it does not answer in time."""
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", self._application]
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise GatewayFailed(self.log())
            time.sleep(0.02)

    def stop(self) -> int:
        """SIGTERM, as docker and systemd do; returns the exit code once it has ended."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL to master and worker: no clean-up code runs."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)

    def close(self) -> None:
        """Stop it if it runs, and remove what it wrote where the directory is its own."""
        try:
            if self._process is not None and self._process.poll() is None:
                self.stop()
        finally:
            self.kill()
            if self._own_directory is not None:
                self._own_directory.cleanup()

    @property
    def pid(self) -> int:
        """Of the master."""
        return self._process.pid if self._process is not None else 0

    @property
    def worker_pid(self) -> int:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split()
        return int(children[0])

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """Everything it has written so far."""
        return self._log_path.read_text("utf-8", "replace") if self._log_path.exists() else ""

    def _environment(self) -> dict[str, str]:
        """Ours, without the settings of another gateway."""
        theirs = ("GLM_", "GATEWAY_", "METRICS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        return kept | self._settings

    def _answers(self) -> bool:
        if not self.url:
            found = _LISTENING.search(self.log())
            # In a container it listens on every address; it is asked, and shown, at this machine's own.
            self.url = found[1].replace("0.0.0.0", "127.0.0.1") if found else ""  # noqa: S104
        try:
            return requests.get(f"{self.url}/ping", timeout=2).text == "pong"
        except requests.RequestException:
            return False
