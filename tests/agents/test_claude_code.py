"""Claude Code with the settings of docs/clients/claude-code.md, word for word."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

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

# What its start script, which is not run here, would put in place.
PROGRAM = PACKAGES / "@anthropic-ai/claude-code-linux-x64/claude"
KEY_LINE, COMMAND_LINE, *_ = read_code("claude-code", "shell", "Settings").splitlines()

pytestmark = pytest.mark.usefixtures("claude_settings")


def build_command(*more: str) -> list[str]:
    program, *arguments = shlex.split(COMMAND_LINE)
    assert program == "claude"
    return [str(PROGRAM), *arguments, *more]


def build_key(credentials: str) -> dict[str, str]:
    name, _, value = KEY_LINE.removeprefix("export ").partition("=")
    assert value == "..."
    return {name: credentials}


@pytest.mark.parametrize("number", range(RUNS))
def test_it_reads_edits_runs_recovers_and_ends(
    run_agent: RunAgent, upstream: UpstreamEmulator, account: str, work: Path, number: int
) -> None:
    path = str(work / "a.txt")
    write_down(
        upstream,
        account,
        call("Read", file_path=path),
        call("Edit", file_path=path, old_string="the file", new_string="the agent"),
        call("Read", file_path=str(work / "missing.txt")),
        call("Bash", command="cp a.txt b.txt && echo copied", description="Copy it"),
        say("All is done."),
    )
    ended = run_agent(build_command(), build_key(f"demo-{account}"))
    heard = ("hello from the file", "updated successfully", "File does not exist", "copied")
    prompts = check_steps(ended, work, upstream, *heard)
    assert "[Result of Read #3 failed]" in prompts[3]
    assert not any("x-anthropic-billing-header" in prompt for prompt in prompts)


def test_it_searches_the_web(run_agent: RunAgent, upstream: UpstreamEmulator, account: str) -> None:
    """In a question of its own, with no other tool: the upstream's search answers it."""
    write_down(upstream, account, call("WebSearch", query="weather in Beijing"), "search", say("Sunny."))
    ended = run_agent(build_command("--allowedTools", "WebSearch"), build_key(f"demo-{account}"))
    assert (ended.returncode, ended.stdout.strip()) == (0, "Sunny."), ended.stderr
    asked = [sent["body"] for sent in upstream.requests() if sent["path"].endswith("assistant/stream")]
    assert [body["meta_data"]["is_networking"] for body in asked] == [False, True, False]
    result = read_prompts(upstream)[-1].rpartition("[Result of ")[2]
    assert "https://www.weather.com.cn/weather/101010100.shtml" in result


def test_it_compacts_what_became_too_long(
    run_agent: RunAgent, upstream: UpstreamEmulator, account: str, work: Path
) -> None:
    write_down(
        upstream,
        account,
        call("Bash", command="ls", description="Look around"),
        call("Read", file_path=str(work / "a.txt")),
        "toolong",
        say("<summary>a.txt was read.</summary>"),
        say("All is done."),
    )
    ended = run_agent(build_command(), build_key(f"demo-{account}"))
    assert (ended.returncode, ended.stdout.strip()) == (0, "All is done."), ended.stderr
    *_, too_long, compacting, last = read_prompts(upstream)
    assert "<summary>" in compacting
    assert "a.txt was read." in last
    assert len(last) < len(too_long)


def test_it_tells_why_nothing_comes(run_agent: RunAgent, upstream: UpstreamEmulator, account: str) -> None:
    ended = run_agent(build_command(), build_key(f"dead-{account}"))
    assert ended.returncode != 0
    assert "401" in ended.stdout + ended.stderr
    assert json.dumps(f"dead-{account}") not in ended.stdout + ended.stderr
    assert read_prompts(upstream) == []
