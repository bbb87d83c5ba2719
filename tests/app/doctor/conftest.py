"""The doctor's command in this process, against the upstream emulator."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from werkzeug.serving import make_server

from app.config import Settings
from app.doctor.command import main
from app.factory import create_app
from app.routes.services import EXTENSION
from upstream_emulator.emulator import UpstreamEmulator

# What no output may hold, whatever happens: parts of refresh tokens, access tokens, keys, passwords.
SECRETS = ("demo-", "dead-", "rubbish-", "eyJ", "glm-key-", "pass-word")
LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR")


class Visit(NamedTuple):
    code: int
    text: str

    @property
    def verdict(self) -> str:
        return next(line for line in self.text.splitlines() if line.startswith("verdict: "))[9:]

    def line(self, check: str) -> str:
        """The only line of this check."""
        (found,) = self.lines(check)
        return found

    def lines(self, check: str) -> list[str]:
        return [line for line in self.text.splitlines() if line[6:].startswith(check)]


CallDoctor = Callable[..., Visit]
Start = Callable[..., str]


@pytest.fixture(autouse=True)
def the_log_goes_where_it_went() -> Iterator[None]:
    """The command sends it to standard error, as programs do."""
    logger = logging.getLogger("app")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "glm.sqlite3"


@pytest.fixture
def call(
    upstream: UpstreamEmulator,
    state_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> CallDoctor:
    """Runs the doctor with arguments, what stands on its standard input, and variables."""

    def call(*arguments: str, given: str = "", **variables: str) -> Visit:
        defaults = {
            "GLM_UPSTREAM_URL": upstream.url,
            "GLM_STATE_PATH": str(state_path),
            "GLM_CONNECT_TIMEOUT_SECONDS": "2",
            "PORT": "9",  # nobody listens there
        }
        with monkeypatch.context() as patch:
            for name in LOCALE:
                patch.delenv(name, raising=False)
            for name, value in (defaults | variables).items():
                patch.setenv(name, value)
            if given:
                patch.setattr(sys, "stdin", io.StringIO(given))
            code = main([*arguments, "--tokens", "-"] if given else list(arguments))
        said = capsys.readouterr()
        assert [secret for secret in SECRETS if secret in said.out + said.err] == []
        return Visit(code, said.out)

    return call


@pytest.fixture
def start(upstream: UpstreamEmulator, tmp_path: Path) -> Iterator[Start]:
    """Starts gateways in threads, without gunicorn; gives their addresses."""
    stops: list[Callable[[], None]] = []

    def start(**environ: str) -> str:
        defaults = {"GLM_UPSTREAM_URL": upstream.url, "GLM_STATE_PATH": str(tmp_path / "state.sqlite3")}
        app = create_app(Settings.from_env(defaults | {"LOG_LEVEL": "ERROR"} | environ))
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join(10)
            server.server_close()
            app.extensions[EXTENSION].stop(2)

        stops.append(stop)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for stop in stops:
        stop()
