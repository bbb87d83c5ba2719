"""Anthropic's SDK for JavaScript on /v1/messages: an agent's step, thinking, a search, a failure."""

from __future__ import annotations

from pathlib import Path

from demo.gateway import GatewayProcess
from tests.agents.conftest import RunAgent, call, say, write_down
from upstream_emulator.emulator import UpstreamEmulator

HERE = Path(__file__).parent

PROGRAM = """
import Anthropic from "@anthropic-ai/sdk";
const baseURL = process.env.ANTHROPIC_BASE_URL;
const client = new Anthropic({ baseURL, apiKey: process.env.ANTHROPIC_API_KEY, maxRetries: 0 });
const ask = { model: "glm", max_tokens: 2048 };
const question = { role: "user", content: "One." };
const tools = [{ name: "get_weather", input_schema: { type: "object" } }];
const kinds = [];
const stream = client.messages.stream({ ...ask, tools, messages: [question] });
stream.on("streamEvent", ({ type }) => kinds.push(type));
const first = await stream.finalMessage();
const call = first.content.at(-1);
console.log(call.name, JSON.stringify(call.input), first.stop_reason);
const content = [{ type: "tool_result", tool_use_id: call.id, content: "18" }];
const messages = [question, { role: "assistant", content: first.content }, { role: "user", content }];
console.log((await client.messages.create({ ...ask, tools, messages })).content[0].text);
const thinking = { type: "enabled", budget_tokens: 1024 };
const third = await client.messages.stream({ ...ask, thinking, messages: [question] }).finalMessage();
console.log(third.content.map(({ type }) => type).join());
const search = [{ type: "web_search_20250305", name: "web_search" }];
const fourth = await client.messages.stream({ ...ask, tools: search, messages: [question] }).finalMessage();
console.log(fourth.content.map(({ type }) => type).join(), fourth.content[2].citations.length);
const failure = await client.messages.stream({ ...ask, messages: [question] }).finalMessage().catch((e) => e);
console.log(failure.error.error.code);
console.log(kinds.filter((kind) => kind === "message_stop").length, kinds.at(-1));
"""


def test_a_step_thinking_a_search_and_a_failure(
    run_agent: RunAgent, gateway: GatewayProcess, upstream: UpstreamEmulator, account: str
) -> None:
    called = call("get_weather", city="Beijing")
    write_down(upstream, account, called, say("It is 18 °C."), "think say=Done.", "search", "cut")
    environ = {"ANTHROPIC_BASE_URL": gateway.url, "ANTHROPIC_API_KEY": f"demo-{account}"}
    ended = run_agent(["node", "--input-type=module", "-e", PROGRAM], environ, directory=HERE)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        'get_weather {"city":"Beijing"} tool_use',
        "It is 18 °C.",
        "thinking,text",
        "server_tool_use,web_search_tool_result,text 1",
        "answer_cut",
        "1 message_stop",
    ]
