"""Codex with the settings of docs/clients/codex.md, word for word."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.agents.conftest import RUNS, RunAgent, call, check_steps, read_prompts, say, write_down
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator

PATCH = """*** Begin Patch
*** Update File: a.txt
@@
-hello from the file
+hello from the agent
*** End Patch
"""


@pytest.fixture(autouse=True)
def settings(home: Path, gateway: GatewayProcess) -> None:
    directory = home / ".codex"
    directory.mkdir()
    config = read_code("codex", "toml", "Settings").replace("http://127.0.0.1:8000", gateway.url)
    (directory / "config.toml").write_text(config)
    (directory / "glm-models.json").write_text(read_code("codex", "json", "Settings"))


@pytest.mark.parametrize("number", range(RUNS))
def test_it_reads_edits_runs_recovers_and_ends(
    run_agent: RunAgent, upstream: UpstreamEmulator, account: str, work: Path, number: int
) -> None:
    write_down(
        upstream,
        account,
        call("exec_command", cmd="cat a.txt"),
        call("apply_patch", input=PATCH),
        call("exec_command", cmd="cat missing.txt"),
        call("exec_command", cmd="cp a.txt b.txt && echo copied"),
        say("All is done."),
    )
    command = shlex.split(read_code("codex", "shell", "In a directory"))
    ended = run_agent(command, {"OPENAI_API_KEY": f"demo-{account}"})
    check_steps(ended, work, upstream, "hello from the file", "Success", "No such file", "copied")
    assert "metadata" not in ended.stderr


def test_it_tells_why_nothing_comes(run_agent: RunAgent, upstream: UpstreamEmulator, account: str) -> None:
    """And tries so often as it always does, which ends."""
    command = shlex.split(read_code("codex", "shell", "In a directory"))
    ended = run_agent(command, {"OPENAI_API_KEY": f"dead-{account}"})
    assert ended.returncode != 0
    assert "401" in ended.stderr
    assert read_prompts(upstream) == []
