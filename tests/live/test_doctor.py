"""The doctor as a program, beside the product under real gunicorn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from demo.gateway import ROOT, GatewayProcess
from upstream_emulator.emulator import UpstreamEmulator


def call_doctor(given: str, *arguments: str, **environ: str) -> tuple[int, str]:
    """Exit code and everything it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GLM_", "GATEWAY_"))}
    run = subprocess.run(
        [sys.executable, "-m", "app.doctor", "--tokens", "-", *arguments],
        cwd=ROOT,
        env=kept | {"LC_ALL": "C.UTF-8"} | environ,
        input=given,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def test_how_the_model_calls_a_tool(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str, tmp_path: Path
) -> None:
    name = account.removeprefix("demo-")
    call = "agent args=%7B%22number%22:4711%7D form=native"
    upstream.account(name, next=[call])
    alone = {"GLM_UPSTREAM_URL": upstream.url, "GLM_STATE_PATH": str(tmp_path / "state"), "PORT": "9"}
    code, said = call_doctor(account, "--tools", **alone)
    assert code == 0, said
    assert "route: a part of its own, form: the model's own" in said
    upstream.account(name, next=[call])
    code, said = call_doctor(account, "--tools", "--url", gateway.url, **alone)
    assert code == 0, said
    assert "called in " in said
    upstream.wait_until(lambda state: state["undeleted"] == 0)


def test_a_running_gateway_is_left_alone_and_asks_itself(
    gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    upstream.configure(rotate="hard")
    environ = {
        "GLM_UPSTREAM_URL": upstream.url,
        "GLM_STATE_PATH": gateway._settings["GLM_STATE_PATH"],
        "PORT": gateway.url.rpartition(":")[2],
    }
    code, said = call_doctor(account, **environ)
    assert code == 0, said
    assert "held by a running gateway" in said
    assert f"--url {gateway.url}" in said
    assert account.removeprefix("demo-") not in upstream.state()["accounts"]
    for _ in range(2):
        code, said = call_doctor(f"{account}\ndead-one", "--url", gateway.url, "--chat", **environ)
        assert code == 1, said
        assert "verdict: expired (" in said
        assert "answered in" in said
    assert "demo-" not in said
    assert "dead-" not in said
    upstream.wait_until(lambda state: state["undeleted"] == 0)
