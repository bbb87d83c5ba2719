"""gunicorn.conf.py says what is promised, refuses what would break it, and stops cleanly."""

from __future__ import annotations

import ast
import http.client
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import KNOWN_SETTINGS

ROOT = Path(__file__).parents[2]
CONF = ROOT / "gunicorn.conf.py"
VARIABLES = ("HOST", "PORT", "WEB_CONCURRENCY", "LOG_LEVEL", "LOG_FORMAT", "GLM_DRAIN_SECONDS")
WORKER = "app.server.worker.GatewayWorker"


def clean_environ(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**kept, **variables}


@pytest.fixture
def read_conf(monkeypatch: pytest.MonkeyPatch) -> Any:
    def read(**variables: str) -> dict[str, Any]:
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(CONF))

    return read


def test_only_the_standard_library_is_imported_in_the_master() -> None:
    top_level = [
        node for node in ast.parse(CONF.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = [
        node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in top_level
    ]
    assert names
    assert [name for name in names if name.split(".")[0] not in sys.stdlib_module_names] == []


def test_promises(read_conf: Any) -> None:
    conf = read_conf()
    assert conf["bind"] == "127.0.0.1:8000"
    assert (conf["workers"], conf["worker_class"], conf["preload_app"]) == (1, WORKER, False)
    assert (conf["max_requests"], conf["accesslog"], conf["control_socket_disable"]) == (0, None, True)
    assert conf["graceful_timeout"] >= 30 + 3
    assert conf["limit_request_field_size"] > 64 * 1024
    assert (conf["forwarder_headers"], conf["secure_scheme_headers"]) == ("", {})


def test_every_setting_is_one_of_gunicorns(read_conf: Any) -> None:
    known = {setting.name for setting in KNOWN_SETTINGS}
    own = {
        "annotations",
        "look_at_settings",
        "read_number",
        "check_addresses",
        "keep_standard_streams",
        "end_where_wrong",
        "find_address_problem",
        "import_worker",
        "ask_child",
        "describe_state",
        "describe_wrong",
        "ip_address",
        "is_ip_address",
        "read_log_format",
        "read_log_level",
        "read_address",
        "refuse",
        "raise_file_limit",
        "refuse_more_than_one_process",
    }
    conf = {name for name, value in read_conf().items() if name.islower() and not name.startswith("_")}
    imported = {"errno", "os", "resource", "socket", "sys", "traceback"}
    assert conf - known - own - imported == set()


@pytest.mark.parametrize(
    ("host", "port", "bind"),
    [
        ("0.0.0.0", "9000", "0.0.0.0:9000"),
        ("", "", "127.0.0.1:8000"),
        ("::1", "80", "[::1]:80"),
        ("[::]", "0", "[::]:0"),
        ("localhost", "65535", "localhost:65535"),
    ],
)
def test_host_and_port(read_conf: Any, host: str, port: str, bind: str) -> None:
    assert read_conf(HOST=host, PORT=port)["bind"] == bind


def test_the_drain_is_followed_by_clean_up_time(read_conf: Any) -> None:
    assert read_conf(GLM_DRAIN_SECONDS="8")["graceful_timeout"] == 13


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "error"])
def test_log_level(read_conf: Any, level: str) -> None:
    assert read_conf(LOG_LEVEL=level)["loglevel"] == level.lower()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8000.0"),
        ("PORT", "٨٠"),
        ("HOST", "http://0.0.0.0"),
        ("HOST", "a b"),
        ("HOST", "localhost:9000"),
        ("HOST", "127.0.0.1:80"),
        ("LOG_FORMAT", "xml"),
        ("WEB_CONCURRENCY", "2"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "loud"),
        ("GLM_DRAIN_SECONDS", "half a minute"),
    ],
)
def test_a_wrong_value_is_refused_by_name(read_conf: Any, name: str, value: str) -> None:
    with pytest.raises(SystemExit, match=rf"^{name} is wrong: expected .*, got {re.escape(repr(value))}$"):
        read_conf(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (
            [],
            {"WEB_CONCURRENCY": "2"},
            "WEB_CONCURRENCY is wrong: expected 1, since one process owns its accounts",
        ),
        ([], {"PORT": "abc"}, "PORT is wrong"),
        (["--workers", "2"], {"PORT": "0"}, "--workers is wrong: expected 1"),
        (["--preload"], {"PORT": "0"}, "--preload is wrong"),
    ],
)
def test_gunicorn_does_not_start(arguments: list[str], variables: dict[str, str], said: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", CONF, *arguments, "tests.house.tiny:app"],
        cwd=ROOT, env=clean_environ(**variables), capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_a_socket_that_is_handed_over_is_taken_as_it_is(
    read_conf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = read_conf()["check_addresses"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        cfg = SimpleNamespace(reuse_port=False, address=[taken.getsockname(), "/run/x.sock", 3])
        with pytest.raises(SystemExit):
            check(cfg)
        check(SimpleNamespace(reuse_port=True, address=cfg.address))
        monkeypatch.setenv("LISTEN_FDS", "1")
        check(cfg)


@contextmanager
def serve() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The tiny application under our configuration, as (process, port)."""
    command = [sys.executable, "-m", "gunicorn", "-c", str(CONF), "tests.house.tiny:app"]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environ(PORT="0"), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            port = next(
                found[1] for line in lines if (found := re.search(r"http://127\.0\.0\.1:(\d+)", line))
            )
            yield process, int(port)
        finally:
            process.kill()


def test_idle_connections_do_not_hold_the_shutdown() -> None:
    with serve() as (process, port), socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(2):
            client.request("GET", "/", headers={"Authorization": "Bearer " + "x" * 65_529})
            assert client.getresponse().read() == b"ok"
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
        assert time.monotonic() - started < 10
        assert silent.recv(1) == b""
        client.close()


def test_what_is_loaded_is_no_matter_for_the_garbage_collector() -> None:
    with (
        serve() as (_, port),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/frozen", timeout=10) as answer,
    ):
        assert int(answer.read()) > 10_000


def test_a_running_request_is_finished_at_shutdown() -> None:
    with serve() as (process, port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/")
        assert client.getresponse().read() == b"ok"
        client.request("GET", "/slow")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.read() == b"ok"  # what came before has been read
        process.send_signal(signal.SIGTERM)
        assert client.getresponse().read() == b"ok"
        assert process.wait(timeout=20) == 0
        client.close()


def test_the_program_finds_the_worker_from_anywhere(tmp_path: Path) -> None:
    """`python -m gunicorn` looks for modules where it is started, the program gunicorn does not."""
    program = Path(sys.executable).with_name("gunicorn")
    run = subprocess.run(
        [program, "--check-config", "-c", CONF, "--chdir", ROOT, "tests.house.tiny:app"],
        cwd=tmp_path, env=clean_environ(PORT="0"), capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
