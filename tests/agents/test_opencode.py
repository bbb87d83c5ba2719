"""opencode with the settings of docs/clients/opencode.md, on each of the three formats, by its SDK."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.gateway import GatewayProcess
from tests.agents.conftest import (
    PACKAGES,
    RUNS,
    RunAgent,
    call,
    check_steps,
    read_prompts,
    say,
    write_down,
)
from tests.clients.recipe import read_code
from upstream_emulator.emulator import UpstreamEmulator

COMMAND_LINE = read_code("opencode", "shell", "Settings").splitlines()[1]
# What its package's script, which is not run here, would put in place.
COMMAND = [str(PACKAGES / "opencode-linux-x64/bin/opencode"), *shlex.split(COMMAND_LINE)[1:]]
CHAT, RESPONSES, MESSAGES = "@ai-sdk/openai-compatible", "@ai-sdk/openai", "@ai-sdk/anthropic"
PATHS = {CHAT: "/v1/chat/completions", RESPONSES: "/v1/responses", MESSAGES: "/v1/messages"}

WriteSettings = Callable[[str], None]


@pytest.fixture
def write_settings(home: Path, gateway: GatewayProcess) -> WriteSettings:
    def write(sdk: str) -> None:
        settings = read_code("opencode", "json", "Settings").replace("http://127.0.0.1:8000", gateway.url)
        directory = home / ".config/opencode"
        directory.mkdir(parents=True)
        (directory / "opencode.json").write_text(settings.replace(CHAT, sdk))

    return write


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.parametrize("sdk", PATHS)
def test_it_reads_edits_runs_recovers_and_ends(
    run_agent: RunAgent,
    write_settings: WriteSettings,
    upstream: UpstreamEmulator,
    account: str,
    work: Path,
    sdk: str,
    number: int,
) -> None:
    write_settings(sdk)
    path = str(work / "a.txt")
    write_down(
        upstream,
        account,
        call("read", filePath=path),
        call("edit", filePath=path, oldString="the file", newString="the agent"),
        call("read", filePath=str(work / "missing.txt")),
        call("bash", command="cp a.txt b.txt && echo copied", description="Copy it"),
        say("All is done."),
    )
    ended = run_agent(COMMAND, {"OPENAI_API_KEY": f"demo-{account}"})
    heard = ("hello from the file", "applied successfully", "File not found", "copied")
    check_steps(ended, work, upstream, *heard)


@pytest.mark.parametrize("sdk", PATHS)
def test_each_sdk_asks_by_its_own_path(
    run_agent: RunAgent, write_settings: WriteSettings, gateway: GatewayProcess, account: str, sdk: str
) -> None:
    write_settings(sdk)
    before = gateway.log().count(f"path={PATHS[sdk]} status=200 ")
    assert run_agent(COMMAND, {"OPENAI_API_KEY": f"demo-{account}"}).returncode == 0
    assert gateway.log().count(f"path={PATHS[sdk]} status=200 ") == before + 1


def test_it_corrects_a_call_that_its_schema_refuses(
    run_agent: RunAgent, write_settings: WriteSettings, upstream: UpstreamEmulator, account: str
) -> None:
    """A list as text is the list that the schema wants; what is missing is opencode's to name."""
    write_settings(CHAT)
    todo = {"content": "Read it", "status": "pending", "priority": "high"}
    write_down(
        upstream,
        account,
        call("todowrite", todos=json.dumps([todo])),
        call("read"),
        say("All is done."),
    )
    ended = run_agent(COMMAND, {"OPENAI_API_KEY": f"demo-{account}"})
    assert (ended.returncode, ended.stdout.strip()) == (0, "All is done."), ended.stderr
    _, first, second = read_prompts(upstream)
    assert "Read it" in first.rpartition("[Result of todowrite")[2]
    assert "filePath" in second.rpartition("[Result of read")[2]


def test_it_tells_why_nothing_comes(
    run_agent: RunAgent, write_settings: WriteSettings, upstream: UpstreamEmulator, account: str
) -> None:
    write_settings(CHAT)
    ended = run_agent(COMMAND, {"OPENAI_API_KEY": f"dead-{account}"})
    assert "chatglm.cn" in ended.stdout + ended.stderr
    assert f"dead-{account}" not in ended.stdout + ended.stderr
    assert read_prompts(upstream) == []
