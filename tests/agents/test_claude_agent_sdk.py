"""Claude Code as a library, with the program it brings and the settings of docs/clients/claude-code.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.conftest import RunAgent, call, read_prompts, say, write_down
from upstream_emulator.emulator import UpstreamEmulator

PYTHON = str(Path(__file__).parents[2] / ".venv-agents/bin/python")
PROGRAM = """
import asyncio
from claude_agent_sdk import (
    AssistantMessage, ClaudeAgentOptions, ClaudeSDKClient, ResultMessage, create_sdk_mcp_server, tool,
)

@tool("get_weather", "How warm it is in a city now.", {"city": str})
async def get_weather(asked):
    return {"content": [{"type": "text", "text": f"{asked['city']}: 18 degrees"}]}

options = ClaudeAgentOptions(
    setting_sources=["user"],
    permission_mode="acceptEdits",
    allowed_tools=["Read", "Edit", "mcp__own__get_weather"],
    mcp_servers={"own": create_sdk_mcp_server("own", tools=[get_weather])},
    include_partial_messages=True,
)

async def main():
    async with ClaudeSDKClient(options) as client:
        for question in ("Do it.", "And now?"):
            await client.query(question)
            async for message in client.receive_response():
                if isinstance(message, AssistantMessage):
                    print(*(getattr(block, "name", type(block).__name__) for block in message.content))
                elif isinstance(message, ResultMessage):
                    print(message.subtype, message.is_error, message.result)

asyncio.run(main())
"""

pytestmark = pytest.mark.usefixtures("claude_settings")


def test_it_edits_recovers_finds_a_tool_calls_it_and_goes_on(
    run_agent: RunAgent, upstream: UpstreamEmulator, account: str, work: Path
) -> None:
    """The tool of the program is not offered before the model has looked for it."""
    path = str(work / "a.txt")
    write_down(
        upstream,
        account,
        call("Read", file_path=path),
        call("Edit", file_path=path, old_string="the file", new_string="the agent"),
        call("Read", file_path=str(work / "missing.txt")),
        call("ToolSearch", query="select:mcp__own__get_weather", max_results=5),
        call("mcp__own__get_weather", city="Beijing"),
        say("All is done."),
        "think say=Still.",
    )
    ended = run_agent([PYTHON, "-c", PROGRAM], {"ANTHROPIC_AUTH_TOKEN": f"demo-{account}"})
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        *("Read", "Edit", "Read", "ToolSearch", "mcp__own__get_weather", "TextBlock"),
        "success False All is done.",
        *("ThinkingBlock", "TextBlock"),
        "success False Still.",
    ]
    assert (work / "a.txt").read_text() == "hello from the agent\n"
    prompts = read_prompts(upstream)
    assert len(prompts) == 7
    assert "mcp__own__get_weather" in prompts[4].rpartition("[Result of ")[2]
    assert "Beijing: 18 degrees" in prompts[5].rpartition("[Result of ")[2]


def test_it_tells_why_nothing_comes(run_agent: RunAgent, upstream: UpstreamEmulator, account: str) -> None:
    ended = run_agent([PYTHON, "-c", PROGRAM], {"ANTHROPIC_AUTH_TOKEN": f"dead-{account}"})
    assert "success True" in ended.stdout, ended.stderr
    assert "401" in ended.stdout
    assert read_prompts(upstream) == []
