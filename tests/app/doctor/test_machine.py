"""What stands in a gateway's way on this machine, and how one that runs was started."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.doctor.running_process import compare_settings
from tests.app.doctor.conftest import CallDoctor, Start


def test_a_port_that_another_program_has(call: CallDoctor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        visit = call(PORT=str(port))
    assert visit.line("server").startswith("FAIL")
    assert visit.verdict.startswith("this machine")
    assert f"PORT={port % 65535 + 1} make run" in visit.text


def test_a_port_that_a_gateway_has_is_no_trouble(call: CallDoctor, start: Start) -> None:
    port = start().rpartition(":")[2]
    visit = call(PORT=port)
    assert visit.line("server").startswith("ok")
    assert "listens on" in visit.line("server")
    assert visit.verdict == "well"


def test_a_host_that_is_not_ours(call: CallDoctor) -> None:
    visit = call(HOST="192.0.2.1")
    assert "no address of this machine" in visit.line("server")
    assert visit.verdict.startswith("settings")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows it")
def test_other_settings_are_named_and_not_shown(tmp_path: Path) -> None:
    environ = {"GLM_PROXY": "http://me:pass-word@127.0.0.1:3128", "GLM_IDLE_SECONDS": "7", "LANG": "C"}
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().split()[5]}"
            (finding,) = compare_settings(url, {"GLM_IDLE_SECONDS": "7", "GLM_QUEUE_SECONDS": "3"})
            assert finding.values == {"names": "GLM_PROXY, GLM_QUEUE_SECONDS"}
            assert list(compare_settings(url, environ)) == []
        finally:
            process.kill()
    assert list(compare_settings(url, {})) == []


def test_of_another_machine_nothing_is_known() -> None:
    assert list(compare_settings("http://192.0.2.1:8000", {})) == []
